"""What in a profile's file cannot be? Somebody may have edited it by hand, or cut it off."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.data.shape import BOOLEANS, ColumnProfile
from seatrial.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MOST = 2**53
"""More rows than this nobody has counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    format: str
    version: int
    dataset: str
    fingerprint: str
    rows: int
    columns: list[dict[str, Any]]
    slices: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    column: str
    value: str
    rows: int
    columns: list[dict[str, Any]]


def schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of the file."""
    text = Path(__file__).with_name("profile.schema.json").read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def faults(document: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a profile, as decoded from JSON, each in one line; nothing if it can be.

    Columns that cannot be converted are told alone: what else they say is not looked at.
    """
    broken = [*_shaped(document, _File)]
    if broken:
        yield from broken
        return
    file = msgspec.convert(document, _File)
    if not 0 < file.rows <= _MOST:
        yield f"it says that it is of {file.rows} rows"
    yield from _columns(file.columns, file.rows)
    names = Counter((str(part.get("column")), str(part.get("value"))) for part in file.slices)
    yield from (f"the slice {c} = {v} is there {n} times" for (c, v), n in names.items() if n > 1)
    for part in file.slices:
        name = f"the slice {part.get('column')} = {part.get('value')}"
        yield from (f"{name}: {fault}" for fault in _sliced(part, file))


def _sliced(given: Mapping[str, Any], file: _File) -> Iterator[str]:
    broken = [*_shaped(given, _Slice)]
    if broken:
        yield from broken
        return
    part = msgspec.convert(given, _Slice)
    if not 0 <= part.rows <= file.rows:
        yield f"it says that it is of {part.rows} of {file.rows} rows"
    if [*map(_counted_on, part.columns)] != [*map(_counted_on, file.columns)]:
        yield "its columns, edges or values are not those of the whole"
    yield from _columns(part.columns, part.rows)


def _counted_on(column: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(column.get(key) for key in ("name", "kind", "type", "edges", "values"))


def _columns(found: Iterable[Mapping[str, Any]], rows: int) -> Iterator[str]:
    names: Counter[str] = Counter()
    for position, given in enumerate(found, start=1):
        name = given.get("name")
        where = f"column {name!r}" if isinstance(name, str) else f"column {position} (no name)"
        names[where] += 1
        wrong = [*_shaped(given, ColumnProfile)]
        if not wrong:
            column = msgspec.convert(given, ColumnProfile)
            wrong = [*_counts(column, rows), *_bins(column), *_moments(column)]
        yield from (f"{where}: {fault}" for fault in wrong)
    yield from (f"{where} is there {n} times" for where, n in names.items() if n > 1)


def _shaped(given: Mapping[str, Any], wanted: type[Any]) -> Iterator[str]:
    """What keeps ``given`` from being a ``wanted``: keys too many or too few, other types."""
    known = [field.name for field in fields(wanted)]
    for key in given:
        if key not in known:
            close = nearest(key, known)
            yield f"unknown key {key!r}" + (f", nearest: {close}" if close else "")
    yield from (f"{key!r} is missing" for key in known if key not in given)
    try:
        msgspec.convert(given, wanted, strict=True)
    except msgspec.ValidationError as fault:
        if "missing required" not in str(fault):
            yield str(fault)


def _counts(column: ColumnProfile, rows: int) -> Iterator[str]:
    """All of them are counts of rows, and every row is counted once."""
    numbers = {
        **{f"counts[{i}]": count for i, count in enumerate(column.counts)},
        **{key: getattr(column, key) for key in ("nulls", "nans", "infinities", "other", "n")},
    }
    negative = [f"{key} is {count}" for key, count in numbers.items() if count < 0]
    if negative:
        yield ", ".join(negative[:3])
    total = column.present + column.missing
    if total != rows:
        yield f"it counts {total} rows, not {rows}"
    if column.n + column.infinities > sum(column.counts):
        yield "more numbers are finite or infinite than there are"


def _bins(column: ColumnProfile) -> Iterator[str]:
    """As many counts as its kind of column has, on edges or values that can be."""
    ordered = column.kind in {"number", "time"}
    listed = column.kind in {"string", "boolean"}
    if column.edges and not ordered:
        yield f"a {column.kind} column has no edges"
    if column.values and not listed:
        yield f"a {column.kind} column has no values"
    wanted = len(column.edges) + 1 if ordered else len(column.values)
    if len(column.counts) != wanted:
        of = "edges" if ordered else "values"
        yield f"{len(column.counts)} counts do not fit {wanted - ordered} {of}"
    if not all(a < b for a, b in itertools.pairwise(column.edges)):
        yield "its edges do not ascend"
    twice = [value for value, n in Counter(column.values).items() if n > 1]
    if twice:
        yield f"the value {twice[0]!r} is there twice"
    if column.kind == "boolean" and not {*column.values} <= {*BOOLEANS}:
        yield f"a boolean is one of {', '.join(BOOLEANS)}"
    if ordered and column.other:
        yield f"a {column.kind} column has no others: each is in a bin"
    if not ordered and (column.nans or column.infinities):
        yield f"a {column.kind} column has neither NaN nor infinities"


def _moments(column: ColumnProfile) -> Iterator[str]:
    """The mean lies between the ends, and there is one where there are numbers."""
    ends, middle = (column.minimum, column.maximum), (column.mean, column.deviation)
    given = [value for value in (*ends, *middle) if value is not None]
    if not all(map(math.isfinite, given)):
        yield "its moments are not finite"
    if any((value is None) == bool(column.n) for value in middle):
        yield f"mean and deviation do not fit {column.n} finite numbers"
    low, high = ends
    if low is None or high is None:
        if given:
            yield "minimum or maximum is missing"
        return
    if column.kind not in {"number", "time"}:
        yield f"a {column.kind} column has no minimum and no maximum"
    if not low <= (low if column.mean is None else column.mean) <= high:
        yield f"its mean {column.mean} is not from {low} to {high}"
    if column.deviation is not None and column.deviation < 0:
        yield f"its deviation is {column.deviation}"
