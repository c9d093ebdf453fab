"""What does a schema file demand? The keys of ``check_schema``, but for the dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.schema.demands import Demands
from seatrial.data.schema.misstated import wrong
from seatrial.errors import FileError, Mistake, nearest
from seatrial.pipeline.located import locate
from seatrial.pipeline.notes import Notes, by_place, kind
from seatrial.pipeline.parameters import typed

if TYPE_CHECKING:
    from pathlib import Path


def read_schema(path: Path) -> Demands:
    """The demands in a YAML file, as ``seatrial profile DATA -o FILE --schema PATH`` writes it.

    Raises FileError with every mistake in it, each at its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as fault:
        raise FileError(_unreadable(path, fault)) from fault
    except UnicodeDecodeError as fault:
        mistake = Mistake(f"{path.name} is not UTF-8", str(path), fix="save the file as UTF-8")
        raise FileError(mistake) from fault
    found = locate(text, str(path))
    notes = Notes(str(path), found.places, list(found.mistakes))
    written = {} if found.value is None else found.value
    if not isinstance(written, dict):
        what = f"a schema file is a mapping of keys, not {kind(written)}"
        notes.wrong((), what, fix="begin it with `columns:`")
        written = {}
    mistakes, demands = typed(Demands, "a schema", written, lambda *keys: notes.where(keys))
    mistakes += notes.mistakes
    if demands is not None:
        mistakes += wrong(demands, lambda *keys: notes.where(keys))
    if demands is None or mistakes:
        raise FileError(*by_place(mistakes))
    return demands


def _unreadable(path: Path, fault: OSError) -> Mistake:
    if isinstance(fault, FileNotFoundError):
        near = nearest(path.name, [file.name for file in path.parent.glob("*.y*ml")])
        fix = f"draft one: `seatrial profile DATA -o PROFILE --schema {path.name}`"
        return Mistake(f"there is no schema file {path.name}", str(path), nearest=near, fix=fix)
    what = f"the schema file {path.name} cannot be read: {fault.strerror or fault}"
    return Mistake(what, str(path), fix="check that it is a file, and that you may read it")
