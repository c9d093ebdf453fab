"""What a shadow test has counted, and how far two answers to one request agree."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evidence.times import Times
from seatrial.inference.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    Classes = tuple[int | str, ...]

REASONS = 8
"""Different reasons of errors that a tally keeps; the rest is counted together."""

OTHER = "other reasons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of a shadow test: sufficient statistics, so that those of several gateways add up.

    ``requests == seen + lost + too_big``, ``reached == compared + errors + nan`` and
    ``reached <= sampled <= seen``. What was lost or too big no longer says whose it was: it may
    belong to another model, so the share that was reached is never overstated.
    """

    seen: int = 0
    """Requests that production answered, as far as the shadow read them."""
    lost: int = 0
    """Records that were overwritten before the shadow read them."""
    too_big: int = 0
    """Records that did not fit."""
    sampled: int = 0
    """Requests drawn for the candidate."""
    reached: int = 0
    """Requests that the candidate answered or failed."""
    late: int = 0
    """Of these, those that were reached more than 30 s after production answered them."""
    compared: int = 0
    """Requests with two answers."""
    errors: int = 0
    """Requests that the candidate failed: raised, wrong shape, crashed, hung, out of memory."""
    nan: int = 0
    """Requests that it answered with NaN or infinity, where production did not."""
    rows: int = 0
    """Rows of the compared requests."""
    disagreed: float = 0.0
    """Sum over the compared requests of :attr:`Agreement.disagreed`."""
    difference: float = 0.0
    """Sum over the compared requests of :attr:`Agreement.difference`."""
    unlike: int = 0
    """Requests to which production, asked again, answered something else: the noise."""
    memory_mb: float = 0.0
    """What the candidate took at its peak; of several, the greatest."""
    candidate_us: Times = field(default_factory=Times)
    """Service times of the candidate."""
    production_us: Times = field(default_factory=Times)
    """Service times of production, in the same process and in turn with the candidate's."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why the candidate failed, and how often."""

    @property
    def requests(self) -> int:
        """Everything that production answered while the test lasted."""
        return self.seen + self.lost + self.too_big

    def __add__(self, other: Tally) -> Tally:
        """Both together.

        >>> (Tally(seen=3, reached=1) + Tally(seen=2, lost=1)).requests
        6
        """
        merged = {name: getattr(self, name) + getattr(other, name) for name in _SUMMED}
        return Tally(
            **merged,
            memory_mb=max(self.memory_mb, other.memory_mb),
            reasons=_together(self.reasons, other.reasons) if other.reasons else self.reasons,
        )

    def to_json(self) -> dict[str, Any]:
        """A plain dict, which :meth:`from_json` reads back; with ``requests``, for readers."""
        document = {name: getattr(self, name) for name in (*_SUMMED, "memory_mb")}
        for name in _TIMES:
            counts = document[name].counts
            document[name] = {str(place): counts[place] for place in sorted(counts)}
        return {"requests": self.requests, **document, "reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Tally:
        """Read back what :meth:`to_json` wrote.

        >>> both = Tally(seen=2, candidate_us=Times.of(80), reasons={"crashed": 1})
        >>> Tally.from_json(both.to_json()) == both
        True
        """
        known = {name: document[name] for name in _NAMES if name in document}
        for name in _TIMES:
            known[name] = Times({int(k): count for k, count in known.get(name, {}).items()})
        return cls(**known)


_NAMES = tuple(each.name for each in fields(Tally))
_SUMMED = tuple(name for name in _NAMES if name not in {"memory_mb", "reasons"})
_TIMES = ("candidate_us", "production_us")


def _together(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    counted = dict(first)
    for reason, count in second.items():
        counted[reason] = counted.get(reason, 0) + count
    kept = sorted((reason for reason in counted if reason != OTHER), key=lambda r: -counted[r])
    if rest := sum(counted[reason] for reason in kept[REASONS:]) + counted.get(OTHER, 0):
        return {**{reason: counted[reason] for reason in kept[:REASONS]}, OTHER: rest}
    return {reason: counted[reason] for reason in kept}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two answers to one request agree; both numbers are means over its rows.

    ``disagreed`` lies in [0, 1]. For classes it is the share of rows with another label; for
    numbers the squared difference over the variance, at most 1 a row. ``difference`` is the
    distance of the probabilities (0 to 1), or the absolute difference of the numbers. ``nan``
    says that the candidate's answer has a NaN or an infinity where production's has none.
    """

    disagreed: float
    difference: float
    nan: bool = False


def agreement(
    served: Answer,
    candidate: Answer,
    *,
    variance: float = 0.0,
    classes: Classes = (),
    candidate_classes: Classes = (),
) -> Agreement:
    """Compare the candidate's answer with the one production served, row by row.

    Labels are compared as values and probabilities class by class: the versions may know
    different classes. ``variance`` is that of the validation target, frozen; with none (0) two
    numbers agree or they do not. Both answers have the same number of rows, at least one.

    The distance of probabilities is the total variation, ``sum |p - q| / 2`` over the classes:
    for two classes it is the plain difference of either.

    >>> from seatrial.inference.answer import most_probable
    >>> no, yes = (most_probable(np.array([p]), ("no", "yes")) for p in ([0.75, 0.25], [0.5, 0.5]))
    >>> agreement(no, yes, classes=("no", "yes"), candidate_classes=("no", "yes"))
    Agreement(disagreed=0.0, difference=0.25, nan=False)
    """
    if served.probabilities is None:
        return _of_numbers(served.label, candidate.label, variance)
    differs = differing(served, candidate)
    if candidate.probabilities is None:
        return Agreement(_mean(differs), 1.0)
    first, second = served.probabilities, candidate.probabilities
    known, found = np.isfinite(first).all(axis=1), np.isfinite(second).all(axis=1)
    if classes != candidate_classes:
        both = tuple(dict.fromkeys((*classes, *candidate_classes)))
        first, second = _aligned(first, classes, both), _aligned(second, candidate_classes, both)
    apart = np.ones(len(first))
    both_known = known & found
    apart[both_known] = np.abs(first[both_known] - second[both_known]).sum(axis=1) / 2
    return Agreement(_mean(differs), _mean(apart), bool((known & ~found).any()))


def differing(served: Answer, candidate: Answer, *, variance: float = 0.0) -> np.ndarray:
    """[n] how far two answers to each row differ, in [0, 1]: see :attr:`Agreement.disagreed`.

    >>> one, other = (Answer(np.array(label)) for label in ([1.0, 2.0], [1.0, 2.5]))
    >>> differing(one, other, variance=1.0).tolist()
    [0.0, 0.25]
    """
    if served.probabilities is not None or served.label.dtype.kind not in "fiub":
        return np.asarray(served.label != candidate.label, dtype=np.float64)
    if candidate.label.dtype.kind not in "fiub":
        return np.ones(len(served.label))
    first, second = served.label.astype(np.float64), candidate.label.astype(np.float64)
    known, found = np.isfinite(first), np.isfinite(second)
    apart = np.zeros(len(first))
    both = known & found
    apart[both] = np.abs(first[both] - second[both])
    with np.errstate(over="ignore"):
        squared = apart**2 / variance if variance > 0 else (apart > 0).astype(np.float64)
    share = np.minimum(1.0, squared)
    share[known != found] = 1.0
    return share


def _of_numbers(served: np.ndarray, candidate: np.ndarray, variance: float) -> Agreement:
    if candidate.dtype.kind not in "fiub":
        return Agreement(1.0, 0.0)
    first, second = served.astype(np.float64), candidate.astype(np.float64)
    known, found = np.isfinite(first), np.isfinite(second)
    apart = np.zeros(len(first))
    both_known = known & found
    apart[both_known] = np.abs(first[both_known] - second[both_known])
    share = differing(Answer(served), Answer(candidate), variance=variance)
    return Agreement(_mean(share), _mean(apart), bool((known & ~found).any()))


def _aligned(table: np.ndarray, classes: Classes, both: Classes) -> np.ndarray:
    """The columns of all classes; one that a version does not know has no probability there."""
    wide = np.zeros((len(table), len(both)), dtype=table.dtype)
    wide[:, [both.index(label) for label in classes]] = table
    return wide


def _mean(rows: np.ndarray) -> float:
    return float(rows.mean()) if len(rows) else 0.0
