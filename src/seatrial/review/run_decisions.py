"""What a decision does to the run that waits for it: it goes on, or it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.errors import Mistake, UsageError
from seatrial.ledger import claims, runs
from seatrial.ledger.runs import State
from seatrial.ledger.tables import STEP
from seatrial.outcome import Finding, Outcome, Verdict
from seatrial.registry import holdouts

if TYPE_CHECKING:
    from seatrial.ledger.store import Transaction
    from seatrial.review.items import Item

GATE = "gate_inconclusive"
"""The kind whose approval is the step's pass; any other lifts what was in the step's way."""


def carry_out(transaction: Transaction, item: Item, run: str, step: str) -> None:
    """Let a run go on that a person approved; end one that was rejected, or not decided.

    Under ``seatrial serve`` it goes on by itself, else by the same command. :class:`UsageError`
    when the step to approve is being asked again at this moment.
    """
    if item.status != "approved":
        runs.give_up(transaction, run, [_ending(item)])
        return
    model = runs.demand_open(transaction.connection, run).model
    outcome = _unsure(transaction.connection, run, step)
    if outcome is None:
        raise UsageError(_asked_again(item, run, step))
    if item.kind == GATE:
        passed = approved(outcome, item, step)
        claims.settle(transaction, run, step, passed, item.by)
        holdouts.note(transaction, run, model, passed)
    else:
        claims.ask_again(transaction, run, step, item.settled)
    # another step of the run may still be waiting for its own answer
    if not any(_unsure(transaction.connection, run, other) for other in _steps(transaction, run)):
        runs.pause(transaction, run, State.WAITING)


def approved(outcome: Outcome, item: Item, step: str) -> Outcome:
    """The step's pass: what was measured stays as it was, and who decided stands beside it."""
    said = f"{item.settled}; was: {outcome.reason}"
    decided = Finding(what=f"a person decided: {item.settled}", where=step, hint=f"item {item.id}")
    return replace(
        outcome,
        verdict=Verdict.PASS,
        reason=said,
        findings=(*outcome.findings, decided),
        facts={**outcome.facts, **_vouched(outcome), "approved": _who(item)},
    )


def _vouched(outcome: Outcome) -> dict[str, object]:
    """Who approves a bound on held-out rows that was not settled vouches for it to ``promote``."""
    judged: Any = outcome.facts.get("judged") or {}
    return {} if judged.get("promised") is None else {"held_out_bound": judged["metric"]}


def _who(item: Item) -> dict[str, object]:
    return {"by": item.by, "at": item.decided, "reason": item.reason, "review": item.id}


def _ending(item: Item) -> str:
    """Why a run has ended, for its errors."""
    if item.status == "expired":
        due = item.due[:16].replace("T", " ")
        return f"{item.asked.step}: nobody decided by {due} UTC: production stays as it is"
    return f"{item.asked.step}: {item.settled}"


def _unsure(connection: sa.Connection, run: str, step: str) -> Outcome | None:
    """What a step said that could not say; ``None`` when it said something else, or nothing."""
    text = connection.execute(
        sa.select(STEP.c.outcome).where(STEP.c.run == run, STEP.c.address == step)
    ).scalar()
    outcome = runs.decoded(text)
    return outcome if outcome and outcome.verdict is Verdict.INCONCLUSIVE else None


def _steps(transaction: Transaction, run: str) -> list[str]:
    query = sa.select(STEP.c.address).where(STEP.c.run == run)
    return [*transaction.connection.execute(query).scalars()]


def _asked_again(item: Item, run: str, step: str) -> Mistake:
    return Mistake(
        f"{step} is being asked again: what you would approve may no longer be what it says",
        where=f"run {run}",
        fix=f"look again once the run's command has its answer: seatrial reviews {item.id}",
    )
