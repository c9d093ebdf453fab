"""Models, versions and moves."""

from __future__ import annotations

from msgspec import Struct

from seatrial.web.api._answers import Judged, Told


class Use(Struct):
    """Rows on which a version was judged."""

    dataset: str
    fingerprint: str


class ListedVersion(Struct):
    """As ``seatrial models --json`` lists it."""

    name: str
    version: int
    digest: str
    created: str
    channels: list[str]
    judged_on: list[Use]


class Pointed(Struct):
    """Where a channel points; ``revision`` counts its moves, and is what a change may expect."""

    version: int
    revision: int
    since: str
    reason: str


class Since(Struct):
    """Since when something is so, and why."""

    since: str
    reason: str


class ToldModel(Struct):
    """A model: what serves, what it can go back to, its versions."""

    name: str
    production: Pointed | None
    staging: Pointed | None
    previous: int | None
    can_go_back_to: list[int]
    frozen: Since | None
    versions: list[ListedVersion]


class ToldVersion(Struct):
    """A version whole; ``manifest`` is null when it is gone or damaged, which ``trouble`` says."""

    name: str
    version: int
    digest: str
    created: str
    channels: list[str]
    judged_on: list[Use]
    label: str
    run: str | None
    verdict: Judged
    served: bool
    collected: str | None
    quarantined: Since | None
    manifest: Told | None
    trouble: str


class Move(Struct):
    """A move of production, as ``seatrial history --json`` lists it."""

    at: str
    event: str
    model: str
    version: int
    by: str
    reason: str
    evidence: str | None


class Moved(Struct):
    """As ``seatrial rollback --json``: the version that is in production now."""

    model: str
    version: int
    said: str
