"""Schedules: when which pipeline of the folder runs next, and what became of its last times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from seatrial.report.headline import minute
from seatrial.report.section import Badge, Code, Facts, Link, Section, Table
from seatrial.web.drawing import page
from seatrial.web.opened import project
from seatrial.web.pages.runs import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.report.section import Cell, Part

COUNT = 5
"""Times to come, and times that have been."""


def schedules(request: Request) -> Response:
    """A section for each pipeline with a schedule; the other files as a list."""
    from seatrial.serve.timetable import timetable

    opened = project(request)
    found = timetable(opened, COUNT)
    sections = [
        Section(anchor=told["pipeline"], title=told["pipeline"], parts=tuple(_parts(told)))
        for told in found.scheduled
    ]
    rows = tuple((name, Code(_name(file))) for name, file in sorted(found.unscheduled.items()))
    others = Table(heads=("pipeline", "file"), rows=rows, caption="Run by hand, or by others")
    return page(
        request,
        "schedules.html",
        title="Schedules",
        here="schedules",
        sections=sections,
        others=others,
        broken=tuple(found.broken.values()),
        now=minute(opened.workspace.clock().isoformat()),
    )


def _parts(told: Mapping[str, Any]) -> Iterator[Part]:
    yield Facts(
        (
            ("file", Code(_name(told["file"]))),
            ("schedule", Code(told["schedule"])),
            ("time zone", told["timezone"]),
            ("when the last run still goes on", told["overlap"]),
            ("times that were missed", told["catch_up"]),
        )
    )
    zones = {"local": told["timezone"], "utc": "UTC"}
    if told["timezone"] == "UTC":
        del zones["local"]
    yield Table(
        heads=tuple(f"time ({zone})" for zone in zones.values()),
        rows=tuple(tuple(minute(at[key]) for key in zones) for at in told["next"]),
        caption="Times to come",
    )
    yield Table(
        heads=("time (UTC)", "became", "run", "why"),
        rows=tuple(_fired(each) for each in told["last"]),
        caption="Times that have been",
    )


def _fired(told: Mapping[str, Any]) -> tuple[Cell, ...]:
    run = told["run"]
    return (
        minute(told["time"]),
        Badge(told["state"]),
        Link(run, path_of(run)) if run else "",
        told["reason"] or "",
    )


def _name(file: str) -> str:
    """The folder is the project's."""
    return Path(file).name


ROUTES = (Route("/schedules", schedules, methods=["GET"], name="schedules"),)
