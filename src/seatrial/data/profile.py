"""How is a dataset distributed? Counts on stored edges, kept as a small JSON file.

Counts on fixed edges add up across files and days, so a profile is all that a later comparison
needs of its reference.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seatrial.data.dataset import FOLDER, SUFFIXES
from seatrial.data.shape import ColumnProfile  # noqa: TC001 - msgspec reads annotations at run time
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from seatrial.data import Rows

FORMAT = "seatrial.profile"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The distribution of every column of one dataset."""

    dataset: str
    fingerprint: str
    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile | None:
        """The column of that name, if any."""
        return next((column for column in self.columns if column.name == name), None)


def make(rows: Rows) -> Profile:
    """The profile of all columns of a dataset, the target too. The same file gives the same one."""
    return Profile(
        dataset=rows.dataset.name,
        fingerprint=rows.fingerprint,
        rows=rows.rows,
        columns=rows.tally(rows.outline(rows.columns)),
    )


def write(profile: Profile, path: Path) -> None:
    """Write a profile: into a file beside ``path`` that then takes its name.

    Raises FormError when the folder cannot be written.
    """
    document = {"format": FORMAT, "version": VERSION, **msgspec.to_builtins(profile)}
    text = msgspec.json.format(msgspec.json.encode(document), indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".profile-") as folder:
            temporary = Path(folder, path.name)
            with temporary.open("wb") as file:
                file.write(text + b"\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as fault:
        what = f"the profile cannot be written: {fault.strerror or fault}"
        raise FormError(Mistake(what, where=str(path), fix="check folder and disk")) from fault


def read(path: Path, data: Path | str | None = None) -> Profile:
    """Read a profile. ``data`` is the dataset (name or file) that the fix is to profile.

    Raises FormError when the file is missing, is no profile, or is of another version.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError as fault:
        raise _wrong(path, data, "does not exist", _nearest(path)) from fault
    except OSError as fault:
        raise _wrong(path, data, f"cannot be read: {fault.strerror or fault}") from fault
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise _wrong(path, data, f"is damaged: {fault}") from fault
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _wrong(path, data, f"is not a profile (no format {FORMAT!r})")
    if document.get("version") != VERSION:
        found = document.get("version")
        raise _wrong(path, data, f"is of version {found!r}; this program reads {VERSION}")
    try:
        profile = msgspec.convert(document, Profile, strict=True)
    except msgspec.ValidationError as fault:
        raise _wrong(path, data, f"is damaged: {fault}") from fault
    if not all(_consistent(column) for column in profile.columns):
        raise _wrong(path, data, "is damaged: edges or values do not fit their counts")
    return profile


def _consistent(column: ColumnProfile) -> bool:
    expected = {"number": len(column.edges) + 1, "string": len(column.values)}
    expected["boolean"] = expected["string"]
    ascending = all(a < b for a, b in itertools.pairwise(column.edges))
    return ascending and len(column.counts) == expected.get(column.kind, 0)


def _wrong(path: Path, data: Path | str | None, what: str, near: str = "") -> FormError:
    return FormError(
        Mistake(
            f"the profile {path.name!r} {what}",
            where=str(path),
            nearest=near,
            fix=f"make it: `seatrial profile {data or _guess(path)} -o {path}`",
        )
    )


def _guess(path: Path) -> str:
    """A dataset beside the profile that it could be of: ``training_data`` before others."""
    folder = path.parent / FOLDER
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    known = [file for file in files if file.name.endswith(SUFFIXES)]
    training = [file for file in known if file.name.startswith("train")]
    return str((training or known or [Path(FOLDER, "training_data.csv")])[0])


def _nearest(path: Path) -> str:
    folder = path.parent
    return nearest(path.name, [f.name for f in folder.glob("*.json")] if folder.is_dir() else [])
