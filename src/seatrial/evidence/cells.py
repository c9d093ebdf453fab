"""Bounds of what depends on counts of cells alone: (truth, answer), or (truth, answer, answer).

The rows enter only through how many fall into each cell, and those counts are multinomial. So
are their plausible shares Dirichlet, drawn here thousands at a time, at a cost that does not grow
with the rows. A cell that no row fell into is not thereby impossible: as in Clopper and Pearson's
bound, something is added on the unfavourable side: half a row of each class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence.rates import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable

    OfConfusion = Callable[[np.ndarray], np.ndarray]

DRAWS = 10_000
FEWEST = 1000
UNSEEN = 0.5
"""Rows added to each class on the unfavourable side."""

CHUNK = 4_000_000
"""Numbers held at once while drawing: 32 MB."""


def of_one(
    of_confusion: OfConfusion, counts: np.ndarray, *, seed: int, effect: float = 1.0
) -> tuple[float, float]:
    """(low, high) of a metric of one model with the confusion ``counts`` [k, k].

    ``effect`` is how many rows prove as much as one (:mod:`seatrial.evidence.clusters`).

    >>> from seatrial.metrics import get
    >>> low, high = of_one(get("f1_macro").of_confusion, np.array([[40, 10], [5, 45]]), seed=1)
    >>> bool(0.76 < low < 0.8 and 0.89 < high < 0.92)
    True
    """
    truth, answer = (axis.ravel() for axis in np.indices(counts.shape))
    seen = _seen(counts.sum(axis=0) + counts.sum(axis=1))
    own = np.flatnonzero(counts.sum(axis=1))
    size = len(counts)
    counts = counts / effect

    def values(extra: np.ndarray) -> np.ndarray:
        cells = (counts + extra).ravel()
        kept = cells > 0
        place = truth[kept] * size + answer[kept]
        return _draw(
            cells[kept], size**2, seed, lambda shares: of_confusion(_table(shares, place, size))
        )

    wrong, right = np.zeros(counts.shape), np.zeros(counts.shape)
    for label in own:
        others = seen[seen != label]
        wrong[label, others] = UNSEEN / len(others)
        right[label, label] = UNSEEN
    return (
        float(np.quantile(values(wrong), 1 - LEVEL)),
        float(np.quantile(values(right), LEVEL)),
    )


def of_difference(
    of_confusion: OfConfusion,
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    seed: int,
    effect: float = 1.0,
) -> tuple[float, float]:
    """(low, high) of metric(first) - metric(second), from the class codes [n] of the same rows.

    >>> from seatrial.metrics import get
    >>> truth = np.repeat([0, 1], 100)
    >>> worse = np.where(np.arange(200) % 10 == 0, 1 - truth, truth)
    >>> low, high = of_difference(get("f1").of_confusion, truth, truth, worse, seed=1)
    >>> bool(0.06 < low < 0.1 < high < 0.16)
    True
    """
    size = int(max(truth.max(), first.max(), second.max(), 1)) + 1
    cell, counts = np.unique((truth * size + first) * size + second, return_counts=True)
    table = cell // size**2, cell // size % size, cell % size
    upper = [
        _upper(of_confusion, (table[0], *answers), counts / effect, size, seed)
        for answers in (table[1:], table[:0:-1])
    ]
    return -upper[1], upper[0]


def influence(of_confusion: OfConfusion, counts: np.ndarray) -> np.ndarray:
    """[k, k] the metric plus what a row of each cell does to it, to first order; 0 with no row.

    n times the metric's slope along the cell's count, by the difference between a little more
    and a little less of it: no such metric depends on the sum of the counts.

    >>> from seatrial.metrics import get
    >>> influence(get("recall").of_confusion, np.array([[8, 2], [4, 12]])).round(3)
    array([[ 0.75 ,  0.75 ],
           [-0.469,  1.156]])
    """
    size = len(counts)
    there = np.flatnonzero(counts)
    slopes = np.zeros(size * size)
    step = max(1, CHUNK // (size * size))
    for start in range(0, len(there), step):
        places = there[start : start + step]
        little = 1e-3 * counts.ravel()[places]
        tables = np.tile(counts.ravel().astype(np.float64), (2, len(places), 1))
        for table, sign in zip(tables, (1, -1), strict=True):
            table[np.arange(len(places)), places] += sign * little
        more, less = of_confusion(tables.reshape(2, -1, size, size))
        slopes[places] = (more - less) / (2 * little)
    centre = np.zeros(size * size)
    centre[there] = of_confusion(counts.astype(np.float64))
    return np.asarray(centre + slopes * counts.sum()).reshape(size, size)


def _upper(
    of_confusion: OfConfusion,
    table: tuple[np.ndarray, ...],
    counts: np.ndarray,
    size: int,
    seed: int,
) -> float:
    truth, first, second = table
    seen = _seen(np.bincount(np.concatenate(table), minlength=size))
    cell = (truth * size + first) * size + second
    extra = [
        ((own * size + own) * size + other, UNSEEN / (len(seen) - 1))
        for own in seen
        for other in seen[seen != own]
    ]
    cell, place = np.unique(np.concatenate([cell, [at for at, _ in extra]]), return_inverse=True)
    weights = np.concatenate([counts, [weight for _, weight in extra]])
    answers = [cell // size**2 * size + part for part in (cell // size % size, cell % size)]

    def difference(shares: np.ndarray) -> np.ndarray:
        a, b = (of_confusion(_table(shares, answer, size)) for answer in answers)
        return np.asarray(a - b)

    return float(np.quantile(_draw(np.bincount(place, weights), size**2, seed, difference), LEVEL))


def _seen(rows: np.ndarray) -> np.ndarray:
    # The classes that occur; with a single one, another that could have.
    seen = np.flatnonzero(rows)
    return seen if len(seen) > 1 else np.union1d(seen, [0, 1])


def _draw(
    cells: np.ndarray, table: int, seed: int, statistic: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    # Gamma draws are Dirichlet shares up to their sum, on which no such metric depends.
    # A draw holds the cells and a ``table`` of them; hundreds of classes get fewer draws.
    rng = np.random.default_rng(seed)
    numbers = max(len(cells), table)
    draws = min(DRAWS, max(FEWEST, 10 * CHUNK // numbers))
    step = max(1, CHUNK // numbers)
    parts = [
        statistic(rng.standard_gamma(cells, size=(min(step, draws - start), len(cells))))
        for start in range(0, draws, step)
    ]
    return np.concatenate(parts)


def _table(shares: np.ndarray, place: np.ndarray, size: int) -> np.ndarray:
    # [draws, cells] summed into [draws, size, size] tables of (truth, answer).
    order = np.argsort(place, kind="stable")
    places, starts = np.unique(place[order], return_index=True)
    table = np.zeros((len(shares), size * size))
    table[:, places] = np.add.reduceat(shares[:, order], starts, axis=1)
    return table.reshape(-1, size, size)
