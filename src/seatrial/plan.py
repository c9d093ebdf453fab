"""From a pipeline file to what would run: typed, in order, every mistake told at once."""

from __future__ import annotations

import functools
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial import extend
from seatrial.errors import FileError, Mistake, nearest
from seatrial.pipeline import schema
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


@functools.cache
def _fields(kind: type[Task]) -> dict[str, tuple[msgspec.structs.FieldInfo, object]]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.encode_name: (field, hints[field.name]) for field in msgspec.structs.fields(kind)}


def _typed(entry: TaskEntry) -> tuple[list[Mistake], Task | None]:
    """The task with typed parameters, or every mistake in them."""
    if entry.word not in extend.names("tasks"):
        return [], None  # the reader has told
    kind = task_class(entry.word)
    fields = _fields(kind)
    mistakes = [_unknown(entry, key, list(fields)) for key in entry.parameters if key not in fields]
    values: dict[str, object] = {}
    for key, (field, hint) in fields.items():
        if key not in entry.parameters:
            if field.required:
                mistakes.append(
                    Mistake(
                        f"{entry.word} needs `{key}`",
                        where=str(entry.where(key)),
                        fix=f"add `{key}: …` ({_said(hint)})",
                    )
                )
            continue
        try:
            values[field.name] = msgspec.convert(entry.parameters[key], hint)
        except msgspec.ValidationError as error:
            mistakes.append(_ill_typed(entry, key, hint, error))
    return mistakes, None if mistakes else kind(**values)


def _unknown(entry: TaskEntry, key: str, known: list[str]) -> Mistake:
    return Mistake(
        f"{entry.word} does not know the key {key!r}",
        where=str(entry.where(key)),
        nearest=nearest(key, known),
        fix=f"its keys: {', '.join(known)}" if known else "it has no keys",
    )


def _ill_typed(entry: TaskEntry, key: str, hint: object, error: Exception) -> Mistake:
    why = str(error).partition(" - at ")[0]
    return Mistake(
        f"`{key}` of {entry.word} cannot be {entry.parameters[key]!r}: {why}",
        where=str(entry.where(key)),
        fix=f"write {_said(hint)}",
    )


_SAID = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a word",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _said(hint: object) -> str:
    """A type in words, from its JSON Schema."""
    shape = msgspec.json.schema(hint)
    parts = shape.get("anyOf", [shape])
    return " or ".join(_alternative(part) for part in parts if part.get("type") != "null")


def _alternative(part: Mapping[str, object]) -> str:
    if "enum" in part:
        return "one of " + ", ".join(map(str, cast("list[object]", part["enum"])))
    text = _SAID.get(str(part.get("type")), "a value")
    limits = (
        ("minimum", "at least"), ("exclusiveMinimum", "above"),
        ("maximum", "at most"), ("exclusiveMaximum", "below"),
    )  # fmt: skip
    bounds = [f"{word} {part[key]}" for key, word in limits if key in part]
    return f"{text} {' and '.join(bounds)}" if bounds else text


def file_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the whole pipeline file, every installed task included."""
    shapes: dict[str, dict[str, object]] = {}
    for word in extend.names("tasks"):
        (shape,), definitions = msgspec.json.schema_components([task_class(word)])
        shapes[word] = definitions[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
    return schema.document(shapes)


def stage_of(plan: Plan, address: str) -> Stage:
    """The stage that a step belongs to."""
    name = address.partition(".")[0]
    return next(stage for stage in plan.pipeline.stages if stage.name == name)
