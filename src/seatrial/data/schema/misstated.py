"""Is what somebody demands of a dataset something that a dataset could meet?"""

from __future__ import annotations

import math
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from seatrial.data.schema.demands import NUMBERS, TIMES, ColumnDemand, are_all, seconds
from seatrial.errors import Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.data.schema.demands import Demands, Type, Value

    Where = Callable[..., object]
    """The place of a key in the file, by the keys that lead to it."""

_TEXT = {"date": "2024-12-31", "timestamp": "2024-12-31T23:59:59Z", "time": "23:59:59"}


def wrong(demands: Demands, where: Where) -> Iterator[Mistake]:
    """What no dataset could meet, or what nobody can have meant, each with its place.

    >>> from seatrial.data.schema.demands import Demands
    >>> odd = Demands(columns={"temp": ColumnDemand(min=50, max=-5)})
    >>> [mistake.what for mistake in wrong(odd, lambda *keys: "p.yaml:3:1")]
    ['`temp`: min 50 is above max -5']
    """
    for name, column in demands.columns.items():
        yield from _wrong_column(name, column, partial(where, "columns", name))
    yield from _twice(demands, where)
    yield from _wrong_keys(demands, where)
    rows = demands.rows
    if rows is not None and rows.min is not None and rows.max is not None and rows.min > rows.max:
        what = f"`rows`: min {rows.min} is above max {rows.max}"
        yield Mistake(what, str(where("rows", "min")), fix="exchange them, or leave one out")
    if demands.freshness is not None:
        yield from _wrong_freshness(demands, where)


def _wrong_column(name: str, column: ColumnDemand, where: Where) -> Iterator[Mistake]:
    kind = column.meant_type
    if column.max_null_percent is not None and not column.nullable:
        what = f"`{name}` has both `nullable: false` and `max_null_percent`"
        yield Mistake(what, str(where("max_null_percent")), fix="keep one of the two")
    bounds = {"min": column.min, "max": column.max}
    mistakes = [
        mistake
        for key, bound in bounds.items()
        if bound is not None and (mistake := _wrong_bound(name, key, bound, kind, where))
    ]
    yield from mistakes
    if not mistakes:
        yield from _exchanged(name, column.min, column.max, kind, where)
    if column.allowed is not None:
        yield from _wrong_values(name, column.allowed, kind, where)


def _exchanged(
    name: str, low: Value | None, high: Value | None, kind: Type | None, where: Where
) -> Iterator[Mistake]:
    if low is None or high is None or seconds(low, kind) <= seconds(high, kind):
        return
    what = f"`{name}`: min {_plain(low)} is above max {_plain(high)}"
    yield Mistake(what, str(where("min")), fix="exchange them, or leave one out")


def _wrong_bound(
    name: str, key: str, bound: float | str, kind: Type | None, where: Where
) -> Mistake | None:
    place = str(where(key))
    if kind not in (*NUMBERS, *TIMES):
        what = f"`{name}`: {key} is for numbers and times, and its type is {kind}"
        return Mistake(what, place, fix="list its values under `allowed`, or correct the type")
    if not _fits(bound, kind):
        what = f"`{name}`: {key} cannot be {bound!r} for the type {kind}"
        return Mistake(what, place, fix=f"write such as `{key}: {_TEXT.get(str(kind), '10')}`")
    return None


def _fits(value: object, kind: Type | None) -> bool:
    """Whether a value, as YAML gives it, can be one of a column of that type."""
    if kind in NUMBERS:
        return type(value) in {int, float} and math.isfinite(float(str(value)))
    if kind == "boolean":
        return isinstance(value, bool)
    if not isinstance(value, str):
        return False
    try:
        seconds(value, kind)
    except (ValueError, OverflowError):
        return kind not in TIMES
    return True


def _wrong_values(
    name: str, allowed: tuple[Value, ...], kind: Type | None, where: Where
) -> Iterator[Mistake]:
    if not allowed:
        what = f"`{name}`: no value is allowed, so every row would fail"
        yield Mistake(what, str(where("allowed")), fix="list the values, or leave `allowed` out")
        return
    odd = [i for i, value in enumerate(allowed) if kind and not _fits(value, kind)]
    if kind is None and not are_all(allowed, str):
        odd = [i for i, value in enumerate(allowed) if not isinstance(value, str)]
    if odd:
        value = _plain(allowed[odd[0]])
        what = f"`{name}`: {value} is allowed, which is no {kind or 'text as others are'}"
        such = _TEXT.get(str(kind), '3 or true without quotes, "3" in quotes where it is a text')
        yield Mistake(what, str(where("allowed", odd[0])), fix=f"write such as {such}")


def _wrong_keys(demands: Demands, where: Where) -> Iterator[Mistake]:
    stated = {*demands.expected_columns, *demands.columns}
    for i, key in enumerate(demands.keys):
        if not key or len(set(key)) < len(key):
            what = "a key needs columns, each of them once"
            yield Mistake(what, str(where("keys", i)), fix="write such as `keys: [[carrier, day]]`")
        for j, name in enumerate(key):
            if stated and name not in stated:
                yield _unstated(name, stated, str(where("keys", i, j)))


def _wrong_freshness(demands: Demands, where: Where) -> Iterator[Mistake]:
    fresh, stated = demands.freshness, {*demands.expected_columns, *demands.columns}
    if fresh is None:
        return
    if stated and fresh.column not in stated:
        yield _unstated(fresh.column, stated, str(where("freshness", "column")))
    told = demands.columns.get(fresh.column, ColumnDemand()).type
    if told not in {None, "date", "timestamp"}:
        what = f"freshness needs dates or timestamps, and the type of `{fresh.column}` is {told}"
        yield Mistake(what, str(where("freshness", "column")), fix="name another column")
    try:
        too_short = fresh.age <= timedelta()
    except (ValueError, OverflowError):
        too_short = True
    if too_short:
        what = f"cannot read the age {fresh.max_age!r}"
        fix = "write a number and m, h or d: `30m`, `12h`, `7d`"
        yield Mistake(what, str(where("freshness", "max_age")), nearest="2d", fix=fix)


def _unstated(name: str, stated: set[str], place: str) -> Mistake:
    """A column that is only named in passing is most likely misspelt."""
    what = f"`{name}` is neither under `columns` nor in `expected_columns`"
    near = nearest(name, sorted(stated))
    return Mistake(what, place, nearest=near, fix=f"correct it, or add `{name}` there")


def _twice(demands: Demands, where: Where) -> Iterator[Mistake]:
    names = demands.expected_columns
    for name in sorted({name for name in names if names.count(name) > 1}):
        what = f"column {name!r} is expected twice"
        yield Mistake(what, str(where("expected_columns")), fix="remove one")


def _plain(value: Value) -> str:
    """As it would be written in the file.

    >>> _plain(50.0), _plain("a"), _plain(True)
    ('50', "'a'", 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else f"{value:.15g}"
