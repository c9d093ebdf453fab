"""How the project stands, and what its gateways do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from seatrial.outcome import Measure, Verdict
from seatrial.web.api._answers import Judged


class Serving(Struct):
    """Which versions of a model are in production and staged; why and since when it serves."""

    name: str
    production: int | None
    staging: int | None
    since: str | None
    why: str | None


class Watched(Struct):
    """A version that is watched beside the one that it replaced."""

    model: str
    version: int
    against: int
    since: str
    until: str
    labels: int


class Column(Struct):
    """How far a column has moved."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    n: int
    verdict: Verdict
    changes: list[str]


class Drift(Struct):
    """How the traffic of a version stands to its training data."""

    model: str
    version: int
    verdict: Judged
    since: str | None
    until: str | None
    hours: int | None
    rows: int | None
    measure: str | None
    unit: str | None
    moved: list[str]
    alone: list[str]
    columns: list[Column]
    unlogged: list[str]
    note: str


class Remark(Struct):
    """What a gateway says of a version."""

    gateway: str
    address: str
    model: str
    version: int
    reason: str


class Held(Struct):
    """A model that is frozen, or a version in quarantine."""

    what: str
    model: str
    version: int | None
    since: str
    reason: str


class Waiting(Struct):
    """A step of a run that waits."""

    run: str
    step: str
    until: str | None
    reason: str


class Asked(Struct):
    """An open question."""

    id: str
    kind: str
    subject: str
    question: str
    recommended: str
    due: str
    on_timeout: str
    model: str | None
    run: str | None
    step: str | None
    reason: str | None


class Trouble(Struct):
    """A channel that takes no messages."""

    channel: str
    since: str
    attempts: int
    error: str
    waiting: int
    given_up: int


class ProjectStatus(Struct):
    """As ``seatrial status --json``."""

    models: list[Serving]
    watches: list[Watched]
    drift: list[Drift]
    remarks: list[Remark]
    held: list[Held]
    waiting: list[Waiting]
    reviews: list[Asked]
    trouble: list[Trouble]


class Gauge(Struct):
    """A number that is followed; ``towards`` is the part of what a rollback needs, 0 to 1."""

    measure: Measure
    towards: float | None


class Followed(Struct):
    """What is compared on live traffic now: a watch or a shadow test."""

    kind: Literal["watch", "shadow"]
    model: str
    version: int
    against: int
    until: str
    said: str
    seen: list[Gauge]


class Stand(Struct):
    """What a gateway said of a version, and when."""

    model: str
    version: int
    state: str
    reason: str | None
    at: str


class LiveGateway(Struct):
    """A gateway that is running; ``trouble`` says why it gives no numbers, if it does not."""

    id: str
    address: str
    workers: int
    started: str
    trouble: str
    versions: list[Stand]


class Pace(Struct):
    """What a version did in the last half minute; no pace before a second look."""

    model: str
    version: int
    requests: int
    per_s: float | None
    errors_percent: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Traffic(Struct):
    """Live gateways, and what they answer now; ``more`` gateways are running than are asked."""

    gateways: list[LiveGateway]
    more: int
    versions: list[Pace]
