"""Drift measures on simulated data: do their bounds hold, and do checks fail when they should?

Seeded. Cells that look bad by their first 300 draws are drawn anew, 1500 times, and count by those.
"""

from __future__ import annotations

import time
from statistics import mean, median

import numpy as np

from data.drift_simulation import WORST, coverage, false_alarms, power
from measuring import Figure
from seatrial.data.drift.divergence import MEASURES, Counted

FIRST, AGAIN, ALARMS, POWER = 300, 1500, 1000, 2000
COLUMNS = 20

MOST_ALARMS = 0.01
LEAST_POWER, POWER_ROWS = 0.9, 1000
MOST_S = 0.03
"""For all columns, of the processor."""


def figures() -> list[Figure]:
    """Coverage and false alarms of each measure, the power of kl, and what an estimate costs."""
    covered, alarms = coverage(FIRST, AGAIN), false_alarms(ALARMS)
    found = []
    for word in MEASURES:
        cells = [each for each in covered if each.cell.word == word]
        worst = max(cells, key=lambda each: max(each.low, each.high))
        missed = max(worst.low, worst.high)
        found.append(
            Figure(
                name=f"bounds of {word} that are wrong, worst of {len(cells)} cells",
                value=100 * missed,
                unit="%",
                goal="at most 7.5 % on either side (nominal 5 %)",
                met=missed <= WORST,
                detail=f"on average low {mean(each.low for each in cells):.1%}, high "
                f"{mean(each.high for each in cells):.1%}; worst: {worst.cell.called}",
            )
        )
        failed = max(each.failed for each in alarms if each.cell.word == word)
        found.append(
            Figure(
                name=f"false alarms of {word} without drift, worst n from 50 to 100000",
                value=100 * failed,
                unit="%",
                goal="at most 1 %",
                met=failed <= MOST_ALARMS,
                detail=f"usual threshold {MEASURES[word].threshold:g}, one column",
            )
        )
    for each in power(POWER):
        if each.cell.n == POWER_ROWS:
            columns = round(0.05 / each.cell.alpha)
            found.append(
                Figure(
                    name=f"checks that fail at kl 0.175, 1000 rows, {columns} columns together",
                    value=100 * each.failed,
                    unit="%",
                    goal="at least 90 %" if columns == 1 else "",
                    met=each.failed >= LEAST_POWER if columns == 1 else None,
                    detail="threshold 0.1, 20 equal bins, reference of 100000 rows",
                )
            )
    return [*found, *(_cost(word) for word in MEASURES)]


def _cost(word: str) -> Figure:
    rng = np.random.default_rng(1)
    q = np.full(20, 0.05)
    columns = [
        Counted(
            rng.multinomial(10_000, q).astype(np.float64),
            rng.multinomial(100_000, q).astype(np.float64),
            np.arange(19.0),
            (30, 200),
            deviation=6.0,
        )
        for _ in range(COLUMNS)
    ]
    spent = []
    for _ in range(21):
        began = time.process_time()
        for column in columns:
            MEASURES[word].estimate(column, MEASURES[word].threshold, 0.05 / COLUMNS)
        spent.append(time.process_time() - began)
    return Figure(
        name=f"estimates of {COLUMNS} columns by {word}",
        value=1000 * median(spent[1:]),
        unit="ms",
        goal="under 30 ms",
        met=median(spent[1:]) < MOST_S,
        detail="of the processor; 20 bins and missing values each",
    )


if __name__ == "__main__":
    for figure in figures():
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(f"{figure.name}: {figure.value:.3g} {figure.unit} {figure.goal} {mark}")
        print(f"  {figure.detail}")
