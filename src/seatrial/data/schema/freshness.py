"""How old is the newest value of a dataset?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.data.schema.column_types import is_of
from seatrial.data.shape import Shape
from seatrial.outcome import Direction, Finding, Measure, judge

if TYPE_CHECKING:
    from seatrial.data import Rows
    from seatrial.data.schema.demands import Freshness

_AHEAD = timedelta(hours=1)
"""Clocks may differ by this much; what is newer has a wrong date."""

_DATE_AHEAD = timedelta(hours=14)
"""A date has begun somewhere on Earth up to this long before it begins in UTC."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fresh(
    table: Rows, demand: Freshness | None, now: datetime, place: str
) -> tuple[tuple[Finding, ...], tuple[Measure, ...]]:
    """What is wrong with the age of the newest value, and the age in hours as a measure.

    A column that does not exist is told elsewhere.
    """
    column = next((c for c in table.columns if demand and c.name == demand.column), None)
    if demand is None or column is None:
        return (), ()
    name = f"`{column.name}`"
    (counted,) = table.tally([Shape(column)])
    if counted.nulls == table.rows:
        return (
            Finding(what=f"{name} has no value, so nothing says how old it is", where=place),
        ), ()
    if not is_of(column, "timestamp") or counted.maximum is None:
        what = f"{name} holds {column.type}, so nothing says how old it is"
        hint = "name a column of dates or timestamps (2024-12-31, 2024-12-31 23:59:59)"
        return (Finding(what=what, where=place, hint=hint),), ()
    newest = _EPOCH + timedelta(seconds=counted.maximum)
    age, allowed = now - newest, demand.age
    hours, limit = age / timedelta(hours=1), allowed / timedelta(hours=1)
    measure = Measure(
        name=f"age_hours.{column.name}",
        value=hours,
        low=hours,
        high=hours,
        limit=limit,
        direction=Direction.AT_MOST,
        n=table.rows,
        verdict=judge(hours, hours, limit, Direction.AT_MOST),
    )
    findings = []
    said = f"{name}: its newest value is {newest:%Y-%m-%d %H:%M:%S} UTC"
    if age > allowed:
        what = f"{said}, {_in_words(age)} ago, where at most {demand.max_age} are allowed"
        hint = "see whether the newest rows have arrived; or change `max_age`"
        findings.append(Finding(what=what, where=place, hint=hint))
    if -age > (_DATE_AHEAD if column.type == "DATE" else _AHEAD):
        hint = "times without a zone are read as UTC: write them with their zone, or correct them"
        what = f"{said}, {_in_words(-age)} in the future"
        findings.append(Finding(what=what, where=place, hint=hint))
    return tuple(findings), (measure,)


def _in_words(age: timedelta) -> str:
    """A span in the unit that fits it.

    >>> _in_words(timedelta(hours=50)), _in_words(timedelta(minutes=90)), _in_words(timedelta(0))
    ('2.08 days', '1.5 hours', '0 minutes')
    """
    for unit, word in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours")):
        if age >= unit:
            return f"{age / unit:.3g} {word}" if age < 100 * unit else f"{age / unit:.0f} {word}"
    return f"{age / timedelta(minutes=1):.2g} minutes"
