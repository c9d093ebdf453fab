"""Who is promoted at a gate, and how often its bounds miss: simulated, by counts where it can be.

python benchmarks/evidence_offline.py [--quick]; quick has a tenth of the samples.
"""

from __future__ import annotations

import sys

from evidence.offline import MARGIN, Promotions, misses, promotions
from measuring import Figure
from seatrial import metrics

ROWS = (200, 500, 1000, 2000, 5000)
DEGRADATIONS = (0.0, 0.02, 0.05, 0.06, 0.10)
SAMPLES = 20_000

FEW = (100, 200, 500)
SKEWED = ("average_precision", "neg_log_loss")
PREVALENCES = (0.4, 0.1)
SAMPLES_OF_ROWS = 5000

WORSE_AT_MOST_PERCENT = 3.0
EQUAL_AT_LEAST_PERCENT = 97.0
MISS_AT_MOST_PERCENT = 5.5


def figures(*, quick: bool = False) -> list[Figure]:
    """Every cell of the table of promotions; then the worst bound of the skewed metrics."""
    part = 10 if quick else 1
    found = [
        _promoted(n, degradation, promotions(n, degradation, SAMPLES // part, seed=n))
        for n in ROWS
        for degradation in DEGRADATIONS
    ]
    for name in SKEWED:
        for prevalence in PREVALENCES:
            found += [_missed(name, n, prevalence, SAMPLES_OF_ROWS // part) for n in FEW]
    return found


def _promoted(n: int, degradation: float, found: Promotions) -> Figure:
    goal, met = "", None
    if (n, degradation) == (500, 0.06):
        goal = f"at most {WORSE_AT_MOST_PERCENT:g} %"
        met = found.passed.bounds_percent[1] <= WORSE_AT_MOST_PERCENT
    elif (n, degradation) == (500, 0.0):
        goal = f"at least {EQUAL_AT_LEAST_PERCENT:g} %"
        met = found.passed.bounds_percent[0] >= EQUAL_AT_LEAST_PERCENT
    return Figure(
        name=f"promoted: {degradation:g} worse, {n} rows, margin {MARGIN:g}",
        value=found.passed.percent,
        unit="%",
        goal=goal,
        met=met,
        detail=(
            f"{found.passed}; inconclusive {found.inconclusive}; failed {found.failed};"
            f" point rule promotes {found.point}; unpaired z promotes {found.unpaired}"
        ),
    )


def _missed(name: str, n: int, prevalence: float, samples: int) -> Figure:
    shares = misses(metrics.get(name), n, samples, prevalence=prevalence)
    worst = max(shares.values(), key=lambda share: share.count)
    return Figure(
        name=f"bounds that miss: {name}, {n} rows, {prevalence:.0%} positive",
        value=worst.percent,
        unit="%",
        goal=f"at most about {MISS_AT_MOST_PERCENT:g} %",
        # met unless the simulation itself shows more
        met=worst.bounds_percent[0] <= MISS_AT_MOST_PERCENT,
        detail="; ".join(f"{bound} {share}" for bound, share in shares.items()),
    )


if __name__ == "__main__":
    for figure in figures(quick="--quick" in sys.argv[1:]):
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(f"{figure.name}: {figure.value:.3g} {figure.unit} {figure.goal} {mark}")
        print(f"  {figure.detail}")
