"""What is asked about a step that could not say, so that the same evidence is known again."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from seatrial.ledger.tables import SHADOW, STEP, VERSION
from seatrial.outcome import Direction, Measure, Outcome, Verdict
from seatrial.review.items import Question
from seatrial.review.run_decisions import GATE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.ledger.runs import Run
    from seatrial.pipeline import Review

DOING = frozenset({"train", "register", "promote"})
"""Words that make something: what was not made cannot be approved, only tried again."""

RUN_AGAIN = "then run the same command again"


def subject_of(run: Run, address: str) -> str:
    """What is asked about: the same for every run of a pipeline."""
    return f"{run.pipeline}/{address}"


def question(
    connection: sa.Connection, run: Run, settings: Review, address: str, outcome: Outcome
) -> Question:
    """The question about a step's outcome; what the step asks for itself goes before.

    A task asks for itself by a fact ``asks`` with ``kind``, ``question`` and ``evidence``: an
    approval then does what that kind does, and the step is asked again.
    """
    asks: Any = outcome.facts.get("asks")
    version, digest = _version(connection, run)
    about = {"model": run.model, "version": version, "digest": digest, "against": run.pinned}
    # a word of a task has no digits at its end but those that tell repeated ones apart
    doing = not asks and re.sub(r"-\d+$", "", address.partition(".")[2]) in DOING
    return Question(
        kind=str(asks["kind"]) if asks else GATE,
        subject=subject_of(run, address),
        model=run.model,
        version=version,
        run=run.id,
        step=address,
        by=None if run.request.get("by") is None else str(run.request["by"]),
        question=str(asks["question"]) if asks else _asked(run, address, outcome, doing=doing),
        recommended="approve" if not doing and not asks and likely(outcome) else "reject",
        options=("reject",) if doing else ("approve", "reject"),
        evidence=about
        | (dict(asks["evidence"]) if asks else _evidence(outcome, run))
        | _times(connection, run, outcome),
        resolves=_resolves(outcome, doing=doing, asks=bool(asks)),
        hours=settings.hours,
        on_timeout="reject",
        four_eyes=settings.four_eyes,
    )


def likely(outcome: Outcome) -> bool:
    """Whether what was not settled looks good: each by half the way from its bound to its limit.

    >>> near = Measure(name="accuracy", value=0.90, low=0.81, high=0.95, limit=0.82,
    ...     verdict=Verdict.INCONCLUSIVE)
    >>> likely(Outcome(verdict=Verdict.INCONCLUSIVE, reason="few rows", measures=(near,)))
    True
    """
    unsettled = [m for m in outcome.measures if m.verdict is Verdict.INCONCLUSIVE]
    return bool(unsettled) and all(map(_looks_good, unsettled))


def _looks_good(measure: Measure) -> bool:
    at_least = measure.direction is Direction.AT_LEAST
    bound = measure.low if at_least else measure.high
    if measure.value is None or measure.limit is None or bound is None:
        return False
    sign = 1 if at_least else -1
    room = sign * (measure.value - measure.limit)
    return room > 0 and room >= abs(measure.value - bound) / 2


def _asked(run: Run, address: str, outcome: Outcome, *, doing: bool) -> str:
    said = outcome.reason.rstrip(".")
    if doing:
        return f"{address} of {run.pipeline} has done nothing: {said}. Shall the run end?"
    return f"May {address} of {run.pipeline} count as passed? It cannot say: {said}."


def _evidence(outcome: Outcome, run: Run) -> dict[str, object]:
    """What the step said, without what changes from run to run."""
    return {
        "verdict": outcome.verdict,
        "reason": outcome.reason.replace(run.id, "this one"),
        "measures": [asdict(measure) for measure in outcome.measures],
        "facts": dict(outcome.facts),
        "blobs": dict(outcome.blobs),
    }


def _resolves(outcome: Outcome, *, doing: bool, asks: bool) -> str:
    if asks:
        return "nothing but a person"
    hints = [finding.hint for finding in outcome.findings if finding.hint]
    if doing:
        return "; ".join([*(hints or ["put right what was in the way"]), RUN_AGAIN])
    return "; ".join(dict.fromkeys(hints)) or "other data, or another model"


def _version(connection: sa.Connection, run: Run) -> tuple[int | None, str | None]:
    """The version that the run registered, and its digest: a decision is about no other."""
    outcomes = connection.execute(
        sa.select(STEP.c.outcome)
        .where(STEP.c.run == run.id, STEP.c.outcome.is_not(None))
        .order_by(STEP.c.position.desc())
    )
    for text in outcomes.scalars():
        facts: Mapping[str, Any] = json.loads(text)["facts"]
        if "version" in facts:
            number = int(facts["version"])
            place = VERSION.c.model == run.model, VERSION.c.version == number
            return number, connection.execute(sa.select(VERSION.c.digest).where(*place)).scalar()
    return None, None


def _times(connection: sa.Connection, run: Run, outcome: Outcome) -> dict[str, object]:
    """Of which live traffic a shadow test speaks: another test is other evidence."""
    if "shadow" not in outcome.blobs:
        return {}
    query = sa.select(SHADOW).where(SHADOW.c.run == run.id).order_by(SHADOW.c.opened.desc())
    row = connection.execute(query.limit(1)).first()
    return {"since": row.opened, "until": row.closed or row.until} if row else {}
