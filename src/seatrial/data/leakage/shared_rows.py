"""Does the evaluation set share rows with the training set beyond chance?

Chance is what the training data shows of itself: how often rows of one random half are found in
the other half. Held-out rows may be found in a half just as often, and not more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.column import listed
from seatrial.data.leakage.alike import as_seen
from seatrial.data.leakage.meeting import Side, first_row, first_rows, hashes_of, places, unequal
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.data.table import Table

ALPHA = 0.001
"""How often an honest evaluation set is refused, about: by simulation never more than 0.4 %, which
is with 200 training rows of which few repeat; mostly far less."""

EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """What is shared. ``shared`` counts evaluation rows found in training, ``p`` is their chance.

    ``p`` is the probability of at least as many finds if evaluation rows came from the same
    source as training rows, independently. ``examples`` are rows counted from 1, of the
    evaluation set and of the training set, when refused.
    """

    refused: bool
    reason: str
    evaluation_rows: int
    shared: int
    p: float
    examples: tuple[tuple[int, int], ...] = ()


def shared_rows(training: Table, evaluation: Table, features: Sequence[str]) -> Leak:
    """Whether ``evaluation`` is refused as held-out data for a model trained on ``training``.

    Rows are compared over those ``features`` that both tables have, as the model sees them.
    Refused: the same rows altogether, or more shared rows than chance explains (at 0.001), each
    found by its hash and confirmed on its values. Raises FormError when no column is in common.
    """
    if training.fingerprint == evaluation.fingerprint:
        return _same(training, evaluation)
    ours, theirs = _sides(training, evaluation, features)
    known, asked = hashes_of(ours, theirs)
    trained, judged = _Counted.of(known, _halves(known)), _Counted.of(asked)
    where, met = places(trained.hashes, judged.hashes)
    lying = unequal(ours, theirs, judged.hashes[met])
    met &= ~np.isin(judged.hashes, lying)
    if trained.is_like(judged) and met.all():
        return _same(training, evaluation, _examples(known, asked, judged.hashes[met]))
    shared = int(judged.rows[met].sum())
    p = _chance(trained, judged, where, met)
    found = f"{shared} of {evaluation.rows} rows of {evaluation.dataset.name!r}"
    also = f"{found} are also in {training.dataset.name!r}"
    if p >= ALPHA:
        why = f"{also}: no more than by chance"
        rows = evaluation.rows
        return Leak(refused=False, reason=why, evaluation_rows=rows, shared=shared, p=p)
    return Leak(
        refused=True,
        reason=f"{also}: more than by chance (p {f'= {p:.1g}' if p else '< 1e-300'})",
        evaluation_rows=evaluation.rows,
        shared=shared,
        p=p,
        examples=_examples(known, asked, judged.hashes[met]),
    )


def _same(
    training: Table, evaluation: Table, examples: tuple[tuple[int, int], ...] = ((1, 1),)
) -> Leak:
    return Leak(
        refused=True,
        reason=f"{evaluation.dataset.name!r} and {training.dataset.name!r} are the same rows",
        evaluation_rows=evaluation.rows,
        shared=evaluation.rows,
        p=0.0,
        examples=examples,
    )


def _sides(training: Table, evaluation: Table, features: Sequence[str]) -> tuple[Side, Side]:
    common = [name for name in features if name in training and name in evaluation]
    if not common:
        raise FormError(
            Mistake(
                f"dataset {evaluation.dataset.name!r} has none of the features of"
                f" {training.dataset.name!r}, so nothing can be compared",
                where=evaluation.dataset.place,
                fix=f"write the columns that the model reads: {listed(features)}",
            )
        )
    ours, theirs = (
        Side(table, tuple(as_seen(table[name], training[name].kind) for name in common))
        for table in (training, evaluation)
    )
    return ours, theirs


@dataclass(frozen=True, slots=True)
class _Counted:
    """The distinct ``hashes``, sorted; how many ``rows`` have each, and how many of one half."""

    hashes: NDArray[np.uint64]
    rows: NDArray[np.intp]
    second: NDArray[np.intp]

    @classmethod
    def of(cls, hashes: NDArray[np.uint64], half: NDArray[np.bool_] | None = None) -> _Counted:
        # the half rides along in the lowest bit, since sorting pairs costs ten times as much
        packed = hashes << np.uint64(1)
        if half is not None:
            packed |= half
        packed.sort()
        ordered = packed >> np.uint64(1)
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        seconds = np.add.reduceat((packed & np.uint64(1)).astype(np.intp), starts)
        return cls(ordered[starts], np.diff(np.r_[starts, len(ordered)]), seconds)

    def is_like(self, other: _Counted) -> bool:
        """Whether both are the same rows, in whatever order."""
        return np.array_equal(self.hashes, other.hashes) and np.array_equal(self.rows, other.rows)


def _chance(
    trained: _Counted, judged: _Counted, where: NDArray[np.intp], met: NDArray[np.bool_]
) -> float:
    """The conditional binomial test of two rates (Przyborowski and Wilenski, 1940).

    Of all finds, the share that falls to evaluation rows is, by chance, their share of all
    look-ups. Evaluation rows are looked up in both halves, training rows in the other one. Finds
    in both halves come together, and of repeated training rows at least two do; so the finds vary
    as if there were fewer, by the mean size of what comes together (a quasi-likelihood:
    Wedderburn, 1974).
    """
    first, second = trained.rows - trained.second, trained.second
    expected = int(trained.rows[(first > 0) & (second > 0)].sum())
    halves = ((first > 0).astype(np.intp) + (second > 0))[where[met]]
    found = int((judged.rows[met] * halves).sum())
    if not found:
        return 1.0
    from scipy.special import betainc  # noqa: PLC0415 - slow to import

    together = (int((judged.rows[met] * halves**2).sum()) + 2 * expected) / (found + expected)
    looked_up = 2 * int(judged.rows.sum())
    share = looked_up / (looked_up + int(trained.rows.sum()))
    # the binomial tail, also of counts that are not whole
    return float(betainc(found / together, expected / together + 1, share))


def _halves(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """A random-looking half of the rows ``[n]``, fixed by content and position.

    The bits are mixed as in SplitMix64 (Steele, Lea and Flood, 2014).
    """
    mixed = np.arange(1, len(hashes) + 1, dtype=np.uint64)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed += hashes
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed ^= mixed >> np.uint64(shift)
        mixed *= np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    half: NDArray[np.bool_] = (mixed & np.uint64(1)).astype(np.bool_)
    return half


def _examples(
    known: NDArray[np.uint64], asked: NDArray[np.uint64], meeting: NDArray[np.uint64]
) -> tuple[tuple[int, int], ...]:
    """The first evaluation rows that were found, each with the first training row it equals."""
    rows = first_rows(asked, meeting, EXAMPLES)
    return tuple((row + 1, first_row(known, int(asked[row])) + 1) for row in rows)
