"""Does a single feature give the target away?

Rows are split in two. What a feature's value says of the target in one half is asked of the
other: a row is predicted by the nearest number, or the same text, seen there. So a column with a
value of its own in every row gives nothing away, and a copy does in whatever disguise: scaled,
cut at a limit, coded, or present only where the target is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

CLASSES = 0.99
"""Classes are given away when this share of rows is predicted, each class weighing the same.

The nearest value errs twice as often as the best rule would (Cover and Hart, 1967): a copy
that is wrong in half a percent of the rows is still found.
"""

NUMBERS = 0.998
"""Numbers are given away when so much of the variance of their ranks is explained: for the same
reason, a rank correlation of about 0.9995."""

SAMPLE = 10_000
"""So many rows, at most, tell."""

FEWEST = 10
"""Rows of a class (or of all, for numbers) in a half, below which nothing is said of it."""

MOST_CLASSES = 100
"""So many classes, the most frequent ones, are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """``feature`` alone predicts this ``share`` of the target, on so many ``rows``."""

    feature: str
    share: float
    rows: int


def copies(
    features: Mapping[str, NDArray[Any]], target: NDArray[Any], problem: str, seed: int = 0
) -> tuple[Copy, ...]:
    """The features that give the target ``[n]`` away, the worst first.

    ``features`` are float ``[n]`` with NaN where missing, or text ``[n]``. ``share`` is balanced
    accuracy for ``problem`` classes; for numbers the part of their ranks' variance.
    """
    chosen, truth = _drawn(target, problem, np.random.default_rng(seed))
    if not len(chosen):
        return ()
    first = np.arange(len(chosen)) % 2 == 0
    score, most = (_balanced, CLASSES) if problem == "classes" else (_explained, NUMBERS)
    found = []
    for name, values in features.items():
        column = values[chosen]
        share = score([*_predicted(column, truth, first)], truth)
        if share >= most:
            found.append(Copy(feature=name, share=share, rows=len(chosen)))
    return tuple(sorted(found, key=lambda each: -each.share))


def _drawn(
    target: NDArray[Any], problem: str, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows to look at, and what is to be predicted of each ``[m, k]``.

    One column a class with 1 where the row is of it; for numbers one, the rank from 0 to 1.
    Rows of all classes are drawn alike, in pairs: one goes to each half.
    """
    none = np.zeros(0, np.intp), np.zeros((0, 1))
    if problem != "classes":
        rows = random.permutation(len(target))[:SAMPLE]
        return (rows, _ranks(target[rows])[:, None]) if len(rows) >= 2 * FEWEST else none
    _, inverse, counts = np.unique(target, return_inverse=True, return_counts=True)
    kept = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    kept = kept[counts[kept] >= 2 * FEWEST]
    if len(kept) < 2:  # noqa: PLR2004 - one class cannot be told from itself
        return none
    each = max(SAMPLE // len(kept), 2 * FEWEST) // 2 * 2
    drawn = [random.permutation(np.flatnonzero(inverse == one))[:each] for one in kept]
    paired = [rows[: len(rows) // 2 * 2] for rows in drawn]
    rows = np.concatenate(paired)
    truth = np.zeros((len(rows), len(kept)))
    truth[np.arange(len(rows)), np.repeat(np.arange(len(kept)), [len(p) for p in paired])] = 1
    return rows, truth


def _ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """From 0 to 1; equal values share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    ranks: NDArray[np.float64] = middle[inverse] / max(len(values) - 1, 1)
    return ranks


def _predicted(
    column: NDArray[Any], truth: NDArray[np.float64], first: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float64]]]:
    """Each half as the other one predicts it: which rows, and the mean truth of the value's."""
    coded, ordered = _coded(column)
    for half in (first, ~first):
        seen, places = np.unique(coded[half], return_inverse=True)
        # classes weigh the same within a half, so that a rare one is heard
        weights = truth[half] / np.maximum(truth[half].sum(axis=0), 1)
        sums = np.zeros((len(seen), truth.shape[1]))
        np.add.at(sums, places, weights if truth.shape[1] > 1 else truth[half])
        if truth.shape[1] == 1:
            sums /= np.bincount(places)[:, None]
        at, known = _nearest(seen, coded[~half], ordered=ordered)
        said = sums[at]
        said[~known] = np.nan
        yield ~half, said


def _coded(column: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """The column's values as numbers that sort, and whether near ones mean the like.

    Text is only numbered. Missing numbers are infinitely far from all others.
    """
    if column.dtype == object:
        return np.unique(column.astype(str), return_inverse=True)[1], False
    return np.where(np.isnan(column), np.inf, column), True


def _nearest(
    seen: NDArray[Any], asked: NDArray[Any], *, ordered: bool
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Which of the values ``seen`` (sorted) stands for each that is asked, and whether any does."""
    after = np.minimum(np.searchsorted(seen, asked), len(seen) - 1)
    if not ordered:
        return after, seen[after] == asked
    before = np.maximum(after - 1, 0)
    with np.errstate(invalid="ignore"):  # infinity minus infinity: the value itself was seen
        nearer = np.abs(asked - seen[before]) < np.abs(seen[after] - asked)
    at = np.where(nearer, before, after)
    return at, np.ones(len(asked), np.bool_)


_Halves = list[tuple["NDArray[np.bool_]", "NDArray[np.float64]"]]


def _balanced(halves: _Halves, truth: NDArray[np.float64]) -> float:
    """The share of rows whose class was said, each class weighing the same."""
    right = np.zeros(len(truth))
    for rows, said in halves:
        known = ~np.isnan(said[:, 0])
        guess = np.argmax(np.nan_to_num(said), axis=1)
        right[rows] = known & (truth[rows, guess] == 1)
    return float(np.mean(right @ truth / truth.sum(axis=0)))


def _explained(halves: _Halves, truth: NDArray[np.float64]) -> float:
    """R² of the ranks; what is not known is said to be the middle."""
    middle = truth.mean()
    left = sum(
        float(np.sum((truth[rows] - np.where(np.isnan(said), middle, said)) ** 2))
        for rows, said in halves
    )
    around = float(np.sum((truth - middle) ** 2))
    return 1 - left / around if around else 0.0
