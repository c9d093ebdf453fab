"""Does a task keep its promises: typed parameters, mistakes that are told, a plan that reads?"""

from __future__ import annotations

import tempfile
import typing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from seatrial import extend, plan
from seatrial.errors import FileError
from seatrial.pipeline.read import read
from seatrial.tasks import Input, Reusable, Task
from seatrial.testing._demand import demand
from seatrial.testing._project import SAMPLE, pipeline_with, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.plan import Plan

NO_KEY = "no_such_key"
"""A parameter that no task has."""


def check_task(word: str, use: Mapping[str, object] | None = None) -> None:
    """Raise :class:`AssertionError` with a sentence unless the task keeps its promises.

    ``use`` holds parameters that are right in a project with the datasets ``sample``,
    ``training_data`` and ``validation_data`` and the profile ``baseline.json``; without it
    the required ones are made up from their types, and must at least give mistakes that are told.

    >>> check_task("check_schema", {"dataset": "sample"})
    """
    kind = extend.load("tasks", word)
    demand(
        isinstance(kind, type) and issubclass(kind, Task),
        f"the task {word} must be a class that extends seatrial.tasks.Task",
    )
    task = cast("type[Task]", kind)
    _is_described(word, task)
    _is_frozen(word, task)
    _has_typed_parameters(word, task)
    _is_reusable_or_not(word, task)
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        made = _made_up(task)
        _refuses_unknown_keys(word, Path(folder), use or made)
        _plans(word, Path(folder), use or made, must_be_right=use is not None)


def _is_described(word: str, task: type[Task]) -> None:
    demand((task.__dict__.get("__doc__") or "").strip(), f"the task {word} has no docstring")
    demand("run" in task.__dict__, f"the task {word} does nothing: it has no `run`")


def _is_frozen(word: str, task: type[Task]) -> None:
    config = task.__struct_config__
    demand(config.frozen, f"the task {word} is not frozen: declare `class …(Task, frozen=True)`")
    demand(config.forbid_unknown_fields, f"the task {word} accepts keys that it does not know")


def _has_typed_parameters(word: str, task: type[Task]) -> None:
    try:
        hints = typing.get_type_hints(task, include_extras=True)
        msgspec.json.schema(task)
    except (TypeError, NameError) as error:
        raise AssertionError(
            f"the parameters of {word} have no JSON Schema: {error};"
            " import their types when the program runs, and use only plain values"
        ) from error
    for field in msgspec.structs.fields(task):
        shape = msgspec.json.schema(hints[field.name])
        demand(shape, f"the parameter `{field.encode_name}` of {word} may be anything: type it")
        if field.required:
            continue
        default = field.default
        if default is msgspec.NODEFAULT:
            default = cast("typing.Callable[[], object]", field.default_factory)()
        try:
            msgspec.convert(msgspec.to_builtins(default), hints[field.name])
        except msgspec.ValidationError as error:
            raise AssertionError(
                f"the default of `{field.encode_name}` of {word} is not of its type: {error}"
            ) from error


def _is_reusable_or_not(word: str, task: type[Task]) -> None:
    halves = [hasattr(task, "key"), hasattr(task, "renew")]
    demand(
        all(halves) == any(halves) == issubclass(task, Reusable),
        f"the task {word} is half re-usable: it needs both `key` and `renew`, or neither",
    )


def _made_up(task: type[Task]) -> dict[str, object]:
    """A value of the right type for every parameter that has no default."""
    hints = typing.get_type_hints(task, include_extras=True)
    return {
        field.encode_name: _value(msgspec.json.schema(hints[field.name]))
        for field in msgspec.structs.fields(task)
        if field.required
    }


def _value(shape: Mapping[str, object]) -> object:
    if "anyOf" in shape:
        return _value(cast("list[dict[str, object]]", shape["anyOf"])[0])
    if "enum" in shape:
        return cast("list[object]", shape["enum"])[0]
    least = cast("float", shape.get("minimum", shape.get("exclusiveMinimum", 0)))
    most = cast("float", shape.get("maximum", shape.get("exclusiveMaximum", least + 2)))
    values: dict[str, object] = {
        "integer": int(least + 1 if least + 1 <= most else least),
        "number": (least + most) / 2,
        "boolean": False,
        "array": [],
        "object": {},
    }
    return values.get(str(shape.get("type")), SAMPLE)


def _planned(word: str, folder: Path, use: Mapping[str, object]) -> Plan:
    return plan.make(read(pipeline_with(word, use), "pipeline.yaml"), folder)


def _refuses_unknown_keys(word: str, folder: Path, use: Mapping[str, object]) -> None:
    try:
        _planned(word, folder, {**use, NO_KEY: 1})
    except FileError as error:
        told = [m for m in error.mistakes if NO_KEY in m.what and m.where]
        demand(told, f"the task {word} does not name an unknown key and its place")
    else:
        raise AssertionError(f"the task {word} accepts keys that it does not know")


def _plans(word: str, folder: Path, use: Mapping[str, object], *, must_be_right: bool) -> None:
    """``check`` tells mistakes with their place; what it lets through can be planned and read."""
    try:
        planned = _planned(word, folder, use)
    except FileError as error:
        for mistake in error.mistakes:
            demand(mistake.what, f"a mistake of {word} does not say what is wrong")
            demand(mistake.where, f"a mistake of {word} has no place: {mistake.what}")
        demand(not must_be_right, f"the task {word} refuses a use that should be right:\n{error}")
        return
    step = next(step for step in reversed(planned.steps) if step.scope.entry.word == word)
    for line in step.task.demands(step.scope):
        demand(
            str(line).splitlines() == [line],
            f"every demand of {word} must be one line, not {line!r}",
        )
    for read_by_it in step.task.inputs(step.scope):
        demand(
            isinstance(read_by_it, Input | Path),
            f"an input of {word} must be an Input or a Path, not {read_by_it!r}",
        )
        if isinstance(read_by_it, Input):
            step.scope.dataset(read_by_it.dataset)
