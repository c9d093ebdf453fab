"""A run whose steps could not say: asked about, decided before, or answered after all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.outcome import Outcome, Verdict, Wait
from seatrial.review.items import Item, Status, ask, close, waiting
from seatrial.review.run_decisions import GATE, carry_out
from seatrial.review.step_questions import question, subject_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Ledger, Transaction
    from seatrial.pipeline import Review


def halt(ledger: Ledger, run: Run, settings: Review, unsure: Mapping[str, Outcome]) -> bool:
    """Stop a run for review, in the transaction that opens its items; whether it goes on instead.

    ``unsure`` are the outcomes, by address, that could not say. What was decided on the same
    evidence is applied without asking: an approved step passes, a rejected one ends the run.
    """

    def change(transaction: Transaction) -> bool:
        runs.demand_open(transaction.connection, run.id)
        items = [
            _asked(transaction, run, settings, address, outcome)
            for address, outcome in unsure.items()
        ]
        ended = [item for item in items if item.status in {Status.REJECTED, Status.EXPIRED}]
        if ended:
            _carry_out(transaction, ended[0], run)
            return False
        for item in items:
            if item.status is Status.APPROVED:
                _carry_out(transaction, item, run)
        if all(item.status is Status.APPROVED for item in items):
            return True
        runs.pause(transaction, run.id, State.REVIEW)
        return False

    return ledger.write(change)


def _asked(
    transaction: Transaction, run: Run, settings: Review, address: str, outcome: Outcome
) -> Item:
    asking = question(transaction.connection, run, settings, address, outcome)
    for other in _open(transaction, run, address):
        if other.kind != asking.kind:
            close(transaction, other.kind, other.subject, f"new evidence: {outcome.reason}")
    item = ask(transaction, asking)
    while item.kind != GATE and item.status is Status.APPROVED:
        # what was lifted is in the way once more: the approval was for the first time
        asking = replace(asking, evidence={**asking.evidence, "after": item.id})
        item = ask(transaction, asking)
    return item


def _carry_out(transaction: Transaction, item: Item, run: Run) -> None:
    """Apply to this run what may have been decided of an earlier one."""
    assert item.asked.step is not None
    carry_out(transaction, item, run.id, item.asked.step)


def answered(transaction: Transaction, run: Run, address: str, said: Outcome | Wait) -> None:
    """A step that was asked again has answered, or collects new evidence: nobody need decide."""
    if isinstance(said, Wait):
        why = f"new evidence is collected until {said.until:%Y-%m-%d %H:%M} UTC: {said.reason}"
    elif said.verdict is Verdict.INCONCLUSIVE:
        return
    else:
        why = f"new evidence: {said.verdict}: {said.reason}"
    for item in _open(transaction, run, address):
        close(transaction, item.kind, item.subject, why)


def _open(transaction: Transaction, run: Run, address: str) -> list[Item]:
    subject = subject_of(run, address)
    return [item for item in waiting(transaction.connection) if item.subject == subject]
