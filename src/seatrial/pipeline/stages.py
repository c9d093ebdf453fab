"""The stages of a pipeline file and their tasks, in order, with an address for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial import extend
from seatrial.pipeline import Stage, TaskEntry, condition
from seatrial.pipeline.notes import NAME, kind, short

if TYPE_CHECKING:
    from seatrial.pipeline.condition import Condition
    from seatrial.pipeline.located import Path
    from seatrial.pipeline.notes import Notes

KEYS = ("name", "condition", "tasks")
"""What a stage may say."""


def stages(written: object, notes: Notes) -> tuple[Stage, ...]:
    """Every stage that can be recognised; what is wrong is noted."""
    if not isinstance(written, list):
        what = f"'stages' must be a list, not {kind(written)}"
        notes.wrong(("stages",), what, fix="begin each stage with '- name: …'")
        return ()
    if not written:
        notes.wrong(("stages",), "'stages' is empty", fix="add a stage: '- name: …' with 'tasks:'")
    names = _names(written, notes)
    return tuple(
        _stage(stage, position, names, notes)
        for position, stage in enumerate(written)
        if isinstance(stage, dict)
    )


def _names(written: list[object], notes: Notes) -> list[str]:
    """One name for each item of the list; what has none is called by its position."""
    names: list[str] = []
    for position, stage in enumerate(written):
        path: Path = ("stages", position)
        name: object = f"stage_{position + 1}"
        if not isinstance(stage, dict):
            what = f"a stage must be a mapping with 'name' and 'tasks', not {kind(stage)}"
            notes.wrong(path, what, fix="begin each stage with '- name: …'")
        elif "name" not in stage:
            notes.wrong(path, "this stage has no name", fix="begin the stage with '- name: …'")
        elif notes.name((*path, "name"), stage["name"], "a stage"):
            name = stage["name"]
            if name in names:
                first = notes.where(("stages", names.index(str(name)), "name"))
                what, fix = f"a second stage is called {name!r}", f"rename it; the first: {first}"
                notes.wrong((*path, "name"), what, fix=fix)
        elif isinstance(stage["name"], str) and "." not in stage["name"]:
            name = stage["name"]
        names.append(str(name))
    return names


def _stage(written: dict[object, object], position: int, names: list[str], notes: Notes) -> Stage:
    path: Path = ("stages", position)
    name = names[position]
    meant = {
        notes.unknown((*path, _step(key)), f"the stage {name!r} has an unknown key", key, KEYS)
        for key in written
        if key not in KEYS
    }
    tasks: tuple[TaskEntry, ...] = ()
    if "tasks" in written:
        tasks = _tasks(written["tasks"], (*path, "tasks"), name, notes)
    elif "tasks" not in meant:
        notes.wrong(path, f"the stage {name!r} has no tasks", fix="add 'tasks:' with a list")
    return Stage(
        name,
        _condition(written["condition"], path, names, notes) if "condition" in written else None,
        tasks,
        notes.where((*path, "name")),
    )


def _condition(written: object, stage: Path, names: list[str], notes: Notes) -> Condition | None:
    path: Path = (*stage, "condition")
    if not isinstance(written, str):
        notes.wrong(
            path,
            f"a condition must be a text, not {kind(written)}",
            fix=f"write such as 'condition: {condition.ALL}', or remove the line",
        )
        return None
    position = int(stage[1])
    valid = [name if NAME.fullmatch(name) else "" for name in names]
    found = condition.Condition(written)
    notes.mistakes.extend(
        condition.check(
            found,
            str(notes.where(path)),
            [name for name in valid[:position] if name],
            [name for name in valid[position:] if name],
        )
    )
    return found


def _tasks(written: object, path: Path, stage: str, notes: Notes) -> tuple[TaskEntry, ...]:
    if not isinstance(written, list):
        what = f"the tasks of {stage!r} must be a list, not {kind(written)}"
        notes.wrong(path, what, fix="begin each task with '- ', such as '- train:'")
        return ()
    if not written:
        notes.wrong(path, f"the stage {stage!r} has no tasks", fix="add one, such as '- train:'")
    found: list[TaskEntry] = []
    for position, item in enumerate(written):
        task = _task(item, (*path, position), stage, [entry.word for entry in found], notes)
        found += [task] if task else []
    return tuple(found)


def _task(
    item: object, path: Path, stage: str, before: list[str], notes: Notes
) -> TaskEntry | None:
    word, parameters, at = _word(item, path, notes)
    if word is None:
        return None
    known = extend.names("tasks")
    if word not in known:
        notes.unknown(at, "unknown task", word, known)
    repeated = before.count(word)
    places = {
        place[len(at) :]: where
        for place, where in notes.places.items()
        if len(place) > len(at) and place[: len(at)] == at
    }
    return TaskEntry(
        word,
        f"{stage}.{word}-{repeated + 1}" if repeated else f"{stage}.{word}",
        _parameters(parameters, at, word, notes),
        places,
        notes.where(at),
    )


def _word(item: object, path: Path, notes: Notes) -> tuple[str | None, object, Path]:
    """The word of a task, what stands below it, and the path of the word."""
    if isinstance(item, str):
        return item, None, path
    if not isinstance(item, dict) or not item:
        what = f"a task must be a word with its parameters, not {kind(item)}"
        notes.wrong(path, what, fix="write '- word:' and its parameters below, indented")
        return None, None, path
    first, *others = item
    at: Path = (*path, _step(first))
    if not isinstance(first, str):
        notes.wrong(at, f"a task must begin with a word, not {kind(first)}", fix="write '- word:'")
        return None, None, at
    if not others:
        return first, item[first], at
    if item[first] is None:
        # The classic: parameters at the same indentation as their word. They are what was meant.
        what = f"{short(others[0])} is not indented below the task {first!r}"
        fix = f"indent the lines below '{first}:' by two more spaces"
        notes.wrong((*path, _step(others[0])), what, fix=fix)
        return first, None, at
    what = f"one task cannot be both {first!r} and {short(others[0])}"
    notes.wrong((*path, _step(others[0])), what, fix="begin each task with its own '- '")
    return first, item[first], at


def _parameters(written: object, path: Path, word: str, notes: Notes) -> dict[str, object]:
    if written is None:
        return {}
    if not isinstance(written, dict):
        what = f"the parameters of {word!r} must be 'key: value' lines, not {kind(written)}"
        notes.wrong(path, what, fix=f"write them below '{word}:', indented")
        return {}
    found: dict[str, object] = {}
    for key, value in written.items():
        if isinstance(key, str):
            found[key] = value
        else:
            what = f"a parameter of {word!r} must be called by a word, not {kind(key)}"
            notes.wrong((*path, _step(key)), what, fix="put the key into quotes if it is a name")
    return found


def _step(key: object) -> str | int:
    return key if isinstance(key, str | int) else str(key)
