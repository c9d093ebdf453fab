"""From a pipeline file to what would run: typed, in order, every mistake told at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial import extend, notify
from seatrial.environment import policy
from seatrial.errors import FileError, Mistake, nearest
from seatrial.pipeline import schema
from seatrial.pipeline.parameters import typed
from seatrial.tasks import Scope, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.pipeline import Pipeline, Stage, TaskEntry


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One task, ready to be performed in its scope."""

    address: str
    task: Task
    scope: Scope


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do: the steps in order, and the conditions of their stages."""

    pipeline: Pipeline
    folder: Path
    steps: tuple[PlannedStep, ...]

    def step(self, address: str) -> PlannedStep:
        """The step at STAGE.TASK; :class:`FileError` names the nearest."""
        for step in self.steps:
            if step.address == address:
                return step
        known = [step.address for step in self.steps]
        raise FileError(
            Mistake(
                f"no task {address!r} in this pipeline",
                where=self.pipeline.file,
                nearest=nearest(address, known),
                fix=f"tasks: {', '.join(known)}",
            )
        )


def make(pipeline: Pipeline, folder: Path) -> Plan:
    """The plan of a file. :class:`FileError` holds all its mistakes, the reader's included."""
    mistakes = list(pipeline.mistakes)
    tasks: dict[str, Task] = {}
    for entry in pipeline.tasks:
        found, task = _typed(entry)
        mistakes += found
        if task is not None:
            tasks[entry.address] = task
    steps = tuple(
        PlannedStep(entry.address, tasks[entry.address], scope)
        for scope, entry in _scopes(pipeline, folder, tasks)
        if entry.address in tasks
    )
    for step in steps:
        mistakes += step.task.check(step.scope)
    mistakes += notify.check(pipeline)
    mistakes += _unknown_rules(pipeline)
    if mistakes:
        raise FileError(*dict.fromkeys(mistakes))
    return Plan(pipeline, folder, steps)


def _scopes(
    pipeline: Pipeline, folder: Path, tasks: Mapping[str, Task]
) -> Iterator[tuple[Scope, TaskEntry]]:
    for stage in pipeline.stages:
        for entry in stage.tasks:
            yield Scope(pipeline, entry, stage.name, folder, tasks), entry


def task_class(word: str) -> type[Task]:
    """The class behind a word."""
    return cast("type[Task]", extend.load("tasks", word))


def _unknown_rules(pipeline: Pipeline) -> Iterator[Mistake]:
    """What ``environment: {policy: …}`` names that is no rule; the reader has checked levels."""
    for key, what, near, fix in policy.mistakes(pipeline.environment.policy):
        where = str(pipeline.where("environment", "policy", key))
        yield Mistake(what, where, nearest=near, fix=fix)


def _typed(entry: TaskEntry) -> tuple[list[Mistake], Task | None]:
    """The task with typed parameters, or every mistake in them."""
    if entry.word not in extend.names("tasks"):
        return [], None  # the reader has told
    return typed(task_class(entry.word), entry.word, entry.parameters, entry.where)


def file_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the whole pipeline file, every installed task included."""
    shapes: dict[str, dict[str, object]] = {}
    for word in extend.names("tasks"):
        (shape,), definitions = msgspec.json.schema_components([task_class(word)])
        top = shape["$ref"].rpartition("/")[2]
        rest = {name: inner for name, inner in definitions.items() if name != top}
        shapes[word] = definitions[top] | ({"$defs": rest} if rest else {})
    rules = "|".join([*map(re.escape, policy.RULES), rf"{re.escape(policy.ONE_PACKAGE)}.+"])
    return schema.document(shapes, f"^({rules})$")


def stage_of(plan: Plan, address: str) -> Stage:
    """The stage that a step belongs to."""
    name = address.partition(".")[0]
    return next(stage for stage in plan.pipeline.stages if stage.name == name)
