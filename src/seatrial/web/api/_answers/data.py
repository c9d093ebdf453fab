"""How data went over time."""

from __future__ import annotations

from msgspec import Struct

from seatrial.outcome import Verdict


class HourColumn(Struct):
    """How far a column went in an hour."""

    name: str
    value: float | None
    limit: float | None
    verdict: Verdict


class Day(Struct):
    """What the last 24 hours together say, and the columns that moved."""

    verdict: Verdict
    rows: int
    moved: list[str]


class TrafficHour(Struct):
    """A full hour of traffic that was judged, and the columns that went farthest in it."""

    hour: str
    version: int
    verdict: Verdict
    rows: int
    measure: str
    unit: str
    columns: list[HourColumn]
    day: Day


class CheckedColumn(Struct):
    """How far a column of a dataset was from its reference, and how much of it was missing."""

    name: str
    value: float | None
    limit: float | None
    verdict: Verdict
    missing_percent: float | None


class DatasetCheck(Struct):
    """What a step of a run saw of a dataset."""

    dataset: str
    run: str
    step: str
    started: str
    rows: int
    verdict: Verdict
    fingerprint: str
    columns: list[CheckedColumn]


class Datasets(Struct):
    """Checks of the newest runs; of ``gone`` more, what they kept is gone or of another release."""

    checks: list[DatasetCheck]
    gone: int
