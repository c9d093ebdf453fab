"""When a schedule fires, in UTC: daylight saving makes no run happen twice, and none be lost.

As Debian's cron does it (cron(8)). Jobs for a time of the day keep to the wall clock: a time that
the clocks jump over fires once, right after the jump; one that comes twice fires the first time.
Jobs whose minute or hour begins with ``*`` follow real time, so every fifteen minutes stay
fifteen minutes. Own code because ``cronsim`` loses runs where clocks move by half an hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.pipeline.schedule import Fields

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def next_times(schedule: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """The next ``count`` times after ``after``, in UTC. ``schedule`` must have passed ``check``.

    >>> clocks_go_forward = datetime(2026, 3, 28, 12, tzinfo=UTC)
    >>> [f"{t:%d %H:%M}" for t in next_times("30 2 * * *", "Europe/Berlin", clocks_go_forward, 2)]
    ['29 01:00', '30 00:30']
    """
    return list(islice(_times(schedule, timezone, after), count))


def missed(schedule: str, timezone: str, since: datetime, until: datetime) -> list[datetime]:
    """Every time after ``since`` and not after ``until``, in UTC.

    >>> since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, 2, tzinfo=UTC)
    >>> [f"{t:%d %H:%M}" for t in missed("0 2 * * *", "UTC", since, until)]
    ['01 02:00', '02 02:00', '03 02:00']
    """
    return list(takewhile(lambda at: at <= until, _times(schedule, timezone, since)))


def _times(schedule: str, timezone: str, after: datetime) -> Iterator[datetime]:
    said, zone = fields(schedule), ZoneInfo(timezone)
    moments = _real if said.real_time else _first
    # a day earlier: where clocks go back at midnight, yesterday's times may still come again
    day, last = after.astimezone(zone).date() - _DAY, after
    while True:
        if _on(said, day):
            walls = (
                datetime.combine(day, time(hour, minute), zone)
                for hour in sorted(said.hours)
                for minute in sorted(said.minutes)
            )
            for at in sorted(at for wall in walls for at in moments(wall)):
                if at > last:
                    last = at
                    yield at
        day += _DAY


def _on(said: Fields, day: date) -> bool:
    if day.month not in said.months:
        return False
    of_month, of_week = day.day in said.days, day.isoweekday() % 7 in said.weekdays
    return of_month and of_week if said.both_days else of_month or of_week


def _first(wall: datetime) -> tuple[datetime, ...]:
    """When the clocks on the wall first show a time, or have just jumped over it."""
    while not (shown := _shown(wall)):
        wall += _MINUTE
    return shown


def _real(wall: datetime) -> tuple[datetime, ...]:
    """Each moment, none to two, at which the clocks show a time."""
    return tuple(dict.fromkeys((*_shown(wall), *_shown(wall.replace(fold=1)))))


def _shown(wall: datetime) -> tuple[datetime, ...]:
    at = wall.astimezone(UTC)
    # within one zone datetimes are compared by what the clocks show (PEP 495)
    return (at,) if at.astimezone(wall.tzinfo) == wall else ()
