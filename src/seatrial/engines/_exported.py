"""What exported files share: templates, and a seal that tells whether one was edited since."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from seatrial.engines._python import listed, literal
from seatrial.engines._release import installed
from seatrial.environment.printable import printable

if TYPE_CHECKING:
    from seatrial.engines._call import Call
    from seatrial.engines._outline import Outline

_SEAL = re.compile(r"^# Sealed: ([0-9a-f]{16})$", re.MULTILINE)
_FOLDER = Path(__file__).parent / "exported"


def filled(template: str, **values: str) -> str:
    """A template of the folder ``exported``, filled in; ``$NAME`` is a place."""
    return Template((_FOLDER / template).read_text(encoding="utf-8")).substitute(values)


def calling(outline: Outline, call: Call) -> str:
    """The part that calls seatrial, the same in every engine whose file is of Python."""
    return filled(
        "calling.txt",
        SEATRIAL=listed(map(literal, call.words), before="SEATRIAL = "),
        FOLDER=literal(str(call.folder)),
        FILE=literal(call.file),
        EXPORTED=literal(outline.digest),
    ).strip()


def sealed(engine: str, outline: Outline, text: str) -> str:
    """The file as it is written: a head that tells where it comes from, then ``text``."""
    file = printable(outline.file)  # a name may hold the end of a line, and what follows is obeyed
    head = [
        f"# Written by `seatrial export {engine} {file}` (seatrial {installed()}).",
        "# Change the pipeline file or the command's options, and export again: edits are lost.",
    ]
    content = "\n".join([*head, "", text])
    return f"# Sealed: {_digest(content)}\n{content}"


def edited(content: str) -> bool | None:
    """Whether a sealed file was edited since it was written; ``None``: it bears no seal."""
    seal = _SEAL.match(content)
    if seal is None:
        return None
    return _digest(content[seal.end() + 1 :]) != seal.group(1)


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]
