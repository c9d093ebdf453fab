"""Which rows do the words of a file mean? A column, values and ranges of it, or several together.

A word is the name of a column (each of its parts, :mod:`.partition`), or a mapping of columns to
lists: each value or range listed is a slice of its own, and of several columns every combination.
A range ``[low, high]`` holds its low end and not its high one; None is an open end, and in place
of a value a missing one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.column import listed
from seatrial.errors import FileError, Mistake, nearest
from seatrial.evaluation.slices.partition import FEWEST, divided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from seatrial.evaluation.slices.columns import Column

End = str | float | int | None
Value = str | float | int | bool | tuple[End, End] | None
Word = str | Mapping[str, Sequence[Value]]

MOST = 500
"""So many slices can be asked for."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the rows: what it is called, and ``rows``, their numbers, ascending.

    ``named`` is whether somebody named this very part; else it is one of the parts of a column.
    ``why`` is why it has no rows.
    """

    name: str
    rows: NDArray[np.intp]
    named: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Condition:
    said: str
    holds: NDArray[np.bool_]
    why: str


def columns_of(words: Iterable[Word]) -> tuple[str, ...]:
    """The columns that are named, each once.

    >>> columns_of(["origin", {"carrier": ["AA"], "origin": ["JFK"]}])
    ('origin', 'carrier')
    """
    named = itertools.chain.from_iterable([w] if isinstance(w, str) else w for w in words)
    return tuple(dict.fromkeys(named))


def misstated(words: Iterable[Word]) -> Iterator[str]:
    """What is wrong with the words, whatever the rows are.

    >>> [*misstated([{"delay": [[15, 0]]}, {}, {"month": []}])]
    ['the range [15, 0] of delay ends before it begins', 'a slice of no column: {}', \
'no value of month is listed']
    """
    total = 0
    for word in words:
        if isinstance(word, str):
            continue
        if not word:
            yield "a slice of no column: {}"
        for name, values in word.items():
            if not values:
                yield f"no value of {name} is listed"
            yield from (f"the range {_shown(v)} of {name} {why}" for v, why in _upside_down(values))
        total += math.prod(len(values) for values in word.values())
    if total > MOST:
        yield f"the lists make {total} slices, more than {MOST}"


def slices(
    words: Iterable[Word], columns: Mapping[str, Column], *, where: str = ""
) -> tuple[Slice, ...]:
    """The slices that the words mean, in their order, each name once.

    ``columns`` are those that :func:`columns_of` names. FileError, at ``where``, for a value that a
    column cannot hold.

    >>> from seatrial.evaluation.slices.columns import from_features
    >>> gate = np.array(["a", "b", "a"], object)
    >>> columns = from_features({"month": np.array([6.0, 7, 7]), "gate": gate})
    >>> for each in slices([{"month": [7, [6, 8]], "gate": ["a"]}], columns):
    ...     print(each.name, each.rows.tolist())
    month = 7 and gate = a [2]
    6 <= month < 8 and gate = a [0, 2]
    """
    found: dict[str, Slice] = {}
    for word in words:
        several = _parts(columns[word]) if isinstance(word, str) else _named(word, columns, where)
        for each in several:
            # what somebody named is judged as such, though a column gives it as well
            if each.named or each.name not in found:
                found[each.name] = each
    return tuple(found.values())


def _parts(column: Column) -> Iterator[Slice]:
    partition = divided(column, FEWEST)
    order = np.argsort(partition.place, kind="stable")
    ends = np.cumsum(partition.sizes)
    for said, rows in zip(partition.said, np.split(order, ends[:-1]), strict=True):
        yield Slice(said, rows, named=False)


def _named(
    word: Mapping[str, Sequence[Value]], columns: Mapping[str, Column], where: str
) -> Iterator[Slice]:
    each = [[_condition(columns[name], value, where) for value in word[name]] for name in word]
    for conditions in itertools.product(*each):
        together = np.logical_and.reduce([condition.holds for condition in conditions])
        rows = np.flatnonzero(together)
        why = ""
        if not len(rows):
            why = next((c.why for c in conditions if c.why), "no row is all of it at once")
        yield Slice(" and ".join(c.said for c in conditions), rows, named=True, why=why)


def _condition(column: Column, value: Value, where: str) -> _Condition:
    name = column.name
    if value is None:
        missing = np.isnan(column.places)
        why = "" if missing.any() else f"{name} is never missing"
        return _Condition(f"{name} is missing", missing, why)
    if isinstance(value, str | int | float):
        return _one(column, value, where)
    if not column.is_ordered:
        raise _cannot(column, value, where, "has no order, so no range")
    low, high = (None if end is None else _place(column, end, where) for end in value)
    with np.errstate(invalid="ignore"):
        holds = ~np.isnan(column.places)
        holds &= column.places >= (-np.inf if low is None else low)
        holds &= column.places < (np.inf if high is None else high)
        # an open end holds what is infinite, too
        holds |= (high is None) & (column.places == np.inf)
    said = column.ranged(*(None if end is None else _written(end) for end in value))
    return _Condition(said, holds, "" if holds.any() else f"no row has {said}")


def _one(column: Column, value: str | float, where: str) -> _Condition:
    said = f"{column.name} = {_written(value)}"
    if column.kind in {"number", "boolean"}:
        holds = column.places == _number(column, value, where)
        return _Condition(said, holds, "" if holds.any() else f"no row has {said}")
    text = _written(value)
    if text in column.words:
        return _Condition(said, column.places == column.words.index(text), "")
    close = nearest(text, column.words)
    held = f"nearest: {close}" if close else f"it holds {listed(column.words, 6)}"
    nothing = np.zeros(len(column.places), dtype=np.bool_)
    return _Condition(said, nothing, f"no row has {said}; {held}")


def _place(column: Column, end: str | float, where: str) -> float:
    """Where an end of a range lies among the column's places."""
    if column.kind == "number":
        return _number(column, end, where)
    # Times are text in ISO order: an end lies before the first that is not before it.
    return float(np.searchsorted(np.array(column.words, dtype=str), _written(end)))


def _number(column: Column, value: str | float, where: str) -> float:
    if isinstance(value, str):
        raise _cannot(column, value, where, f"holds {_KINDS[column.kind]}")
    return float(value)


_KINDS = {"number": "numbers", "boolean": "true and false"}


def _cannot(column: Column, value: Value, where: str, why: str) -> FileError:
    fix = "write numbers without quotes" if column.kind == "number" else "list single values"
    return FileError(Mistake(f"{column.name} {why}: {_shown(value)} is none", where=where, fix=fix))


def _upside_down(values: Iterable[Value]) -> Iterator[tuple[Value, str]]:
    for value in values:
        if isinstance(value, Sequence) and not isinstance(value, str):
            low, high = value
            if low is None and high is None:
                yield value, "has no end"
            elif isinstance(low, str) != isinstance(high, str) and None not in value:
                yield value, "goes from a word to a number"
            elif low is not None and high is not None and low >= high:  # type: ignore[operator]
                yield value, "is empty" if low == high else "ends before it begins"


def _written(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:.10g}"


def _shown(value: Value) -> str:
    """As it would be written in the file.

    >>> _shown((0, None)), _shown("AA")
    ('[0, null]', "'AA'")
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join('null' if end is None else _written(end) for end in value)}]"
    return repr(value)
