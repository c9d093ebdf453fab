"""How often a watch rolls back, with a look after every ten of 20 000 labels and a margin of 0.05.

Simulated watches of 48 hours, discordance 0.08; all bounds one-sided 95 %.

python benchmarks/evidence_watch.py [--quick]; quick has a tenth of the watches.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from evidence.trail import cost
from evidence.watch import Scenario, study
from measuring import Figure

if TYPE_CHECKING:
    from seatrial.evidence.operating import Row

WATCHES = 2000
HEADLINE = 4000
"""Watches where a goal is a small share, so that the bounds can show it."""

LIMIT_US = 2.0
LIMIT_BYTES = 32 * 1024

CURVE = (0.0, 0.01, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.10)
FEW = 2000
SCENARIOS = (
    *(Scenario(degradation=each) for each in CURVE),
    Scenario(degradation=0.10, onset_hour=24),
    Scenario(degradation=0.20, onset_hour=24),
    Scenario(degradation=0.0, onset_hour=24, both=0.06),
    *(Scenario(degradation=each, labels=FEW) for each in (0.0, 0.02, 0.05, 0.10)),
    Scenario(degradation=0.10, onset_hour=24, labels=FEW),
)
AT_MOST_PERCENT = {
    Scenario(degradation=0.0): 0.5,
    Scenario(degradation=0.02): 1.0,
    Scenario(degradation=0.0, onset_hour=24, both=0.06): 0.5,
}
MEDIAN_AT_MOST = {
    Scenario(degradation=0.10): 400,
    Scenario(degradation=0.10, onset_hour=24): 600,
}
CAUGHT_PERCENT = 99.5


def figures(*, quick: bool = False) -> list[Figure]:
    """The rule "balanced" line by line, the other rules in the detail; then what a trail costs."""
    found: list[Figure] = []
    for seed, scenario in enumerate(SCENARIOS):
        goal = scenario in AT_MOST_PERCENT or scenario in MEDIAN_AT_MOST
        watches = (HEADLINE if goal else WATCHES) // (10 if quick else 1)
        rows = study(scenario, watches, seed=seed)
        share = _share(scenario, rows, watches)
        # too few watches to show a small share are no goal missed
        found.append(replace(share, met=None) if quick else share)
        if scenario in MEDIAN_AT_MOST:
            found.append(_median(scenario, rows["balanced"]))
    return [*found, *_costs()]


def _share(scenario: Scenario, rows: dict[str, Row], watches: int) -> Figure:
    ours = rows["balanced"]
    low, high = 100 * ours.share_low, 100 * ours.share_high
    goal, met = "", None
    if scenario in AT_MOST_PERCENT:
        limit = AT_MOST_PERCENT[scenario]
        goal, met = f"at most {limit:g} %", high <= limit
    elif scenario in MEDIAN_AT_MOST:
        goal, met = f"at least {CAUGHT_PERCENT:g} %", low >= CAUGHT_PERCENT
    late = scenario.onset_hour and scenario.degradation
    early = "; what is rolled back before the onset has caught nothing" if late else ""
    others = "; ".join(f"{name} {_told(row)}" for name, row in rows.items() if row is not ours)
    return Figure(
        name=f"rolled back: {scenario.told}",
        value=100 * ours.share,
        unit="%",
        goal=goal,
        met=met,
        detail=f"{low:.3g} to {high:.3g} %, {watches} watches{_after(ours)}{early}; {others}",
    )


def _told(row: Row) -> str:
    return f"{100 * row.share:.3g} % ({100 * row.share_low:.3g} to {100 * row.share_high:.3g})" + (
        _after(row)
    )


def _after(row: Row) -> str:
    return f" after {row.median_labels} labels" if row.median_labels is not None else ""


def _median(scenario: Scenario, row: Row) -> Figure:
    limit = MEDIAN_AT_MOST[scenario]
    assert row.median_labels is not None
    assert row.median_high is not None
    return Figure(
        name=f"labels to the rollback: {scenario.told}",
        value=row.median_labels,
        unit="labels",
        goal=f"at most {limit}",
        met=row.median_high <= limit,
        detail=f"the median; {row.median_low} to {row.median_high}",
    )


def _costs() -> list[Figure]:
    found = []
    for name, counted in (("0/1 losses", True), ("other losses", False)):
        spent = cost(counted=counted)
        found += [
            Figure(
                name=f"a label remembered, one at a time: {name}",
                value=spent.one_us,
                unit="us of processor",
                goal=f"at most {LIMIT_US:g} us",
                met=spent.one_us <= LIMIT_US,
                detail=f"{spent.hundred_us:.2g} us by the hundred; a verdict: "
                f"{spent.judge_ms:.2g} ms",
            ),
            Figure(
                name=f"memory of a metric: {name}",
                value=spent.memory_bytes,
                unit="bytes",
                goal=f"at most {LIMIT_BYTES}",
                met=spent.memory_bytes <= LIMIT_BYTES,
                detail=f"48 buckets; {spent.json_bytes} as JSON",
            ),
        ]
    return found


if __name__ == "__main__":
    for figure in figures(quick="--quick" in sys.argv[1:]):
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(f"{figure.name}: {figure.value:.3g} {figure.unit} {figure.goal} {mark}")
        print(f"  {figure.detail}")
