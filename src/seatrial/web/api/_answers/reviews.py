"""What people are asked."""

from __future__ import annotations

from msgspec import Struct

from seatrial.review.items import Status
from seatrial.web.api._answers import Told


class ToldReview(Struct):
    """As ``seatrial reviews --json`` lists it."""

    id: str
    kind: str
    subject: str
    question: str
    recommended: str
    options: list[str]
    resolves: str
    on_timeout: str
    model: str | None
    version: int | None
    run: str | None
    step: str | None
    author: str | None
    four_eyes: bool
    evidence: Told
    evidence_digest: str
    created: str
    due: str
    status: Status
    decided: str | None
    by: str | None
    reason: str | None
    seconds: float | None
    hasty: bool


class Event(Struct):
    """What happened to a question."""

    at: str
    event: str
    by: str | None
    reason: str | None


class WholeReview(ToldReview):
    """As ``seatrial reviews ID --json``."""

    history: list[Event]
