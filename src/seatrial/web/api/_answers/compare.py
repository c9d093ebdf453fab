"""Two versions side by side."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from seatrial.outcome import Finding, Measure, Verdict


class ComparedVersion(Struct):
    """A version that is compared."""

    model: str
    version: int
    digest: str


class Beside(Struct):
    """A metric of both on the same rows, and how much worse the first is."""

    name: str
    rows: int
    first: Measure
    second: Measure
    degradation: Measure | None


class Example(Struct):
    """A row, counted from 1, to which the two give different answers."""

    row: int
    truth: int | float | str | None
    first: int | float | str | None
    second: int | float | str | None


class Disagreement(Struct):
    """How often the answers differ, and who is right then."""

    share: Measure
    only_first: int
    only_second: int
    examples: list[Example]


class Comparison(Struct):
    """As ``seatrial compare --no-speed --json``; ``verdict`` is skip without a margin."""

    first: ComparedVersion
    second: ComparedVersion
    dataset: str
    place: str
    rows: int
    verdict: Verdict
    metrics: list[Beside]
    slices: list[Beside]
    disagreement: Disagreement
    noise_floor: Measure | None
    speed: list[Measure]
    findings: list[Finding]


class Scored(Struct):
    """How a comparison stands: what came of it when it is done, and ``why`` it failed.

    ``busy`` says that another one is under way, ``none`` that this one was never begun here.
    """

    state: Literal["none", "under way", "busy", "done", "failed"]
    why: str
    at: str | None
    seconds: float | None
    comparison: Comparison | None
