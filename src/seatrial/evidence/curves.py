"""Bounds of what depends on the order of the scores alone: curves, and what is read off them.

Rows enter only through how many of either class have which score, so that counts are drawn
instead of rows: weights of cells (truth, score), or (truth, score, score) for two models. Their
law is Dirichlet: Rubin (1981), "The Bayesian bootstrap", Annals of Statistics 9. With many
distinct scores neighbours share a bin, and the cost no longer grows with the rows; the draws are
moved by what the bins change in the value itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import means, resampling

if TYPE_CHECKING:
    from collections.abc import Callable

    OfScores = Callable[[np.ndarray], np.ndarray]

DRAWS = 1000
EXACT = 1000
"""Rows up to which each distinct score has a bin of its own."""

BINS = 128
"""The most bins beyond that, of about equally many rows: two models have bins times bins cells."""

CHUNK = 4_000_000
"""Numbers held at once while drawing: 32 MB."""


def of_one(
    of_scores: OfScores, is_positive: np.ndarray, scores: np.ndarray, *, seed: int
) -> tuple[float, float]:
    """(low, high) of a metric of one model; ``is_positive`` and ``scores`` are [n].

    ``of_scores`` turns weights [..., 2, s] of the negative and the positive rows, by ascending
    score, into values [...]. Infinite below two rows of either class.

    >>> def higher(weights):  # mean place of the positive rows
    ...     mine = weights[..., 1, :]
    ...     return mine @ np.arange(mine.shape[-1]) / mine.sum(axis=-1)
    >>> low, high = of_one(higher, np.arange(40) % 2 == 1, np.arange(40) % 5, seed=1)
    >>> low < 2 < high
    True
    """
    truth = is_positive.astype(np.intp)
    place, size = _places(scores)
    cells, counts = np.unique(truth * size + place, return_counts=True)
    drawing = _Drawing(counts, ((cells // size, cells % size, size),))
    exact = _exactly(of_scores, truth, scores) if len(scores) > EXACT else None
    return drawing.bounds(lambda tables: of_scores(tables[0]), exact, seed)


def of_difference(
    of_scores: OfScores,
    is_positive: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    *,
    seed: int,
) -> tuple[float, float]:
    """(low, high) of metric(first) - metric(second), from two models' scores [n] of the same rows.

    >>> def higher(weights):
    ...     mine = weights[..., 1, :]
    ...     return mine @ np.arange(mine.shape[-1]) / mine.sum(axis=-1)
    >>> scores = np.arange(40) % 5
    >>> of_difference(higher, np.arange(40) % 2 == 1, scores, scores, seed=1)
    (0.0, 0.0)
    """
    truth = is_positive.astype(np.intp)
    (one, size), (other, wide) = _places(first), _places(second)
    cells, counts = np.unique((truth * size + one) * wide + other, return_counts=True)
    called = cells // (size * wide)
    drawing = _Drawing(counts, ((called, cells // wide % size, size), (called, cells % wide, wide)))
    exact = None
    if len(first) > EXACT:
        exact = _exactly(of_scores, truth, first) - _exactly(of_scores, truth, second)
    return drawing.bounds(lambda tables: of_scores(tables[0]) - of_scores(tables[1]), exact, seed)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """``counts`` [c] of cells, and where they lie in each model's table: class, bin, bins."""

    counts: np.ndarray
    models: tuple[tuple[np.ndarray, np.ndarray, int], ...]

    def bounds(
        self,
        statistic: Callable[[list[np.ndarray]], np.ndarray],
        exact: float | None,
        seed: int,
    ) -> tuple[float, float]:
        """Accelerated percentiles, at least as wide as the jackknife's variance says.

        The jackknife leaves out a row of each cell in turn; its variance errs on the careful
        side (Efron and Stein 1981, "The jackknife estimate of variance", Annals of Statistics 9).
        """
        n = int(self.counts.sum())
        fewest = min(int(self.counts[self.models[0][0] == each].sum()) for each in (0, 1))
        if fewest < 2:
            return -math.inf, math.inf
        rng = np.random.default_rng(seed)
        value = float(statistic(self._tables(self.counts[None, :].astype(np.float64)))[0])
        drawn = self._drawn(statistic, rng)
        left = self._left_out(statistic)
        rows = np.repeat(left, self.counts)
        rows = value + (n - 1) * (rows.mean() - rows)
        reach = means.student(max(min(fewest - 1.0, means.freedom(rows)), 1.0))
        leaning = resampling.lean(rows - value)
        low, high = resampling.accelerated(drawn, value, leaning, reach=reach)
        spread = float(np.std(drawn))
        widen = max(1.0, means.deviation(rows) / spread) if spread else 1.0
        centre = value if exact is None else exact
        return centre + widen * (low - value), centre + widen * (high - value)

    def _drawn(
        self, statistic: Callable[[list[np.ndarray]], np.ndarray], rng: np.random.Generator
    ) -> np.ndarray:
        step = max(1, CHUNK // len(self.counts))
        sizes = [min(step, DRAWS - start) for start in range(0, DRAWS, step)]
        return np.concatenate(
            [
                statistic(self._tables(rng.standard_gamma(self.counts, (size, len(self.counts)))))
                for size in sizes
            ]
        )

    def _left_out(self, statistic: Callable[[list[np.ndarray]], np.ndarray]) -> np.ndarray:
        """[c] the statistic without one row of each cell."""
        whole = self._tables(self.counts[None, :].astype(np.float64))
        step = max(1, CHUNK // max(table.size for table in whole))
        values = []
        for start in range(0, len(self.counts), step):
            chosen = slice(start, start + step)
            tables = []
            for table, (truth, place, _) in zip(whole, self.models, strict=True):
                less = np.repeat(table, len(truth[chosen]), axis=0)
                less[np.arange(len(less)), truth[chosen], place[chosen]] -= 1
                tables.append(less)
            values.append(statistic(tables))
        return np.concatenate(values)

    def _tables(self, weights: np.ndarray) -> list[np.ndarray]:
        """[draws, 2, bins] for each model."""
        tables = []
        for truth, place, size in self.models:
            at = truth * size + place
            table = np.stack([np.bincount(at, row, minlength=2 * size) for row in weights])
            tables.append(table.reshape(-1, 2, size))
        return tables


def _places(scores: np.ndarray) -> tuple[np.ndarray, int]:
    """The bin of each row, from the lowest score up, and how many bins there are."""
    known, place = np.unique(scores, return_inverse=True)
    if len(known) <= BINS or len(scores) <= EXACT:
        return place, len(known)
    ranks = np.cumsum(np.bincount(place))
    bins = np.minimum((ranks - 1) * BINS // len(scores), BINS - 1)
    return bins[place], BINS


def _exactly(of_scores: OfScores, truth: np.ndarray, scores: np.ndarray) -> float:
    known, place = np.unique(scores, return_inverse=True)
    size = len(known)
    table = np.bincount(truth * size + place, minlength=2 * size).astype(np.float64)
    return float(of_scores(table.reshape(1, 2, size))[0])
