"""What a schedule says: five fields of cron, each in its range; whether it ever fires."""

from __future__ import annotations

import re
from typing import NamedTuple

from seatrial.errors import Mistake, nearest

_FIX = 'five fields: minute hour day month weekday, such as "0 2 * * *" (daily at 02:00)'
_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class _Field(NamedTuple):
    name: str
    lowest: int
    highest: int
    words: dict[str, int]


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    _Field("weekday", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Fields(NamedTuple):
    """The values at which a schedule fires; weekdays count from Sunday, 0 to 6.

    Both days must match (``both_days``) when one of the two fields begins with ``*``, else either
    will do. ``real_time``: the minute or the hour begins with ``*``. As in Debian's crontab(5).
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    real_time: bool


_PART = re.compile(r"(?:(?P<all>\*)|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]{1,3}))?")


def check(schedule: str, where: str) -> Mistake | None:
    """What is wrong with a cron schedule, or None.

    >>> check("0 2 * * *", "p.yaml:2:1") is None
    True
    >>> print(check("0 24 * * *", "p.yaml:2:1"))
    the schedule '0 24 * * *' cannot be read: 24 is no hour (0 to 23)
      where: p.yaml:2:1
      fix: five fields: minute hour day month weekday, such as "0 2 * * *" (daily at 02:00)
    """
    texts = schedule.split()
    if schedule.strip() in _ALIASES:
        why = "short names are not understood"
        return _mistake(schedule, why, where, f'"{_ALIASES[schedule.strip()]}"')
    if len(texts) != len(_FIELDS):
        return _mistake(schedule, f"it has {len(texts)} fields, not 5", where)
    values: list[set[int]] = []
    for text, kind in zip(texts, _FIELDS, strict=True):
        found = _values(text, kind)
        if isinstance(found, str):
            close = nearest(text, kind.words) if text.isalpha() else ""
            return _mistake(schedule, found, where, close)
        values.append(found)
    days, months = values[2], values[3]
    # Cron fires on the day of the month OR on the weekday when neither begins with a star.
    if texts[4].startswith("*") and not any(
        _LONGEST_MONTH[month - 1] >= min(days) for month in months
    ):
        return _mistake(schedule, f"day {min(days)} never comes in that month", where)
    return None


def fields(schedule: str) -> Fields:
    """The fields of a schedule that ``check`` found nothing wrong with.

    >>> fields("*/30 2 * * fri-7").weekdays == {5, 6, 0}
    True
    """
    texts = schedule.split()
    found = [_values(text, kind) for text, kind in zip(texts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (
        frozenset(values) for values in found if not isinstance(values, str)
    )
    return Fields(
        minutes,
        hours,
        days,
        months,
        frozenset(weekday % 7 for weekday in weekdays),
        both_days=texts[2].startswith("*") or texts[4].startswith("*"),
        real_time=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def _values(text: str, kind: _Field) -> set[int] | str:
    """The numbers that a field stands for, or why it stands for none."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return f"{part[:30]!r} is no {kind.name} (use N, N-N, */N and commas)"
        step = int(match["step"] or 1)
        first = kind.lowest if match["all"] else _number(match["first"], kind)
        if match["last"]:
            last = _number(match["last"], kind)
        else:  # "*" is every one; "5/15" is from 5 to the end in steps of 15; "5" is itself
            last = kind.highest if match["all"] or match["step"] else first
        if first is None or last is None:
            bad = match["first"] if first is None else match["last"]
            return f"{bad[:30]} is no {kind.name} ({kind.lowest} to {kind.highest})"
        if first > last:
            return f"the range {part} runs backwards"
        if not 1 <= step <= kind.highest:
            return f"the step of {part!r} must be between 1 and {kind.highest}"
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, kind: _Field) -> int | None:
    if text.lower() in kind.words:
        return kind.words[text.lower()]
    number = int(text) if re.fullmatch(r"[0-9]{1,2}", text) else -1
    return number if kind.lowest <= number <= kind.highest else None


def _mistake(schedule: str, why: str, where: str, close: str = "") -> Mistake:
    return Mistake(
        f"the schedule {schedule[:60]!r} cannot be read: {why}", where, nearest=close, fix=_FIX
    )
