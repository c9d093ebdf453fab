"""Do the bounds of the drift measures hold, and do checks fail when they should? Simulated.

python benchmarks/data/drift_simulation.py [--quick]

Counts are drawn from known distributions, and the measures estimated as a check does. A bound is
wrong when the true divergence, of the bins that were used, lies beyond it. Cells that look bad by
their first draws are drawn anew, more often, and only those draws count: the worst of a thousand
honest cells looks bad by chance.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from itertools import product
from statistics import mean
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from seatrial.data.drift.divergence import MEASURES, Counted
from seatrial.data.drift.measures import norms
from seatrial.data.drift.measures.lengths import lengths
from seatrial.data.drift.measures.smooth import Smooth
from seatrial.data.drift.merging import EXPECTED, evidence, grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Shares = NDArray[np.float64]

ROWS = (100, 500, 5000)
REFERENCES = (1000, 100_000)
LEVELS = (0.0, 0.5, 1.0, 3.0)
"""True divergences, in thresholds."""

NOMINAL = 0.05
WORST = 1.5 * NOMINAL
DOUBTFUL = 0.062
"""Cells that miss more often than so by their first draws are drawn anew."""

ALARM_ROWS = (50, 100, 200, 500, 1000, 2000, 5000, 20_000, 100_000)

TRUE: dict[str, Callable[[Shares, Shares], float]] = {
    "kl": lambda p, q: float((p * np.log(p / q)).sum()),
    "psi": lambda p, q: float(((p - q) * np.log(p / q)).sum()),
    "jensen_shannon": lambda p, q: float(
        np.sqrt(max(0.0, (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2))
    ),
    "total_variation": lambda p, q: float(np.abs(p - q).sum() / 2),
    "chi_square": lambda p, q: float(((p - q) ** 2 / q).sum()),
    "kolmogorov_smirnov": lambda p, q: float(np.abs(np.cumsum(p - q))[:-1].max()),
}
"""The definitions again, plainly. That of wasserstein needs the edges."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A distribution ``q`` ``[k]`` and how it moves; the missing values first, where any.

    ``drawn_edges``: the edges are quantiles of the reference's own rows, so that its counts are
    equal and its shares are not.
    """

    name: str
    q: Shares
    moved: Callable[[Shares, float], Shares]
    ordered: bool = True
    missing: bool = False
    drawn_edges: bool = False


@cache
def shapes() -> tuple[Shape, ...]:
    """What the bounds are tried on."""
    equal = np.full(20, 0.05)
    zipf = np.arange(1, 51) ** -1.2
    rare = 3.0 ** -np.arange(10)
    absent = np.array([0.01, *[0.99 / 19] * 19])
    return (
        Shape("shift, 20 equal bins", equal, _shift),
        Shape("shift, edges of the reference", equal, _shift, drawn_edges=True),
        Shape("spread, 20 equal bins", equal, _spread),
        Shape("one of 20 bins grows", equal, partial(_one, place=12)),
        Shape("many small changes, 20 bins", equal, _small),
        Shape("values go missing, 20 bins", absent, partial(_one, place=0), missing=True),
        Shape("two equal bins", np.full(2, 0.5), _small, ordered=False),
        Shape(
            "two bins, one of 5 %", np.array([0.95, 0.05]), partial(_one, place=1), ordered=False
        ),
        Shape("50 categories, small changes", zipf / zipf.sum(), _small, ordered=False),
        Shape(
            "10 categories, a rare one grows",
            rare / rare.sum(),
            partial(_one, place=6),
            ordered=False,
        ),
    )


def _shift(q: Shares, t: float) -> Shares:
    edges = ndtri(np.minimum(np.cumsum(q)[:-1], 1 - 1e-12))
    p: Shares = np.diff(ndtr(edges - t), prepend=0.0, append=1.0)
    return p


def _spread(q: Shares, t: float) -> Shares:
    edges = ndtri(np.minimum(np.cumsum(q)[:-1], 1 - 1e-12))
    p: Shares = np.diff(ndtr(edges * np.exp(-t)), prepend=0.0, append=1.0)
    return p


def _one(q: Shares, t: float, place: int) -> Shares:
    p = q.copy()
    p[place] *= np.exp(t)
    p /= p.sum()
    return p


def _small(q: Shares, t: float) -> Shares:
    p: Shares = q * np.exp(np.resize([t, -t], len(q)))
    p /= p.sum()
    return p


@dataclass(frozen=True, slots=True)
class Cell:
    """One measure on one shape, so far moved, with so many rows."""

    word: str
    shape: int
    level: float
    n: int
    m: int
    alpha: float = NOMINAL

    @property
    def called(self) -> str:
        """In words."""
        name = shapes()[self.shape].name
        return f"{name}; {self.level:g} x threshold; n {self.n}, reference {self.m}"


@dataclass(frozen=True, slots=True)
class Found:
    """How often the bounds of a cell were wrong, and checks failed and passed."""

    cell: Cell
    low: float
    high: float
    failed: float
    passed: float
    bias: float
    truth: float


def coverage(draws: int, again: int) -> list[Found]:
    """Every measure on every shape that it can judge; doubtful cells drawn anew."""
    cells = [
        Cell(word, i, level, n, m)
        for word in MEASURES
        for i, shape in enumerate(shapes())
        if shape.ordered or not MEASURES[word].numbers_only
        for level, n, m in product(LEVELS, ROWS, REFERENCES)
        if _strength(word, i, level) is not None
    ]
    first = _simulated(cells, draws, seed=1)
    doubtful = [found.cell for found in first if max(found.low, found.high) > DOUBTFUL]
    second = {found.cell: found for found in _simulated(doubtful, again, seed=2)}
    return [second.get(found.cell, found) for found in first]


def false_alarms(draws: int) -> list[Found]:
    """Checks of one column that has not moved: 20 equal bins, 50 categories, 10 of them rare."""
    cells = [
        Cell(word, i, 0.0, n, m)
        for word in MEASURES
        for i in ((0,) if MEASURES[word].numbers_only else (0, 8, 9))
        for n, m in product(ALARM_ROWS, REFERENCES)
    ]
    return _simulated(cells, draws, seed=3)


def power(draws: int) -> list[Found]:
    """Checks by kl, threshold 0.1, of a normal column that moved by 0.175 nats."""
    cells = [
        Cell("kl", 0, 1.75, n, 100_000, alpha)
        for n, alpha in product((200, 500, 1000, 2000), (NOMINAL, NOMINAL / 20))
    ]
    return _simulated(cells, draws, seed=4)


def _simulated(cells: Sequence[Cell], draws: int, seed: int) -> list[Found]:
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(partial(_found, draws=draws, seed=seed), cells, chunksize=8))


def _found(cell: Cell, draws: int, seed: int) -> Found:
    measure, shape = MEASURES[cell.word], shapes()[cell.shape]
    strength = _strength(cell.word, cell.shape, cell.level)
    assert strength is not None
    rng = np.random.default_rng([seed, cell.shape, cell.n, cell.m, int(100 * cell.level)])
    rows = []
    for _ in range(draws):
        q, reference = _reference(shape, cell.m, rng)
        p = shape.moved(q, strength)
        current = rng.multinomial(cell.n, p).astype(np.float64)
        counted = _counted(shape, current, reference)
        found = measure.estimate(counted, measure.threshold, cell.alpha)
        truth = _truth(cell, counted, p, q)
        rows.append(
            (
                found.low > truth + 1e-12,
                found.high < truth - 1e-12,
                found.low > measure.threshold,
                found.high <= measure.threshold,
                found.value - truth,
                truth,
            )
        )
    return Found(cell, *(float(mean(column)) for column in zip(*rows, strict=True)))


def _reference(shape: Shape, m: int, rng: np.random.Generator) -> tuple[Shares, Shares]:
    """True shares of the bins, and the reference's counts."""
    if shape.drawn_edges:
        return rng.dirichlet(m * shape.q), m * shape.q
    return shape.q, rng.multinomial(m, shape.q).astype(np.float64)


def _counted(shape: Shape, current: Shares, reference: Shares) -> Counted:
    missing = (int(current[0]), int(reference[0])) if shape.missing else (0, 0)
    start = int(shape.missing)
    edges = _edges(shape.q[start:]) if shape.ordered else None
    return Counted(current[start:], reference[start:], edges, missing, deviation=1.0)


def _edges(q: Shares) -> Shares:
    edges: Shares = ndtri(np.cumsum(q)[:-1] / q.sum())
    return edges


def _truth(cell: Cell, counted: Counted, p: Shares, q: Shares) -> float:
    """The divergence of the true shares, on the bins that the measure merged the counts to."""
    rows = evidence(cell.n, cell.m)
    measure, shape = MEASURES[cell.word], shapes()[cell.shape]
    if cell.word == "wasserstein":
        return float(lengths(counted) @ np.abs(np.cumsum(p - q))[:-1])
    if cell.word == "kolmogorov_smirnov":
        return TRUE[cell.word](p, q)
    smooth = measure.estimate if isinstance(measure.estimate, Smooth) else None
    most = (smooth.most_bins if smooth else norms.most_bins)(measure.threshold, rows)
    expected = smooth.expected if smooth else EXPECTED
    places = grouped(counted, most, expected)
    # The missing values come first here.
    places = np.roll(places, 1) if shape.missing else places[:-1]
    used = places >= 0
    now, before = (np.bincount(places[used], part[used]).astype(np.float64) for part in (p, q))
    now, before = now / now.sum(), before / before.sum()
    if smooth and smooth.wary:
        return float(smooth.told(rows, most)(now, before).value.sum())
    return TRUE[cell.word](now, before)


@cache
def _strength(word: str, place: int, level: float) -> float | None:
    """How far the shape must move; None when it cannot move so far."""
    if not level:
        return 0.0
    measure, shape = MEASURES[word], shapes()[place]
    counted = _counted(shape, 1000 * shape.q, 1000 * shape.q)

    def true(t: float) -> float:
        p, q = shape.moved(shape.q, t), shape.q
        if word == "wasserstein":
            return float(lengths(counted) @ np.abs(np.cumsum(p - q))[:-1])
        return TRUE[word](p, q)

    low, high = 0.0, 6.0
    if true(high) < level * measure.threshold:
        return None
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if true(middle) < level * measure.threshold else (low, middle)
    return high


def main(words: Sequence[str]) -> int:
    """Print what was found; 1 when a promise does not hold."""
    quick = "--quick" in words
    covered = coverage(*((60, 400) if quick else (300, 1500)))
    alarms, strong = false_alarms(60 if quick else 1000), power(200 if quick else 2000)
    print("| measure | cells | low wrong: mean | worst | high wrong: mean | worst | beyond 7.5 % |")
    print("|---|---|---|---|---|---|---|")
    for word in MEASURES:
        mine = [found for found in covered if found.cell.word == word]
        print(
            f"| {word} | {len(mine)} | {mean(f.low for f in mine):.1%} | "
            f"{max(f.low for f in mine):.1%} | {mean(f.high for f in mine):.1%} | "
            f"{max(f.high for f in mine):.1%} | "
            f"{sum(max(f.low, f.high) > WORST for f in mine)} |"
        )
    print("\nthe worst:")
    for found in sorted(covered, key=lambda f: -max(f.low, f.high))[:20]:
        print(
            f"{found.cell.word}: {found.cell.called}: low {found.low:.1%}, high {found.high:.1%}"
            f", truth {found.truth:.3g}, bias {found.bias:.2g}"
        )
    print("\nfalse alarms:")
    for word in MEASURES:
        mine = [found for found in alarms if found.cell.word == word]
        print(f"{word}: at most {max(f.failed for f in mine):.2%} of checks")
    print("\npower of kl at 0.175 nats, threshold 0.1, reference 100000:")
    for found in strong:
        print(f"n {found.cell.n}, alpha {found.cell.alpha:g}: {found.failed:.1%}")
    return 1 if any(max(f.low, f.high) > WORST for f in covered) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
