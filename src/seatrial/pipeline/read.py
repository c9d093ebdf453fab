"""YAML text to a Pipeline, with every mistake at once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from seatrial.errors import FileError, Mistake, nearest
from seatrial.pipeline import Pipeline, schedule
from seatrial.pipeline.change import apply
from seatrial.pipeline.located import locate
from seatrial.pipeline.notes import Notes, by_place, kind
from seatrial.pipeline.settings import OPTIONAL, settings
from seatrial.pipeline.stages import stages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEYS = ("name", "schedule", "stages", *OPTIONAL)
"""Every key that may stand at the top of a pipeline file."""

_SUFFIXES = {".yaml", ".yml"}


def read(text: str, file: str, changes: Sequence[str] = ()) -> Pipeline:
    r"""Read a pipeline. Never raises for what the text says: see ``mistakes`` of the result.

    >>> pipeline = read("name: demo\nstages: []\nseeed: 1\n", "pipeline.yaml")
    >>> [mistake.where for mistake in pipeline.mistakes]
    ['pipeline.yaml:2:1', 'pipeline.yaml:3:1']
    >>> pipeline.mistakes[1].nearest
    'seed'
    """
    found = locate(text, file)
    notes = Notes(file, found.places, list(found.mistakes))
    top = _top(found.value, notes)
    _missing(top, notes)
    written = stages(top["stages"], notes) if "stages" in top else ()
    changed, of_changes = apply(changes, written)
    return Pipeline(
        name=_name(top, notes),
        file=file,
        text=text,
        # "surrogatepass": a text that cannot be a file still gets its mistake, not an exception
        digest=f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}",
        stages=changed,
        schedule=_schedule(top, notes),
        settings=settings(top, notes),
        places=found.places,
        mistakes=(*by_place(notes.mistakes), *of_changes),
        changes=tuple(changes),
    )


def read_file(path: Path | str, changes: Sequence[str] = ()) -> Pipeline:
    """Read a pipeline file; a FileError when it cannot be opened or is no UTF-8 text."""
    file = Path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise FileError(_not_found(file, "does not exist")) from error
    except IsADirectoryError as error:
        raise FileError(_not_found(file, "is a folder, not a pipeline file")) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        fix = "check that it is a file and that you may read it"
        raise FileError(Mistake(f"cannot read {file}: {why}", str(file), fix=fix)) from error
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        what = f"{file.name} is not UTF-8: byte 0x{content[error.start]:02x}"
        fix = "save the file as UTF-8"
        raise FileError(Mistake(what, f"{file}:{line}:{column}", fix=fix)) from error
    return read(text, str(file), changes)


def _top(value: object, notes: Notes) -> Mapping[str, object]:
    """The mapping of the whole file; what is no known key of it is noted and left out."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if _known(key, notes)}
    if value is not None:
        what = f"a pipeline file is a mapping of keys, not {kind(value)}"
        notes.wrong((), what, fix="begin the file with 'name: …'")
    elif not notes.mistakes:
        what = "the file is empty"
        notes.wrong((), what, fix="write 'name:' and 'stages:', or try 'seatrial init'")
    return {}


def _known(key: object, notes: Notes) -> bool:
    if isinstance(key, str) and key in KEYS:
        return True
    step = key if isinstance(key, str | int) else str(key)
    near = nearest(str(key), KEYS)
    fix = f"use one of: {', '.join(KEYS)}"
    notes.wrong((step,), f"unknown key {str(key)[:40]!r}", near=near, fix=fix)
    return False


def _missing(top: Mapping[str, object], notes: Notes) -> None:
    """Note the keys that every pipeline needs, unless a misspelling of them is noted already."""
    meant = {mistake.nearest for mistake in notes.mistakes}
    for key, fix in (
        ("name", "add 'name: my_pipeline'"),
        ("stages", "add 'stages:' and below it a list that begins with '- name: …'"),
    ):
        if () in notes.places and key not in top and key not in meant and _is_mapping(notes):
            notes.wrong((), f"the pipeline has no {key!r}", fix=fix)


def _is_mapping(notes: Notes) -> bool:
    return not any(mistake.what.startswith("a pipeline file is") for mistake in notes.mistakes)


def _name(top: Mapping[str, object], notes: Notes) -> str:
    value = top.get("name", "")
    if "name" in top:
        notes.name(("name",), value, "a pipeline")
    return value if isinstance(value, str) else ""


def _schedule(top: Mapping[str, object], notes: Notes) -> str | None:
    if "schedule" not in top:
        return None
    value = top["schedule"]
    if not isinstance(value, str):
        what = f"'schedule' must be a text in quotes, not {kind(value)}"
        notes.wrong(("schedule",), what, fix='write such as schedule: "0 2 * * *"')
        return None
    mistake = schedule.check(value, str(notes.where(("schedule",))))
    if mistake:
        notes.mistakes.append(mistake)
    return None if mistake else value


def _not_found(file: Path, why: str) -> Mistake:
    """The mistake of a path that is no file, with the pipeline file that was probably meant."""
    folder = file if file.is_dir() else file.parent
    try:
        there = sorted(item.name for item in folder.iterdir() if item.suffix in _SUFFIXES)
    except OSError:
        there = []
    close = nearest(file.name, there) or (there[0] if len(there) == 1 else "")
    near = str(folder / close) if close else ""
    fix = f"name the file: {near}" if near else "check the path, or try 'seatrial init'"
    return Mistake(f"{file} {why}", str(file), nearest=near, fix=fix)
