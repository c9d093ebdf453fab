"""What the API answers, each document as one form; every key is always there.

They describe documents that are made elsewhere, for the command line too, and nothing is made from
them but ``openapi.json``; a test holds each against real answers.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from seatrial.ledger.runs import State
from seatrial.outcome import Finding, Measure, Verdict
from seatrial.review.items import Status

Judged = Verdict | None
Told = dict[str, Any]
"""Of evidence, whose keys depend on what is asked."""


class Wrong(Struct):
    """A mistake: what, where, the nearest known word, how to put it right."""

    what: str
    where: str
    nearest: str
    fix: str


class Error(Struct):
    """Why something was refused: one sentence, and each mistake."""

    error: str
    mistakes: list[Wrong]


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


class Answering(Struct):
    """A live gateway: what it said of the version, and whether golden rows proved it there."""

    id: str
    address: str
    host: str
    workers: int
    state: str | None
    proven: bool
    reason: str | None
    at: str | None


class MachineField(Struct):
    """In what machines differ from the first: their values, in the order of ``names``."""

    field: str
    values: list[str | None]
    differs: list[bool]
    level: Literal["error", "warn", "info", "same"]


class Machines(Struct):
    """As ``seatrial env compare --all --json``: the machines by ``names``."""

    names: list[str]
    rows: list[MachineField]
    equal: int


class ModelEnvironment(Struct):
    """Who answers with what is in production; ``trouble`` says why machines are not compared."""

    model: str
    version: int | None
    gateways: list[Answering]
    machines: Machines | None
    trouble: str


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
