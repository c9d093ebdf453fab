"""Are the golden rows answered as they were when the model was registered?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.inference.distance import distances, units
from seatrial.inference.parity import Parity, flips, scores
from seatrial.inference.tolerance import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.inference.answer import Answer
    from seatrial.inference.tolerance import Tolerance

WORST = 5
"""So many rows are told."""

LAST_BIT = 2.0**-23
"""One rounding of a float32 near 1: a small probability may be 1 minus a great one."""

_FLATTEST = 4.0  # 1 / (p (1 - p)) where that is least
_LETTERS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """A golden row, counted from 1, and both answers in words.

    ``difference`` is in the units of :func:`seatrial.inference.distance.units`, None where an
    answer is no number.
    """

    row: int
    kind: str
    expected: str
    got: str
    difference: float | None

    def __str__(self) -> str:
        """One line."""
        return f"row {self.row} ({self.kind}): {self.expected} -> {self.got}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof(Parity):
    """A parity over golden rows, and what no parity looks at.

    ``not_finite`` rows were answered by a NaN or an infinity. ``order_changes`` are pairs of rows
    that come in another order, or became equal, though their scores lie further apart than
    rounding explains: so answers that are all smaller than the tolerance are proven too.
    ``allowed`` is the largest difference that passes, ``worst`` holds the rows furthest off.
    """

    not_finite: int
    order_changes: int
    allowed: float
    worst: tuple[Off, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every golden row is answered equally, and there are some."""
        bad = self.outside or self.label_flips or self.not_finite or self.order_changes
        return self.rows > 0 and not bad

    @property
    def said(self) -> str:
        """One sentence, without its full stop."""
        if not self.rows:
            return "there are no golden rows, and no rows prove nothing"
        largest = f"largest difference {self.largest_difference:.3g}, allowed {self.allowed:.3g}"
        if self.ok:
            return f"{_counted(self.rows, 'golden row')} answered equally ({largest})"
        parts = [f"it differs on {self.outside} of {_counted(self.rows, 'golden row')} ({largest})"]
        if self.label_flips:
            parts.append(f"{_counted(self.label_flips, 'label')} flipped")
        if self.not_finite:
            parts.append(f"{_counted(self.not_finite, 'row')} answered by no finite number")
        if self.order_changes:
            parts.append(f"{_counted(self.order_changes, 'pair')} of rows in another order")
        return ", ".join(parts)


def prove(
    expected: Answer,
    got: Answer,
    tolerance: Tolerance,
    *,
    kinds: Sequence[str] = (),
    classes: Sequence[object] = (),
) -> Proof:
    """Hold the answers to golden rows against those that were kept; FormError by their shapes.

    ``kinds`` say of each row why it is there, ``classes`` name the columns of the probabilities.

    >>> from seatrial.inference.answer import Answer
    >>> from seatrial.inference.tolerance import Tolerance
    >>> kept, here = np.array([[1e-6], [3e-6]]), np.array([[3e-6], [1e-6]])
    >>> label = np.array([0, 0])
    >>> prove(Answer(label, kept), Answer(label, here), Tolerance()).said
    'it differs on 0 of 2 golden rows (largest difference 2e-06, allowed 1e-05), 1 pair of rows in another order'
    """  # noqa: E501 - the sentence is one line
    far = distances(expected, got)
    finite = np.isfinite(far)
    flipped = flips(expected, got, tolerance.answers)
    changed = _out_of_order(expected, got, tolerance.order)
    order = changed.sum(axis=1)
    outside = far > tolerance.answers
    off = np.flatnonzero(outside | flipped)
    if not len(off):  # of the pairs in another order, the rows that moved
        off = np.flatnonzero((order > 0) & (far > 0.0))
    # the worst first: no number, the furthest, the most out of order
    ranked = off[np.lexsort((-order[off], -far[off]))]
    return Proof(
        rows=len(far),
        largest_difference=float(far[finite].max(initial=0.0)),
        outside=int(np.count_nonzero(outside)),
        label_flips=int(np.count_nonzero(flipped)),
        not_finite=int(np.count_nonzero(~got.finite)),
        order_changes=int(order.sum()) // 2,
        allowed=tolerance.answers,
        worst=tuple(
            Off(
                row=int(row) + 1,
                kind=kinds[row] if kinds else "given",
                expected=first,
                got=second,
                difference=float(far[row]) if finite[row] else None,
            )
            for row, first, second in _in_words(expected, got, ranked[:WORST], classes)
        ),
    )


def _out_of_order(expected: Answer, got: Answer, order: float) -> np.ndarray:
    """``[n, n]``, symmetric: which pairs changed places or became equal, in any class.

    Rows without a finite answer are in no order; they fail by themselves.
    """
    first, second = scores(expected, got)
    rows = np.flatnonzero((np.isfinite(first) & np.isfinite(second)).all(axis=1))
    found = np.zeros((len(first), len(first)), dtype=np.bool_)
    changed = np.zeros((len(rows), len(rows)), dtype=np.bool_)
    slack = _slack(expected, first, order)
    for kept, here, near in zip(first[rows].T, second[rows].T, slack[rows].T, strict=True):
        above = np.subtract.outer(kept, kept) > np.add.outer(near, near)
        changed |= above & ~np.greater.outer(here, here)
    found[np.ix_(rows, rows)] = changed | changed.T
    return found


def _slack(expected: Answer, values: np.ndarray, order: float) -> np.ndarray:
    """``[n, k]`` how far a score may move and still be the same.

    Where only rounding was seen, small probabilities are known better than great ones: what moves
    a logit moves ``p`` by ``p (1 - p)`` of it. Larger differences may be anything, the steps of a
    quantised output for one, and count at every size.
    """
    if expected.probabilities is None:
        return order * units(expected)
    if order > ANSWERS:
        return np.full(values.shape, order)
    known = np.minimum(1.0, _FLATTEST * np.abs(values))
    return np.asarray(np.maximum(LAST_BIT, order * known))


def _in_words(
    expected: Answer, got: Answer, rows: np.ndarray, classes: Sequence[object]
) -> Iterator[tuple[int, str, str]]:
    """Both answers to each row: the labels, and the probability that moved most."""
    first, second = scores(expected, got)
    for row in rows.tolist():
        if expected.probabilities is None:
            yield row, f"{first[row, 0]:.7g}", f"{second[row, 0]:.7g}"
            continue
        apart = np.abs(second[row] - first[row])
        moved = int(np.where(np.isnan(apart), np.inf, apart).argmax())
        of = f" for {_short(classes[moved])}" if classes else ""
        texts = [
            f"{_short(answer.label[row])} ({values[row, moved]:.6g}{of})"
            for answer, values in ((expected, first), (got, second))
        ]
        yield row, texts[0], texts[1]


def _short(label: object) -> str:
    text = repr(label) if isinstance(label, str) else str(label)
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
