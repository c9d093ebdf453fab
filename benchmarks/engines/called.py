"""What each call of seatrial costs inside an engine: an interpreter that notes it."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Called:
    """One call: ``begin``, ``step`` or ``report``; seconds from its start to its end."""

    word: str
    wall_s: float
    cpu_s: float


# The shell itself takes some milliseconds, which are counted as the engine's.
_SCRIPT = """\
#!/bin/bash
exec 3>&2
TIMEFORMAT="$3 %3R %3U %3S"
{{ time {python} "$@" 2>&3; }} 2>>{notes}
"""


def interpreter(folder: Path) -> Path:
    """A program that is this Python, and notes each call in ``costs.txt`` of ``folder``."""
    script = folder / "python"
    here, notes = shlex.quote(sys.executable), shlex.quote(str(folder / "costs.txt"))
    script.write_text(_SCRIPT.format(python=here, notes=notes), encoding="utf-8")
    script.chmod(0o755)
    return script


def taken(folder: Path) -> list[Called]:
    """The calls since it was asked last, in the order of their ends."""
    notes = folder / "costs.txt"
    lines = [line.split() for line in notes.read_text(encoding="utf-8").splitlines()]
    notes.unlink()
    return [
        Called(word, float(wall_s), float(user_s) + float(system_s))
        for word, wall_s, user_s, system_s in lines
    ]
