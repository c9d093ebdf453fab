"""How is it said that a dataset cannot be opened? What, where, and what to do."""

from __future__ import annotations

import errno
import tempfile
from typing import TYPE_CHECKING

from seatrial.errors import FormError, Mistake, StoreError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.data.dataset import Dataset

_LINE = 160
"""No more than this many characters of a library's own message are shown."""


def damaged(dataset: Dataset, fault: Exception, name: str = "") -> FormError | StoreError:
    """The error for a file that a library could not read, in one line of its own words.

    ``name`` is the file when there are several. A full disk or memory is no damage, and is told
    as what it is.
    """
    text = str(fault).strip()
    if getattr(fault, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or "No space left" in text:
        what = f"there is no space for what dataset {dataset.name!r} needs beside it"
        fix = "free space there, or name another folder in the variable TMPDIR"
        return StoreError(Mistake(what, where=tempfile.gettempdir(), fix=fix))
    if type(fault).__name__ == "OutOfMemoryException" or text.startswith("Out of Memory"):
        what = f"memory is too small for what is asked of dataset {dataset.name!r}:\n  "
        fix = "ask less at once (fewer columns), or take a larger machine"
        return StoreError(Mistake(what + said(dataset, fault), where=dataset.place, fix=fix))
    return FormError(
        Mistake(
            f"dataset {dataset.name!r} is damaged or not what its name says:\n"
            f"  {said(dataset, fault)}",
            where=at(dataset, name),
            fix="write the file again from its source, or correct the ending of its name",
        )
    )


def said(dataset: Dataset, fault: Exception) -> str:
    """The first line of a library's message, without the place that is told beside it."""
    text = str(fault).strip()
    line = text.splitlines()[0] if text else type(fault).__name__
    for place in (f'file "{dataset.path}"', f"'{dataset.path}'", f": {dataset.path}"):
        line = line.replace(place, "")
    return " ".join(line.split())[:_LINE]


def at(dataset: Dataset, name: str) -> str:
    """Where one file of a dataset is; without ``name`` the dataset itself."""
    return f"{dataset.place.rstrip('/')}/{name}" if name else dataset.place


def unique_names(dataset: Dataset, names: Sequence[str]) -> None:
    """Refuse names that are empty or equal; SQL knows no upper case, so neither do we."""
    mistakes = []
    first: dict[str, str] = {}
    for position, name in enumerate(names, start=1):
        if not name.strip():
            what, fix = f"column {position} has no name", "give it a name, or drop the column"
        elif name.casefold() in first:
            rival = first[name.casefold()]
            also = "" if rival == name else f" (as {rival!r}: case does not tell columns apart)"
            what, fix = f"duplicate column name {name!r}{also}", "rename or drop one of the two"
        else:
            first[name.casefold()] = name
            continue
        where = f"{dataset.place}, column {position}"
        mistakes.append(Mistake(f"dataset {dataset.name!r}: {what}", where=where, fix=fix))
    if mistakes:
        raise FormError(*mistakes)


def unreadable(dataset: Dataset, path: Path, fault: OSError) -> Mistake:
    """A file that does not exist, or that may not or cannot be read."""
    where = dataset.place
    if isinstance(fault, PermissionError):
        what = f"dataset {dataset.name!r}: the file may not be read by this user"
        return Mistake(what, where=where, fix=f"allow it: `chmod +r {path.name}`")
    if isinstance(fault, FileNotFoundError | NotADirectoryError):
        files = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
        what = f"dataset {dataset.name!r}: the file does not exist"
        near = nearest(path.name, files)
        fix = "correct the path (of a pipeline's dataset: under `datasets:`)"
        return Mistake(what, where=where, nearest=near, fix=fix)
    what = f"dataset {dataset.name!r} cannot be read: {fault.strerror or fault}"
    return Mistake(what, where=where, fix="check the path and the disk")


def changed(dataset: Dataset, name: str, how: str) -> Mistake:
    """A file that was written, replaced or removed between two looks at it."""
    which = f"{name} " if name else ""
    return Mistake(
        f"dataset {dataset.name!r}: {which}{how} while it was read",
        where=at(dataset, name),
        fix="run again when nothing writes it",
    )


def is_empty(dataset: Dataset, name: str) -> Mistake:
    """A file of no bytes."""
    what = f"dataset {dataset.name!r} is an empty file"
    return Mistake(what, where=at(dataset, name), fix="write a header and rows")


def has_no_rows(dataset: Dataset) -> Mistake:
    """Columns, and nothing in them."""
    there = "columns" if dataset.table or dataset.query else "a header"
    what = f"dataset {dataset.name!r} has {there} but no rows"
    return Mistake(what, where=dataset.place, fix="write at least one row")


def unknown_kind(dataset: Dataset, suffix: str, known: Sequence[str]) -> FormError:
    """A file whose name has an ending that tells nothing."""
    return FormError(
        Mistake(
            f"dataset {dataset.name!r}: unknown kind of file {suffix!r}",
            where=dataset.place,
            nearest=nearest(suffix, known),
            fix=f"convert it to one of: {' '.join(known)}",
        )
    )
