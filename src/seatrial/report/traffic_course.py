"""How the live traffic of a model went, hour by hour, against what its versions were trained on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatrial.registry import drifts
from seatrial.registry.registry import PRODUCTION
from seatrial.report._number import as_given, number
from seatrial.report.charts.course import Line, course
from seatrial.report.charts.spark import spark
from seatrial.report.drifted import drift_of, line
from seatrial.report.section import Badge, Note, Section, Spark, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.registry.drifts import Hour
    from seatrial.registry.project import Project
    from seatrial.report.section import Cell, Part

DAYS = 7
"""So far one looks back."""

LINES = 5
"""So many columns have a line in the picture, those that went farthest."""

COLUMNS = 50
"""So many columns have a row, those that went farthest first."""


def traffic(project: Project, model: str) -> Section:
    """What the last seven days of its traffic said."""
    judged = hours(project, model)
    serving = project.registry.channel(model, PRODUCTION)
    parts: list[Part] = []
    if serving is not None and (said := line(drift_of(project, model, serving.version))):
        parts.append(Note(f"{said[:1].upper()}{said[1:]}."))
    if judged:
        parts += [*_drawn(judged)]
    else:
        parts.append(Note(f"No full hour of live traffic was judged in the last {DAYS} days."))
    return Section(anchor="traffic", title="Live traffic", parts=tuple(parts))


def hours(project: Project, model: str) -> list[Hour]:
    """What was judged of the last seven days, oldest first."""
    since = project.workspace.clock() - timedelta(days=DAYS)
    return drifts.lately(project.ledger, model, since)


def _drawn(hours: Sequence[Hour]) -> Iterator[Part]:
    """A line for each of the columns that went farthest, over hours without a break."""
    times = _times(hours)
    found = _reaches(hours, times)
    ranked = sorted(found, key=lambda name: -max(filter(None, found[name]), default=0.0))
    lines = [Line(name=name, values=found[name]) for name in ranked[:LINES]]
    yield course(
        "How far columns moved in each hour",
        "in parts of the limit",
        times,
        lines,
        [("the limit", 1.0)],
    )
    unit = str(hours[-1].body["unit"] or hours[-1].body["measure"])
    newest = _newest(hours)
    yield Table(
        heads=("column", f"newest hour, {unit}", "limit", "stands", "over the hours"),
        rows=tuple(_row(name, newest[name], found[name]) for name in ranked[:COLUMNS]),
        numbers=frozenset({1, 2}),
        caption="Columns that went farthest; of each hour, five are kept by name",
        left_out=max(0, len(ranked) - COLUMNS),
    )
    yield Table(
        heads=("day until (UTC)", "version", "rows", "the day says", "moved"),
        rows=tuple(_day(each) for each in hours[:-25:-1]),
        numbers=frozenset({1, 2}),
        caption="The newest 24 looks, each at a whole day",
    )


def _times(hours: Sequence[Hour]) -> list[str]:
    """Every hour from the first to the last: what was not judged is a gap."""
    first, last = hours[0].begin, hours[-1].begin
    many = int((last - first).total_seconds() // 3600) + 1
    return [(first + timedelta(hours=i)).isoformat() for i in range(many)]


def _reaches(hours: Sequence[Hour], times: Sequence[str]) -> dict[str, list[float | None]]:
    """How far each column went in each hour, in parts of its limit; the version last in it counts.

    An hour keeps the names of the columns that went farthest in it: the others went less far.
    """
    place = {datetime.fromisoformat(time): i for i, time in enumerate(times)}
    found: dict[str, list[float | None]] = {}
    for hour in hours:
        for told in hour.body["columns"]:
            values = found.setdefault(str(told["name"]), [None] * len(times))
            values[place[hour.begin]] = _reach(told)
    return found


def _reach(told: Mapping[str, Any]) -> float | None:
    value, limit = told["value"], told["limit"]
    return value / limit if value is not None and limit else None


def _newest(hours: Sequence[Hour]) -> dict[str, Mapping[str, Any]]:
    return {str(told["name"]): told for hour in hours for told in hour.body["columns"]}


def _row(name: str, told: Mapping[str, Any], reaches: Sequence[float | None]) -> tuple[Cell, ...]:
    highest = max(filter(None, reaches), default=0.0)
    limit = told["limit"]
    return (
        name,
        number(told["value"], limit),
        "-" if limit is None else as_given(limit, told["value"]),
        Badge(str(told["verdict"])),
        _spark(reaches, f"{name}: at most {number(highest)} times its limit"),
    )


def _spark(values: Sequence[float | None], said: str) -> Spark:
    return Spark(said, spark(values, said))


def _day(hour: Hour) -> tuple[Cell, ...]:
    return (
        f"{hour.end:%Y-%m-%d %H:%M}",
        str(hour.version),
        str(hour.day["rows"]),
        Badge(str(hour.day["verdict"])),
        ", ".join(hour.moved) or "-",
    )
