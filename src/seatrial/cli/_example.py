"""The flights example, and a copy of it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from seatrial.errors import Mistake, UsageError
from seatrial.workspace import HOME


def copy_example(folder: Path) -> None:
    """Copy the example; :class:`UsageError` when a file of it is already there."""
    example = example_folder()
    left_behind = {".seatrial", "__pycache__", ".pytest_cache"}
    files = sorted(f for f in example.rglob("*") if f.is_file() and left_behind.isdisjoint(f.parts))
    taken = [f for f in files if (folder / f.relative_to(example)).exists()]
    if taken:
        raise UsageError(
            Mistake(
                f"{taken[0].relative_to(example)} is already there; nothing was written",
                where=str(folder),
                fix="name an empty folder",
            )
        )
    for file in files:
        target = folder / file.relative_to(example)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    # what a project remembers is no part of its code: never over a file that stands there
    with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x") as ignored:
        ignored.write(f"{HOME}/\n")


def example_folder() -> Path:
    """The flights example: inside the installed package, or beside the source in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_flights"
    return installed if installed.is_dir() else package.parents[1] / "examples" / "flights"
