"""What ``--set STAGE.TASK.KEY=YAML`` changes in the tasks that were read."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, nearest
from seatrial.pipeline import Place, Stage, TaskEntry
from seatrial.pipeline.located import Path, locate
from seatrial.pipeline.notes import kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FORM = re.compile(r"(?P<address>[^.=]+\.[^.=]+)\.(?P<keys>[^=]+)=(?P<yaml>.*)", re.DOTALL)


def apply(
    changes: Sequence[str], stages: tuple[Stage, ...]
) -> tuple[tuple[Stage, ...], tuple[Mistake, ...]]:
    """The stages with every change applied in order, and what is wrong with the changes.

    A change that cannot be understood is left out and told.
    """
    mistakes: list[Mistake] = []
    tasks = {task.address: task for stage in stages for task in stage.tasks}
    for change in changes:
        changed = _change(change, tasks)
        if isinstance(changed, TaskEntry):
            tasks[changed.address] = changed
        else:
            mistakes.extend(changed)
    return tuple(
        dataclasses.replace(stage, tasks=tuple(tasks[task.address] for task in stage.tasks))
        for stage in stages
    ), tuple(mistakes)


def _change(change: str, tasks: Mapping[str, TaskEntry]) -> TaskEntry | tuple[Mistake, ...]:
    form = _FORM.fullmatch(change)
    if form is None or not all(keys := form["keys"].split(".")):
        return (
            Mistake(
                f"cannot understand the change {change[:60]!r}",
                "--set",
                fix="write --set STAGE.TASK.KEY=YAML, "
                "such as --set evaluate_model.unit_tests.runs=100",
            ),
        )
    address = form["address"]
    place = Place(f"--set {address}.{form['keys']}")
    if address not in tasks:
        return (
            Mistake(
                f"no task is called {address!r}",
                str(place),
                nearest=nearest(address, tasks),
                fix=_known(tasks),
            ),
        )
    found = locate(form["yaml"], place.file)
    if found.mistakes:
        # The value stands on no line of the file: only the change itself can be pointed at.
        return tuple(dataclasses.replace(m, where=str(place)) for m in found.mistakes)
    return _changed(tasks[address], keys, found.value, found.places, place)


def _changed(
    task: TaskEntry, keys: list[str], value: object, inner: Mapping[Path, Place], place: Place
) -> TaskEntry | tuple[Mistake, ...]:
    path = tuple(keys)
    parameters = _with(task.parameters, keys, value)
    if isinstance(parameters, Mistake):
        return (dataclasses.replace(parameters, where=str(place)),)
    places = {p: q for p, q in task.places.items() if p[: len(path)] != path}
    places.update(dict.fromkeys(((*path, *below) for below in inner), place))
    places[path] = place
    return dataclasses.replace(task, parameters=parameters, places=places)


def _with(
    mapping: Mapping[str, object], keys: list[str], value: object
) -> dict[str, object] | Mistake:
    """The mapping with one value changed, however deep; the original stays as it is."""
    key, *below = keys
    if not below:
        return {**mapping, key: value}
    inner = mapping.get(key, {})
    if not isinstance(inner, dict):
        return Mistake(
            f"{key!r} is {kind(inner)}, so it has no {'.'.join(below)!r}",
            fix=f"change {key!r} as a whole: --set ….{key}=YAML",
        )
    changed = _with(inner, below, value)
    return changed if isinstance(changed, Mistake) else {**mapping, key: changed}


def _known(tasks: Mapping[str, TaskEntry]) -> str:
    shown = list(tasks)[:6]
    return f"use one of: {', '.join(shown)}{', …' if len(tasks) > len(shown) else ''}"
