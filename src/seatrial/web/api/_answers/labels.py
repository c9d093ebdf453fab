"""Sheets of labels, and what they have settled."""

from __future__ import annotations

from msgspec import Struct

from seatrial.outcome import Measure, Verdict


class AskedRow(Struct):
    """A row that waits for its label."""

    id: str
    row: int
    features: dict[str, float | str | None]
    answers: list[int | str | None]


class Sheet(Struct):
    """As ``seatrial label ID --json``; nothing of it says which version gave which answer."""

    review: str
    kind: str
    model: str
    version: int
    against: int
    verdict: Verdict
    reason: str
    follows: list[str]
    measure: Measure
    labels: int
    alike: int
    skipped: int
    more_labels: int | None
    classes: list[int | str]
    rows: list[AskedRow]


class CountedLabel(Struct):
    """A label that counted, who gave it, and what ``version`` and the one ``against`` it said."""

    id: str
    row: int
    label: int | str | None
    by: str
    version: int | str | None
    against: int | str | None


class Settled(Struct):
    """What labels said of a version against the other, and every label."""

    model: str
    version: int
    against: int
    verdict: Verdict
    reason: str
    measure: Measure
    skipped: int
    rows: list[CountedLabel]
