"""The code that a bundle carries, so that a machine without this package can prove it."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("environment", "inference")
FILES = (
    "__init__.py",
    "data/__init__.py",
    "data/dataset.py",
    "data/whole_file.py",
    "errors.py",
    "workspace.py",
)
"""What those folders import beside themselves; all of it needs the standard library only."""


def carried() -> dict[str, bytes]:
    """The modules by their path in the bundle.

    >>> "seatrial/environment/__main__.py" in carried()
    True
    """
    package = Path(__file__).parents[2]
    folders = (file for name in FOLDERS for file in (package / name).rglob("*.py"))
    files = sorted({*folders, *(package / name for name in FILES)})
    return {f"seatrial/{each.relative_to(package).as_posix()}": each.read_bytes() for each in files}
