"""What is each count of a column of, and which of them changed most?"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.column import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from seatrial.data.shape import ColumnProfile

ORDERED = frozenset({"number", "time"})
"""The kinds whose bins lie between edges; the others are counted value by value."""

_SMOOTHING = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """The share of one bin in the reference, and now."""

    name: str
    before: float
    now: float

    def __str__(self) -> str:
        """As in a sentence.

        >>> print(Change("carrier = 9E", 0.04, 0.11))
        `carrier = 9E` rose from 4 to 11 %
        """
        went = "rose" if self.now > self.before else "fell"
        return f"`{self.name}` {went} from {100 * self.before:.3g} to {100 * self.now:.3g} %"


def present(column: ColumnProfile) -> list[int]:
    """The counts of what is present: bins of numbers, or listed values and all others."""
    return [*column.counts] if column.kind in ORDERED else [*column.counts, column.other]


def rows_of(column: ColumnProfile) -> int:
    """So many rows were counted."""
    return sum(column.counts) + column.other + column.missing


def changes(reference: ColumnProfile, current: ColumnProfile, most: int = 3) -> tuple[Change, ...]:
    """The bins that changed most, as shares before and now; the missing values are one of them.

    Ranked by the symmetric divergence, which sees what vanished as well as what came.
    """
    before, now = (_shares(column, 0.0) for column in (reference, current))
    q, p = (_shares(column, _SMOOTHING) for column in (reference, current))
    weight = (p - q) * np.log(p / q)
    names = [*names_of(reference), f"{reference.name} missing"]
    order = [i for i in np.argsort(-weight, kind="stable")[:most] if before[i] != now[i]]
    return tuple(Change(names[i], float(before[i]), float(now[i])) for i in order)


def _shares(column: ColumnProfile, smoothing: float) -> NDArray[np.float64]:
    counts = np.array([*present(column), column.missing], np.float64) + smoothing
    return counts / max(float(counts.sum()), 1.0)


def names_of(column: ColumnProfile) -> list[str]:
    """What each of the counts of :func:`present` is of, as in a sentence.

    >>> from seatrial.data.shape import ColumnProfile
    >>> names_of(ColumnProfile(name="day", kind="number", type="BIGINT", edges=(0.5, 1, 7)))
    ['day <= 0', 'day = 1', 'day in 2 to 7', 'day > 7']
    """
    name = column.name
    if column.kind not in ORDERED:
        return [*(f"{name} = {value}" for value in column.values), f"{name} = any other"]
    if not column.edges:
        return [f"{name} present"]
    if column.kind == "number" and Column(name, column.kind, column.type).is_integer:
        return [f"{name} {part}" for part in _whole([math.floor(edge) for edge in column.edges])]
    return [f"{name} {part}" for part in _between(column)]


def _whole(ends: Sequence[int]) -> Iterator[str]:
    yield f"<= {ends[0]}"
    for a, b in itertools.pairwise(ends):
        yield f"= {b}" if b - a <= 1 else f"in {a + 1} to {b}"
    yield f"> {ends[-1]}"


def _between(column: ColumnProfile) -> Iterator[str]:
    # An edge just below the least value stands for "not even that one": the bin above holds it.
    edges = column.edges
    one = len(edges) > 1 and math.nextafter(edges[1], -math.inf) == edges[0]
    ends = _written(column)
    yield f"< {ends[1]}" if one else f"<= {ends[0]}"
    for i, (a, b) in enumerate(itertools.pairwise(ends)):
        yield f"= {b}" if one and not i else f"in ({a}, {b}]"
    yield f"> {ends[-1]}"


def _written(column: ColumnProfile) -> list[str]:
    """The edges as text, with as many digits as tell them apart."""
    if column.kind == "time":
        return [_moment(edge, column.type) for edge in column.edges]
    for digits in (6, 9, 12):
        ends = [f"{edge:.{digits}g}" for edge in column.edges]
        if len({*ends[1:]}) == len(ends) - 1:
            return ends
    return [f"{edge!r}" for edge in column.edges]


def _moment(seconds: float, type_name: str) -> str:
    """A time as text, in UTC; seconds since 1970, or of the day.

    >>> _moment(0.0, "DATE"), _moment(-1.5, "TIMESTAMP"), _moment(3600.0, "TIME")
    ('1970-01-01', '1969-12-31T23:59:58.500000', '01:00:00')
    """
    try:
        at = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None)
    except OverflowError:
        return f"{seconds:.6g} s"
    if type_name.startswith("TIME") and not type_name.startswith("TIMESTAMP"):
        return at.time().isoformat()
    return at.isoformat().removesuffix("T00:00:00") if type_name != "DATE" else f"{at:%Y-%m-%d}"
