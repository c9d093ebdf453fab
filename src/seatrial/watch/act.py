"""Doing what a watch decided: each in one transaction, with what it rests on and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from seatrial.errors import PassingError, StoreError
from seatrial.ledger.store import canonical
from seatrial.notify.outbox import Message, post
from seatrial.pipeline import Review
from seatrial.registry import brakes, watches
from seatrial.registry.opened import digest_of
from seatrial.registry.policy import Policy
from seatrial.registry.registry import PRODUCTION, Move, MovedError
from seatrial.registry.watches import BY_WATCH, State
from seatrial.review import items
from seatrial.review.items import Question
from seatrial.watch.decide import (
    MOST_ROLLBACKS,
    STORM_DAYS,
    Ask,
    Brakes,
    End,
    Extend,
    RollBack,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from seatrial.ledger.store import Transaction
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version
    from seatrial.registry.watches import Watch
    from seatrial.watch.decide import Action

APPROVE_REJECT = ("approve", "reject")
REVIEW_HOURS = Review().hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of an action; ``to`` is the version that production went back to."""

    what: str
    model: str
    version: int
    reason: str
    to: int | None = None


def act(project: Project, watch: Watch, action: Action, evidence: Mapping[str, Any]) -> Done | None:
    """Do it; ``None`` when it was done before, or when production was moved meanwhile.

    ``evidence`` is everything that the decision was drawn from: it is kept as a blob, so that it
    can be drawn again when the traffic is gone. Raises what the stores raise: try again.
    """
    match action:
        case RollBack():
            return _roll_back(project, watch, action, evidence)
        case Ask():
            return _ask(project, watch, action)
        case Extend():
            return _extend(project, watch, action)
        case End():
            return _end(project, watch, action, evidence)


def brakes_of(project: Project, model: str) -> Brakes:
    """What keeps a model's production from going back by itself now."""
    since = project.workspace.clock() - timedelta(days=STORM_DAYS)
    with project.ledger.read() as connection:
        made = watches.rollbacks(connection, model, since)
        event = watches.last_event(connection, model)
    return Brakes(
        promoted=event == "promote",
        rollbacks=len(made),
        frozen=brakes.frozen(project.ledger, model) is not None,
    )


def _roll_back(
    project: Project, watch: Watch, action: RollBack, evidence: Mapping[str, Any]
) -> Done | None:
    """Back to the newest whole version that may be trusted; loudly when there is none."""
    registry = project.registry
    current = registry.channel(watch.model, PRODUCTION)
    if current is None or current.version != watch.version:
        return None
    digest = _harmful(project, watch)
    target, damage = _target(project, watch, digest)
    if target is None:
        return _blocked(project, watch, action.reason, damage)
    kept = _keep(project, evidence)
    move = Move(
        model=watch.model,
        channel=PRODUCTION,
        version=target.version,
        expect=current.revision,
        event="rollback",
        by=f"{BY_WATCH}{watch.id}",
        reason=action.reason,
        evidence=kept,
    )
    try:
        registry.move(move, also=partial(_rolled_back, watch, move, digest))
    except MovedError:
        return None
    return _done(watch, "rolled_back", action.reason, to=target.version)


def _target(project: Project, watch: Watch, harmful: str) -> tuple[Version | None, str]:
    """The version that was replaced, else one that passed a whole watch; and what is damaged.

    ``harmful`` is the model file of what serves: under another number it does the same.
    """
    registry, ledger = project.registry, project.ledger
    with ledger.read() as connection:
        trusted = [watch.against, *watches.known_good(connection, watch.model)]
    damage = []
    for number in dict.fromkeys(trusted):
        if number == watch.version:
            continue
        version = registry.version(watch.model, number)
        try:
            registry.verify(version)
            digest = digest_of(project.registry, version)
        except PassingError:
            raise
        except StoreError as error:
            damage.append(" ".join(str(error).split()))
            continue
        if digest == harmful:
            damage.append(f"{version} is the same model")
            continue
        quarantined = brakes.quarantined(ledger, watch.model, digest)
        if quarantined is None:
            return version, ""
        damage.append(f"{version} is in quarantine: {quarantined.reason}")
    return None, "; ".join(damage) or "no version may be trusted"


def _harmful(project: Project, watch: Watch) -> str:
    """What to put in quarantine: the model file, else the version, whose damage keeps nothing."""
    version = project.registry.version(watch.model, watch.version)
    try:
        return digest_of(project.registry, version)
    except StoreError:
        return version.digest


def _rolled_back(watch: Watch, move: Move, digest: str, transaction: Transaction) -> None:
    """All that comes with the move back: the end of the watch, the quarantine, the brakes."""
    watches.close(transaction, watch.id, State.FAILED, move.reason, move.evidence)
    brakes.quarantine(transaction, watch.model, watch.version, digest, move.reason)
    _close_questions(transaction, watch, f"version {watch.version} was rolled back")
    told = {"version": watch.version, "to": move.version, "reason": move.reason}
    _post(
        transaction,
        watch,
        "rolled_back",
        f"{watch.model} went back from version {watch.version} to version {move.version}:"
        f" {move.reason}",
        {**told, "by": move.by, "evidence": move.evidence},
    )
    since = _days_before(transaction, STORM_DAYS)
    count = len(watches.rollbacks(transaction.connection, watch.model, since))
    if count >= MOST_ROLLBACKS:
        _freeze(
            transaction,
            watch,
            f"{count} rollbacks by itself within {STORM_DAYS} days, the last: {move.reason}",
        )


def _freeze(transaction: Transaction, watch: Watch, reason: str) -> None:
    if not brakes.freeze(transaction, watch.model, reason):
        return
    _post(transaction, watch, "frozen", f"{watch.model} is frozen: {reason}", {"reason": reason})
    question = Ask(
        kind="storm_freeze",
        question=f"May {watch.model} be promoted by itself again?",
        recommended="reject until the cause is found",
        on_timeout="reject",
        resolves="nothing but a person: a model that keeps failing has another cause",
        reason=reason,
    )
    items.ask(transaction, _question(watch, question, watch.model))


def _blocked(project: Project, watch: Watch, reason: str, damage: str) -> Done | None:
    """Nothing to go back to: what serves goes on serving, and a person is called, once."""
    said = f"version {watch.version} does harm ({reason}), but production cannot go back: {damage}"

    def change(transaction: Transaction) -> bool:
        frozen = brakes.freeze(transaction, watch.model, said)
        _post(transaction, watch, "rollback_failed", said, {"reason": reason, "damage": damage})
        question = Ask(
            kind="rollback_blocked",
            question=f"What shall serve of {watch.model}? Production cannot go back by itself.",
            recommended="restore the files from a backup, then seatrial rollback",
            on_timeout="keep",
            resolves="nothing but a person",
            reason=said,
        )
        return _newly_asked(transaction, _question(watch, question)) or frozen

    blocked = project.ledger.write(change)
    return _done(watch, "rollback_blocked", said) if blocked else None


def _ask(project: Project, watch: Watch, action: Ask) -> Done | None:
    asked = _put(project, _question(watch, action))
    return _done(watch, action.kind, action.reason) if asked else None


def _put(project: Project, question: Question) -> bool:
    """Ask, unless it stands: that is looked up first, since a watch asks at every look."""
    with project.ledger.read() as connection:
        if _stands(connection, question):
            return False
    return project.ledger.write(lambda transaction: _newly_asked(transaction, question))


def _newly_asked(transaction: Transaction, question: Question) -> bool:
    known = _stands(transaction.connection, question)
    items.ask(transaction, question)
    return not known


def _stands(connection: sa.Connection, question: Question) -> bool:
    evidence = items.digest(question.evidence)
    return items.standing(connection, question.kind, question.subject, evidence) is not None


def ask_about(project: Project, model: str, version: int, action: Ask | RollBack) -> Done | None:
    """A version that was promoted without a watch does harm: no way back was promised."""
    replaced = project.registry.previous(model) is not None
    why = "it is not watched" if replaced else "it replaced nothing"
    question = Question(
        kind="guardrail",
        subject=f"{model} version {version}",
        model=model,
        version=version,
        run=None,
        step=None,
        by=None,
        question=f"What shall serve of {model}? Version {version} does harm, and production cannot"
        f" go back by itself: {why}. Seen: {action.reason}.",
        recommended="look now",
        options=APPROVE_REJECT,
        evidence={"model": model, "version": version},
        resolves="nothing but a person",
        hours=REVIEW_HOURS,
        on_timeout="keep",
    )

    if not _put(project, question):
        return None
    return Done(what="guardrail", model=model, version=version, reason=action.reason)


def _done(watch: Watch, what: str, reason: str, to: int | None = None) -> Done:
    return Done(what=what, model=watch.model, version=watch.version, reason=reason, to=to)


def _extend(project: Project, watch: Watch, action: Extend) -> Done | None:
    def change(transaction: Transaction) -> bool:
        if not watches.extend(transaction, watch.id, action.until, action.reason):
            return False
        until = f"{action.until:%Y-%m-%d %H:%M} UTC"
        _post(
            transaction,
            watch,
            "watch_extended",
            f"{watch.model} version {watch.version} is watched until {until}: {action.reason}",
            {"until": action.until.isoformat(), "reason": action.reason},
        )
        return True

    extended = project.ledger.write(change)
    return _done(watch, "watch_extended", action.reason) if extended else None


def _end(project: Project, watch: Watch, action: End, evidence: Mapping[str, Any]) -> Done | None:
    kept = _keep(project, evidence)
    kind = _TOLD[action.state]

    def change(transaction: Transaction) -> bool:
        if not watches.close(transaction, watch.id, action.state, action.reason, kept):
            return False
        if action.state is State.PASSED:
            _close_questions(transaction, watch, action.reason, _LABELS_SETTLE)
        text = f"{watch.model} version {watch.version}: {action.reason}"
        _post(transaction, watch, kind, text, {"reason": action.reason, "evidence": kept})
        return True

    return _done(watch, kind, action.reason) if project.ledger.write(change) else None


def _question(watch: Watch, action: Ask, subject: str = "") -> Question:
    """About this watch, or about ``subject``; its evidence is the same while the watch lasts."""
    return Question(
        kind=action.kind,
        subject=subject or f"{watch.model} version {watch.version}",
        model=watch.model,
        version=watch.version,
        run=None,
        step=None,
        by=None,
        question=f"{action.question} Seen: {action.reason}.",
        recommended=action.recommended,
        options=APPROVE_REJECT,
        evidence={
            "watch": watch.id,
            "model": watch.model,
            "version": watch.version,
            "against": watch.against,
            "since": watch.opened,
            "reason": action.reason if subject else action.kind,
        },
        resolves=action.resolves,
        hours=Policy.from_json(watch.policy).review_hours,
        on_timeout=action.on_timeout,
    )


_TOLD = {
    State.PASSED: "watch_passed",
    State.INCONCLUSIVE: "watch_inconclusive",
    State.FAILED: "rollback_failed",
}
"""What is told of the end of a watch whose version stays."""

_LABELS_SETTLE = ("disagreement", "watch_inconclusive")
"""What is answered when labels prove that a version is as good as the one before."""

_ABOUT_A_WATCH = (*_LABELS_SETTLE, "retrain", "rollback_blocked")


def _close_questions(
    transaction: Transaction, watch: Watch, why: str, kinds: tuple[str, ...] = _ABOUT_A_WATCH
) -> None:
    for kind in kinds:
        items.close(transaction, kind, f"{watch.model} version {watch.version}", why)


def _post(
    transaction: Transaction, watch: Watch, kind: str, text: str, data: Mapping[str, object]
) -> None:
    about = {"version": watch.version, "watch": watch.id, **data}
    post(
        transaction,
        Message(kind=kind, key=f"{kind}/{watch.id}", model=watch.model, text=text, data=about),
    )


def _keep(project: Project, evidence: Mapping[str, Any]) -> str:
    """Here at once: no rollback waits for an object store."""
    return project.registry.blobs.put_later(canonical(evidence).encode())


def _days_before(transaction: Transaction, days: float) -> datetime:
    return datetime.fromisoformat(transaction.at) - timedelta(days=days)
