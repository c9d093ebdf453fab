"""What does a file of labels say? All of it is right, or all that is wrong is told at once."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from seatrial.review.drawing import Place
    from seatrial.review.labelling import Label, Sheet

COLUMNS = ("id", "row", "label")
NEEDED = ("id", "label")


class _Line(NamedTuple):
    number: int
    id: str
    row: str
    label: str


def read(file: Path, sheet: Sheet) -> dict[Place, Label]:
    """The labels of a CSV file with the columns id, label and, if it is not 0, row.

    Rows without a label are left for later. :class:`UsageError` with every mistake and its line:
    what was not asked for, what is no class, what got two labels, here or here and before.
    """
    lines = _lines(file)
    known = {(each.place.id, each.place.row): each.place for each in sheet.rows}
    found: dict[Place, Label] = {}
    mistakes: list[Mistake] = []
    first: dict[Place, int] = {}
    for line in lines:
        where = f"{file.name}, line {line.number}"
        place = known.get((line.id, int(line.row))) if line.row.isdecimal() else None
        if place is None:
            mistakes.append(_not_asked(line, known, where))
            continue
        if not line.label:
            continue
        label = class_of(line.label, sheet.asked.classes)
        if label is None:
            mistakes.append(_no_class(line, sheet.asked.classes, where))
            continue
        earlier = sheet.given.get(place)
        if place in found and found[place] != label:
            mistakes.append(_twice(line, where, found[place], f"in line {first[place]}"))
        elif earlier is not None and earlier.label != label:
            mistakes.append(_twice(line, where, earlier.label, f"by {earlier.by} before"))
        else:
            found[place] = label
            first.setdefault(place, line.number)
    if mistakes:
        raise UsageError(*mistakes)
    return found


def class_of(word: str, classes: Sequence[Label]) -> Label | None:
    """The class that is spelled so; None when there is none.

    >>> class_of("1", (0, 1)), class_of("Yes", ("no", "yes"))
    (1, None)
    """
    return next((label for label in classes if str(label) == word), None)


def _lines(file: Path) -> Iterator[_Line]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            heads = [(head or "").strip() for head in reader.fieldnames or ()]
            mistakes = [*_heads(heads, file)]
            if mistakes:
                raise UsageError(*mistakes)
            reader.fieldnames = heads
            for line in reader:
                told = {name: (line.get(name) or "").strip() for name in COLUMNS}
                if any(told.values()):
                    yield _Line(reader.line_num, told["id"], told["row"] or "0", told["label"])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            Mistake(f"cannot read the labels: {said}", where=str(file), fix=_FIX)
        ) from error


_FIX = "a CSV file in UTF-8 with the columns id,row,label (row is 0 where it is left out)"


def _heads(heads: Sequence[str], file: Path) -> Iterator[Mistake]:
    for name in NEEDED:
        if name not in heads:
            near = nearest(name, heads)
            yield Mistake(f"there is no column {name!r}", f"{file.name}, line 1", near, _FIX)


def _not_asked(line: _Line, known: Mapping[tuple[str, int], Place], where: str) -> Mistake:
    ids = {identity for identity, _ in known}
    if line.id in ids:
        rows = ", ".join(str(row) for identity, row in known if identity == line.id)
        return Mistake(f"row {line.row} of {line.id!r} was not asked for", where, f"row {rows}")
    return Mistake(
        f"request {line.id!r} was not asked for",
        where,
        nearest(line.id, ids),
        "only requests of the list count, for whoever picks them picks the verdict:"
        " `seatrial label ID --json` prints it",
    )


def _no_class(line: _Line, classes: Sequence[Label], where: str) -> Mistake:
    words = [str(label) for label in classes]
    near = nearest(line.label, words)
    return Mistake(f"{line.label!r} is no class", where, near, f"one of {', '.join(words)}")


def _twice(line: _Line, where: str, before: Label | None, when: str) -> Mistake:
    said = "nobody can judge it" if before is None else repr(str(before))
    return Mistake(
        f"row {line.row} of {line.id!r} is {line.label!r} here, and was {said} {when}",
        where,
        fix="say which is right: the first label that was taken stays",
    )
