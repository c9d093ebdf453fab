"""When pipelines run."""

from __future__ import annotations

from msgspec import Struct


class Time(Struct):
    """A time to come."""

    local: str
    utc: str


class Firing(Struct):
    """What became of a time."""

    time: str
    state: str
    run: str | None
    reason: str | None


class Schedule(Struct):
    """As ``seatrial schedules --json`` lists it."""

    pipeline: str
    file: str
    schedule: str
    timezone: str
    overlap: str
    catch_up: str
    next: list[Time]
    last: list[Firing]
