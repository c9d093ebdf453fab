"""What is asked of people: opened, closed by new evidence, decided; each question once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence  # noqa: TC003 - msgspec reads annotations at run time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError, nearest
from seatrial.ledger.store import canonical
from seatrial.ledger.tables import REVIEW
from seatrial.review import effects
from seatrial.review.telling import tell
from seatrial.workspace import new_id

if TYPE_CHECKING:
    from seatrial.ledger.store import Ledger, Transaction

KINDS = (
    "gate_inconclusive", "watch_inconclusive", "guardrail", "retrain", "storm_freeze",
    "rollback_blocked", "disagreement", "quarantine_lift", "drift",
)  # fmt: skip
"""What people are asked about: a step of a run, or a version that is or was in production."""


class Status(StrEnum):
    """Of an item.

    ``resolved`` was settled by new evidence without anybody, ``labelled`` by labels of people.
    """

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RESOLVED = "resolved"
    LABELLED = "labelled"


DECIDED = frozenset({Status.APPROVED, Status.REJECTED, Status.EXPIRED, Status.LABELLED})
"""What holds for the evidence that it was decided on."""


class Choice(StrEnum):
    """What a person may answer."""

    APPROVE = "approve"
    REJECT = "reject"


_NAMED = 3
"""So many are named where the beginning of an id fits several."""

ALL_TOLD = 3
"""The count of an item of which nothing is left to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. At most one is open for a ``kind`` and ``subject``.

    ``subject`` is ``pipeline/STAGE.TASK`` or ``model version N``. ``by`` is who began the run;
    with ``four_eyes`` they cannot approve. ``options`` are the choices that people have.
    ``evidence`` is a small document, equal for equal evidence: no times, no ids of runs.
    ``resolves`` is what would settle it without a person; ``on_timeout`` is done when nobody
    answers within ``hours``, and is never an approval.
    """

    kind: str
    subject: str
    model: str | None
    version: int | None
    run: str | None
    step: str | None
    by: str | None
    question: str
    recommended: str
    options: tuple[str, ...]
    evidence: Mapping[str, object]
    resolves: str
    hours: float
    on_timeout: str
    four_eyes: bool = False

    def __post_init__(self) -> None:
        """Refuse a kind that nobody knows, and approval by silence."""
        if self.kind not in KINDS:
            raise ValueError(f"no kind of question: {self.kind!r}")
        if self.on_timeout == Choice.APPROVE:
            raise ValueError("nothing is approved because nobody answered")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A question as it stands in the queue. Times are ISO, UTC; ``evidence`` is a digest.

    ``told`` counts what was told of it since it was opened: 1 the reminder, 2 the escalation,
    3 that it left the queue. ``decided``, ``by`` and ``reason`` are when, by whom and why it did.
    """

    id: str
    kind: str
    subject: str
    evidence: str
    asked: Question
    created: str
    due: str
    told: int
    status: Status
    decided: str | None
    by: str | None
    reason: str | None

    @property
    def seconds(self) -> float | None:
        """How long it was in the queue; never negative, whatever the clock did."""
        if self.decided is None:
            return None
        took = datetime.fromisoformat(self.decided) - datetime.fromisoformat(self.created)
        return max(0.0, took.total_seconds())

    @property
    def settled(self) -> str:
        """What became of it: ``approved by ada on 2026-11-25 18:10 UTC: because …``."""
        who = f" by {self.by}" if self.by else ""
        return f"{self.status}{who} on {minute(self.decided or '')} UTC: {self.reason}"

    @property
    def deadline(self) -> str:
        """What is recommended, until when, and what happens when nobody answers."""
        return (
            f"Recommended: {self.asked.recommended}."
            f" Without an answer by {minute(self.due)} UTC: {self.asked.on_timeout}."
        )

    def overdue(self, at: datetime) -> bool:
        """Whether its time is over."""
        return self.status is Status.OPEN and at >= datetime.fromisoformat(self.due)


def minute(at: str) -> str:
    """An ISO time, to the minute.

    >>> minute("2026-11-23T11:19:45.920795+00:00")
    '2026-11-23 11:19'
    """
    return at[:16].replace("T", " ")


def digest(evidence: Mapping[str, object]) -> str:
    """What tells evidence apart: SHA-256 of its JSON.

    >>> digest({"n": 1, "low": 0.5}) == digest({"low": 0.5, "n": 1})
    True
    """
    return hashlib.sha256(canonical(_sayable(evidence)).encode()).hexdigest()


def ask(transaction: Transaction, question: Question) -> Item:
    """The item of a question: the one that stands for this evidence, or a new one.

    What stands is open, or was decided (see :data:`DECIDED`). An open item about the same
    subject with other evidence is closed first, as is that of an earlier run.
    """
    question = replace(question, evidence=_sayable(question.evidence))
    evidence = digest(question.evidence)
    known = standing(transaction.connection, question.kind, question.subject, evidence)
    if known is not None and (
        known.status in DECIDED or question.run is None or known.asked.run == question.run
    ):
        return known
    close(transaction, question.kind, question.subject, "superseded by new evidence")
    at = datetime.fromisoformat(transaction.at)
    values = {
        "kind": question.kind,
        "subject": question.subject,
        "evidence": evidence,
        "due": (at + timedelta(hours=question.hours)).isoformat(),
    }
    identity, body = new_id(at), canonical(asdict(question))
    transaction.append("review_opened", {"review": identity, **values, "body": json.loads(body)})
    transaction.connection.execute(
        REVIEW.insert().values(
            id=identity,
            **values,
            body=body,
            created=transaction.at,
            told=0,
            status=Status.OPEN,
        )
    )
    item = fetch(transaction.connection, identity)
    tell(transaction, "review_opened", item, f"{question.question} {item.deadline}")
    return item


def close(
    transaction: Transaction,
    kind: str,
    subject: str,
    why: str,
    status: Status = Status.RESOLVED,
) -> None:
    """New evidence settled it, or it no longer matters: the open item leaves the queue."""
    rows = transaction.connection.execute(
        sa.select(REVIEW).where(
            REVIEW.c.kind == kind, REVIEW.c.subject == subject, REVIEW.c.status == Status.OPEN
        )
    )
    for item in map(_item, rows.all()):
        body = {"review": item.id, "status": status, "reason": why}
        transaction.append("review_closed", body)
        closed = _leave(transaction, item, status, None, why)
        tell(transaction, "review_closed", closed, no_answer_needed(closed))


def no_answer_needed(item: Item) -> str:
    """What is told of an item that was closed without anybody."""
    return f"{item.subject} needs no answer any more: {item.reason}"


def decide(ledger: Ledger, identity: str, choice: Choice | str, by: str, reason: str) -> Item:
    """Answer an open item, and do what the answer means, in one transaction.

    ``identity`` may be the beginning of an id. :class:`UsageError` when there is no such item, no
    reason, no such option; when it was decided before; when its time is over (the safe default is
    done then); and when the author of the run approves under ``four_eyes``.
    """
    chosen, why = Choice(choice), " ".join(reason.split())
    wanted = get(ledger, identity)
    if not why:
        raise UsageError(_no_reason(wanted, chosen))

    def change(transaction: Transaction) -> tuple[Item, bool]:
        item = fetch(transaction.connection, wanted.id)
        if item.overdue(datetime.fromisoformat(transaction.at)):
            return expire(transaction, item), False
        if item.status is not Status.OPEN:
            return item, False
        _demand_allowed(item, chosen, by)
        return _answered(transaction, item, chosen, by, why), True

    item, answered = ledger.write(change)
    if not answered:
        raise UsageError(_too_late(item))
    return item


def _demand_allowed(item: Item, choice: Choice, by: str) -> None:
    asked = item.asked
    if choice not in asked.options:
        raise UsageError(_no_option(item, choice))
    if choice is Choice.APPROVE and asked.four_eyes and by == asked.by:
        raise UsageError(_own(item, by))


def _answered(transaction: Transaction, item: Item, choice: Choice, by: str, why: str) -> Item:
    status = Status.APPROVED if choice is Choice.APPROVE else Status.REJECTED
    transaction.append(
        "review_decided",
        {"review": item.id, "choice": choice, "status": status, "by": by, "reason": why},
    )
    decided = _leave(transaction, item, status, by, why)
    effects.apply(transaction, decided, choice)
    tell(transaction, "review_closed", decided, f"{item.subject}: {decided.settled}")
    return decided


def expire(transaction: Transaction, item: Item) -> Item:
    """Nobody answered in time: the safe default is done, and recorded as that."""
    default = item.asked.on_timeout
    why = f"nobody decided by {minute(item.due)} UTC: {default}"
    transaction.append("review_expired", {"review": item.id, "choice": default, "reason": why})
    expired = _leave(transaction, item, Status.EXPIRED, None, why)
    effects.apply(transaction, expired, default)
    tell(transaction, "review_closed", expired, f"{item.subject}: {why}")
    return expired


def _leave(
    transaction: Transaction, item: Item, status: Status, by: str | None, reason: str
) -> Item:
    """Write how an open item left the queue; the event is the caller's."""
    values: dict[str, Any] = {
        "status": status,
        "decided": transaction.at,
        "by": by,
        "reason": reason,
        "told": ALL_TOLD,
    }
    transaction.connection.execute(REVIEW.update().where(REVIEW.c.id == item.id).values(**values))
    return replace(item, **values)


def standing(connection: sa.Connection, kind: str, subject: str, evidence: str) -> Item | None:
    """The newest item on this evidence (a :func:`digest`) that is open or was decided."""
    row = connection.execute(
        sa.select(REVIEW)
        .where(
            REVIEW.c.kind == kind,
            REVIEW.c.subject == subject,
            REVIEW.c.evidence == evidence,
            REVIEW.c.status != Status.RESOLVED,
        )
        .order_by(REVIEW.c.created.desc(), REVIEW.c.id.desc())
        .limit(1)
    ).first()
    return _item(row) if row else None


def waiting(connection: sa.Connection) -> list[Item]:
    """The open items, the one that is due first first."""
    query = (
        sa.select(REVIEW).where(REVIEW.c.status == Status.OPEN).order_by(REVIEW.c.due, REVIEW.c.id)
    )
    return [_item(row) for row in connection.execute(query).all()]


def asked_of(ledger: Ledger, run: str) -> tuple[Item, ...]:
    """The open items of a run."""
    with ledger.read() as connection:
        return tuple(item for item in waiting(connection) if item.asked.run == run)


def untold(connection: sa.Connection) -> list[Item]:
    """The items of which something may still have to be told: the open ones among them."""
    query = sa.select(REVIEW).where(REVIEW.c.told < ALL_TOLD).order_by(REVIEW.c.due, REVIEW.c.id)
    return [_item(row) for row in connection.execute(query).all()]


def everything(
    connection: sa.Connection,
    limit: int | None = None,
    before: Item | None = None,
    skip: int = 0,
) -> list[Item]:
    """Every item that ever was, newest first; or so many of those that came before one.

    ``skip`` leaves out so many of the newest.
    """
    newest = sa.select(REVIEW).order_by(REVIEW.c.created.desc(), REVIEW.c.id.desc())
    query = newest.limit(limit).offset(skip or None)
    if before is not None:
        place = sa.tuple_(sa.literal(before.created), sa.literal(before.id))
        query = query.where(sa.tuple_(REVIEW.c.created, REVIEW.c.id) < place)
    return [_item(row) for row in connection.execute(query).all()]


def count(connection: sa.Connection) -> int:
    """How many items there ever were."""
    return connection.execute(sa.select(sa.func.count()).select_from(REVIEW)).scalar_one()


def get(ledger: Ledger, identity: str) -> Item:
    """An item by its id, or by the beginning of it when only one matches."""
    query = (
        sa.select(REVIEW)
        .where(REVIEW.c.id.startswith(identity.upper(), autoescape=True))
        .order_by(REVIEW.c.created.desc(), REVIEW.c.id.desc())
        .limit(_NAMED)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all() if identity.isprintable() else []
        if len(rows) == 1:
            return _item(rows[0])
        known = connection.execute(sa.select(REVIEW.c.id).order_by(REVIEW.c.created)).scalars()
        raise UsageError(_unknown(identity, [row.id for row in rows], list(known)))


def fetch(connection: sa.Connection, identity: str) -> Item:
    """An item by its whole id."""
    return _item(connection.execute(sa.select(REVIEW).where(REVIEW.c.id == identity)).one())


def _item(row: sa.Row[Any]) -> Item:
    values = {key: value for key, value in row._mapping.items() if key != "body"}  # noqa: SLF001
    asked = msgspec.json.decode(row.body, type=Question)
    return Item(**{**values, "asked": asked, "status": Status(row.status)})


def _sayable(evidence: Mapping[str, object]) -> Mapping[str, object]:
    """The same as JSON can say it: a number that is not finite is none."""
    said: Mapping[str, object] = json.loads(canonical(evidence), parse_constant=lambda _: None)
    return said


def _unknown(identity: str, found: Sequence[str], known: Sequence[str]) -> Mistake:
    """An id that fits none is compared with as much of the others as was typed."""
    typed = {each[: len(identity)]: each for each in known}
    near = found or [typed.get(nearest(identity, typed), "")]
    return Mistake(
        f"more than one item begins with {identity!r}"
        if found
        else f"no item {identity!r} was ever in the queue",
        nearest=", ".join(near),
        fix="`seatrial reviews --all` lists them",
    )


def _no_reason(item: Item, choice: Choice) -> Mistake:
    return Mistake(
        "a decision needs its reason: it stands in the history",
        where=f"item {item.id}",
        fix=f"seatrial {choice} {item.id} --reason 'what you looked at, and why'",
    )


def _no_option(item: Item, choice: Choice) -> Mistake:
    return Mistake(
        f"one cannot {choice} this: {item.asked.question}",
        where=f"item {item.id}",
        nearest=", ".join(item.asked.options),
        fix=item.asked.resolves,
    )


def _own(item: Item, by: str) -> Mistake:
    return Mistake(
        f"{by} began run {item.asked.run} and cannot approve it: review.four_eyes is true",
        where=f"item {item.id}",
        fix=f"somebody else decides: seatrial approve {item.id} --reason …",
    )


def _too_late(item: Item) -> Mistake:
    return Mistake(
        f"item {item.id} has left the queue: {item.settled}",
        where=item.subject,
        fix="that holds for this evidence; new evidence is asked about anew",
    )
