"""One run as a document: what ``run --json`` prints and every other report is made from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.outcome import Verdict, combine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.ledger.runs import Run, Step
    from seatrial.registry.project import Project

_STATES = {
    State.RUNNING: "waiting",
    State.WAITING: "waiting",
    State.STOPPED: "waiting",
    State.REVIEW: "review",
}
"""How a run's state is told outside; whatever has ended is ``finished``."""


@dataclass(frozen=True, slots=True)
class Told:
    """A step as it is told."""

    address: str
    content: Mapping[str, object]
    verdict: Verdict | None


def document(project: Project, run: Run) -> dict[str, object]:
    """The document of design §3, every key present."""
    told = [_task(step) for step in runs.steps(project.ledger, run.id)]
    production = project.registry.channel(run.model, "production")
    after = run.production_after if run.ended else (production.version if production else None)
    return {
        "run": run.id,
        "pipeline": run.pipeline,
        "state": _STATES.get(run.state, "finished"),
        "verdict": run.verdict,
        "model": _model(project, run),
        "production": {"before": run.pinned, "after": after},
        "errors": list(run.errors),
        "stages": [
            {
                "name": name,
                "verdict": _stage_verdict(tasks),
                "tasks": [task.content for task in tasks],
            }
            for name, tasks in _by_stage(told).items()
        ],
    }


def _task(step: Step) -> Told:
    outcome = step.outcome
    state = {"done": "done", "ready": "not_reached"}.get(step.state, "waiting")
    if step.state == "ready" and step.reason:
        state = "waiting"  # something was in the way; the reason says what
    if outcome is not None:
        state = "done"  # also when a person settled it, and the run has not gone on yet
    word = step.address.partition(".")[2]
    content = {
        "task": word,
        "state": state,
        "verdict": outcome.verdict if outcome else None,
        "reason": step.reason,
        "seconds": None if step.seconds is None else round(step.seconds, 4),
        "waiting_until": None if outcome else step.due,
        "measures": [asdict(measure) for measure in outcome.measures] if outcome else [],
        "findings": [asdict(finding) for finding in outcome.findings] if outcome else [],
    }
    return Told(step.address, content, outcome.verdict if outcome else None)


def _by_stage(told: Sequence[Told]) -> dict[str, list[Told]]:
    stages: dict[str, list[Told]] = {}
    for task in told:
        stages.setdefault(task.address.partition(".")[0], []).append(task)
    return stages


def _stage_verdict(tasks: Sequence[Told]) -> Verdict | None:
    """Passes when all its tasks passed or skipped; none while one of them may still say."""
    verdicts = [task.verdict for task in tasks if task.verdict is not None]
    worst = combine(verdicts)
    if worst in {Verdict.FAIL, Verdict.INCONCLUSIVE}:
        return worst
    return Verdict.PASS if verdicts and len(verdicts) == len(tasks) else None


def _model(project: Project, run: Run) -> dict[str, object] | None:
    """The version that the run registered."""
    for step in reversed(runs.steps(project.ledger, run.id)):
        if step.outcome and "version" in step.outcome.facts:
            version = project.registry.version(run.model, int(str(step.outcome.facts["version"])))
            return {"name": version.model, "version": version.version, "digest": version.digest}
    return None
