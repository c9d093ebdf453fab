"""How is a dataset distributed? Counts on stored edges, kept as a small JSON file.

Counts on fixed edges add up across files and days, so a profile is all that a later comparison
needs of its reference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seatrial.data import whole_file
from seatrial.data.column import listed
from seatrial.data.dataset import FOLDER, SUFFIXES
from seatrial.data.profiles.form import faults
from seatrial.data.shape import ColumnProfile, Within
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data import Rows
    from seatrial.data.shape import Shape

FORMAT = "seatrial.profile"
VERSION = 2

ANOTHER = "name a file that `seatrial profile DATA -o FILE` wrote"
"""Where the file is something else: to write a profile in its place would destroy that."""

_LINE = 240
"""No fault is told in more characters: a hand-edited name may be as long as it likes."""

SLICES = 20
"""So many of the most frequent values of a column have a slice of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The distribution of every column in the rows whose text in ``column`` is ``value``."""

    column: str
    value: str
    rows: int
    columns: tuple[ColumnProfile, ...]

    @property
    def within(self) -> Within:
        """The rows that it is of."""
        return Within(self.column, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The distribution of every column of one dataset, and of its slices on the same shapes."""

    dataset: str
    fingerprint: str
    rows: int
    columns: tuple[ColumnProfile, ...]
    slices: tuple[Slice, ...] = ()

    def column(self, name: str) -> ColumnProfile | None:
        """The column of that name, if any."""
        return next((column for column in self.columns if column.name == name), None)

    def slice(self, column: str, value: str) -> Slice | None:
        """The slice of that value, if it has one."""
        found = (part for part in self.slices if (part.column, part.value) == (column, value))
        return next(found, None)

    @property
    def sliced_by(self) -> tuple[str, ...]:
        """The columns whose values have slices."""
        return tuple(dict.fromkeys(part.column for part in self.slices))


def make(rows: Rows, by: Sequence[str] = ()) -> Profile:
    """The profile of all columns of a dataset, the target too. The same file gives the same one.

    Each of the most frequent values of the columns ``by`` has a slice. Raises FormError when
    there is no such column.
    """
    _demand_sliceable(rows, by)
    slices = [Within(name, value) for name in by for value, _ in rows.unlisted(name, (), SLICES)]
    return count(rows, rows.outline(rows.columns), slices)


def count(rows: Rows, shapes: Sequence[Shape], slices: Sequence[Within] = ()) -> Profile:
    """The profile of a dataset on given shapes, so that it can be added to others on the same."""
    return Profile(
        dataset=rows.dataset.name,
        fingerprint=rows.fingerprint,
        rows=rows.rows,
        columns=tuple(noted(column) for column in rows.tally(shapes)),
        slices=tuple(_sliced(rows, shapes, part) for part in slices if part.value is not None),
    )


def noted(column: ColumnProfile) -> ColumnProfile:
    """The column with a word on what is special about it.

    >>> noted(ColumnProfile(name="late", kind="boolean", values=("true",), counts=(7,))).note
    "always 'true'"
    """
    return replace(column, note=_note(column))


def _note(column: ColumnProfile) -> str:
    if column.kind == "other":
        return "nested, binary or an interval: only missing values are counted"
    if not column.present:
        return "no values"
    if column.kind in {"string", "boolean"}:
        only = next((v for v, n in zip(column.values, column.counts, strict=True) if n), None)
        constant = not column.other and sum(n > 0 for n in column.counts) == 1
        return f"always {only!r}" if constant else ""
    constant = column.minimum == column.maximum and column.n == column.present
    if not constant:
        return ""
    return f"always {column.minimum:.15g}" if column.kind == "number" else "always the same time"


def _sliced(rows: Rows, shapes: Sequence[Shape], part: Within) -> Slice:
    columns = tuple(noted(column) for column in rows.tally(shapes, part))
    # Every column has counted each of the slice's rows.
    total = columns[0].present + columns[0].missing
    return Slice(column=part.column, value=str(part.value), rows=total, columns=columns)


def _demand_sliceable(rows: Rows, by: Sequence[str]) -> None:
    kinds = {column.name: column.kind for column in rows.columns}
    mistakes = [
        Mistake(
            f"dataset {rows.dataset.name!r} has no column {name!r} to be sliced by",
            where=rows.dataset.place,
            nearest=nearest(name, kinds),
            fix=f"use one of: {listed(kinds)}",
        )
        if name not in kinds
        else Mistake(
            f"column {name!r} holds nested or binary values: nothing can be sliced by them",
            where=rows.dataset.place,
            fix="name a column of texts, booleans or whole numbers",
        )
        for name in by
        if kinds.get(name, "other") == "other"
    ]
    if mistakes:
        raise FormError(*mistakes)


def encode(profile: Profile) -> bytes:
    """A profile as JSON; the same one gives the same bytes."""
    document = {"format": FORMAT, "version": VERSION, **msgspec.to_builtins(profile)}
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def write(profile: Profile, path: Path) -> None:
    """Write a profile: into a file beside ``path`` that then takes its name.

    Raises FormError when the folder cannot be written.
    """
    whole_file.replace(path, encode(profile), "the profile")


def read(path: Path, data: Path | str | None = None) -> Profile:
    """Read a profile. ``data`` is the dataset (name or file) that the fix is to profile.

    Raises FormError when the file is missing, is no profile, is of another version, or says
    what cannot be.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError as fault:
        raise _wrong(path, data, "does not exist", _nearest(path)) from fault
    except OSError as fault:
        raise _wrong(path, data, f"cannot be read: {fault.strerror or fault}") from fault
    try:
        return decode(text)
    except FormError as fault:
        wrong = fault.mistakes[0]
        raise _wrong(path, data, wrong.what, fix=wrong.fix) from fault


def decode(text: bytes) -> Profile:
    """The profile that :func:`encode` gave. FormError when it is none, or says what cannot be."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        if text.strip() and not text.lstrip().startswith(b"{"):
            raise FormError(Mistake("is not a profile (no JSON)", fix=ANOTHER)) from fault
        raise FormError(Mistake(f"is damaged: {fault}")) from fault
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise FormError(Mistake(f"is not a profile (no format {FORMAT!r})", fix=ANOTHER))
    if document.get("version") != VERSION:
        found = str(document.get("version"))[:20]
        raise FormError(Mistake(f"is of version {found}; this program reads {VERSION}"))
    wrong = [*faults(document)]
    if wrong:
        more = f"\n  … and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise FormError(Mistake(f"is damaged: {wrong[0][:_LINE]}{more}"))
    return msgspec.convert(document, Profile)


def _wrong(
    path: Path, data: Path | str | None, what: str, near: str = "", fix: str = ""
) -> FormError:
    return FormError(
        Mistake(
            f"the profile {path.name!r} {what}",
            where=str(path),
            nearest=near,
            fix=fix or f"make it: `seatrial profile {data or _guess(path)} -o {path}`",
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
