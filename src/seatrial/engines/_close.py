"""How a run ends whose steps have all spoken: its verdict, who is asked, who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.ledger import runs
from seatrial.notify.outbox import Message, post
from seatrial.outcome import Outcome, Verdict, combine
from seatrial.review.stopped_runs import halt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.engines import Work
    from seatrial.ledger.runs import Run
    from seatrial.ledger.store import Transaction


def close(work: Work, run: Run, said: Mapping[str, Outcome]) -> bool:
    """End the run, or ask people about what could not be said.

    ``False`` when people had settled all of that before: then the run goes on.
    """
    verdict = combine(outcome.verdict for outcome in said.values())
    if verdict is Verdict.INCONCLUSIVE:
        unsure = {a: o for a, o in said.items() if o.verdict is Verdict.INCONCLUSIVE}
        return not halt(work.project.ledger, run, work.plan.pipeline.review, unsure)
    harm = next((o.reason for o in said.values() if o.verdict is Verdict.FAIL), "")
    end(work, run, Verdict.PASS if verdict is Verdict.SKIP else verdict, [], harm)
    return True


def end(work: Work, run: Run, verdict: Verdict | None, errors: list[str], harm: str = "") -> None:
    """Close the run; whoever wants to know is told when it did not pass."""
    serving = work.project.registry.channel(run.model, "production")

    def tell(transaction: Transaction) -> None:
        version = f"version {serving.version}" if serving else "nothing"
        said = f"run {run.id} of {run.pipeline} did not pass: {harm}; {version} is in production"
        data = {"run": run.id, "verdict": verdict, "reason": harm, "errors": errors}
        key = f"run_failed/{run.id}"
        message = Message(kind="run_failed", key=key, model=run.model, text=said, data=data)
        post(transaction, message)

    runs.end(
        work.project.ledger,
        run.id,
        runs.State.FINISHED,
        verdict,
        serving.version if serving else None,
        errors,
        tell if harm else None,
    )
