"""Which step of a run comes next, from the file and what its steps have said: nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.pipeline.condition import facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.outcome import Outcome
    from seatrial.pipeline import Pipeline, Stage


def next_step(pipeline: Pipeline, said: Mapping[str, Outcome]) -> str | None:
    """The address of the first step that may start and has said nothing; ``None``: it is over.

    Tasks of a stage run in order, and the first that lets nothing through ends the stage. A stage
    starts when its condition holds; without one, when all stages before it passed.
    """
    passed: dict[str, bool] = {}
    for stage in pipeline.stages:
        if not may_start(stage, passed):
            passed[stage.name] = False
            continue
        for entry in stage.tasks:
            if entry.address not in said:
                return entry.address
            if not said[entry.address].verdict.lets_through:
                passed[stage.name] = False
                break
        else:
            passed[stage.name] = True
    return None


def may_start(stage: Stage, passed: Mapping[str, bool]) -> bool:
    """Whether a stage starts, by which stages before it passed."""
    if stage.condition is None:
        return all(passed.values())
    return stage.condition.evaluate(facts(passed))
