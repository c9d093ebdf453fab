"""Runs: a line of the list, and one whole."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from seatrial.ledger.runs import State
from seatrial.outcome import Finding, Measure
from seatrial.web.api._answers import Judged


class ListedRun(Struct):
    """As ``seatrial runs --json`` lists it."""

    run: str
    pipeline: str
    started: str
    state: State
    verdict: Judged


class NamedVersion(Struct):
    """A version of a model."""

    name: str
    version: int
    digest: str


class Production(Struct):
    """The version in production before and after a run."""

    before: int | None
    after: int | None


class ToldTask(Struct):
    """A task of a run."""

    task: str
    state: Literal["done", "waiting", "not_reached"]
    verdict: Judged
    reason: str | None
    seconds: float | None
    waiting_until: str | None
    measures: list[Measure]
    findings: list[Finding]


class ToldStage(Struct):
    """A stage of a run."""

    name: str
    verdict: Judged
    tasks: list[ToldTask]


class ToldRun(Struct):
    """As ``seatrial runs RUN --json``."""

    run: str
    pipeline: str
    state: Literal["finished", "waiting", "review"]
    verdict: Judged
    model: NamedVersion | None
    production: Production
    errors: list[str]
    stages: list[ToldStage]
