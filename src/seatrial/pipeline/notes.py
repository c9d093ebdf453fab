"""Mistakes noted at the places of what was written, while a file is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, nearest
from seatrial.pipeline import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.pipeline.located import Path

NAME = re.compile(r"[a-z_][a-z0-9_]*")
_WIDTH = 40
_POSITION = re.compile(r":(\d+):(\d+)$")


@dataclass(frozen=True, slots=True)
class Notes:
    """The places of one file and the mistakes noted so far."""

    file: str
    places: Mapping[Path, Place]
    mistakes: list[Mistake] = field(default_factory=list)

    def where(self, path: Path) -> Place:
        """The place of a key or item; of what holds it when it is not written."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Place(self.file, 1, 1)

    def wrong(self, path: Path, what: str, *, near: str = "", fix: str = "") -> None:
        """Note one mistake at a path."""
        self.mistakes.append(Mistake(what, str(self.where(path)), nearest=near, fix=fix))

    def unknown(self, path: Path, what: str, word: object, known: Iterable[str]) -> str:
        """Note an unknown word and return the known one that was probably meant, or ''."""
        choices = tuple(known)
        near = nearest(str(word), choices)
        fix = f"use one of: {', '.join(choices)}" if choices else "remove it"
        self.wrong(path, f"{what} {short(word)}", near=near, fix=fix)
        return near

    def name(self, path: Path, value: object, owner: str) -> bool:
        """Whether a value is a name; what is none is noted."""
        if not isinstance(value, str):
            what = f"the name of {owner} must be a text, not {kind(value)}"
            self.wrong(path, what, fix="write a word, such as my_model")
            return False
        if NAME.fullmatch(value):
            return True
        proposal = re.sub(r"[^a-z0-9_]+", "_", value.lower())
        proposal = f"_{proposal}" if proposal[:1].isdigit() else proposal
        self.wrong(
            path,
            f"{short(value)} cannot be the name of {owner}",
            near=proposal[:60],
            fix="use lower-case letters, digits and '_', not beginning with a digit",
        )
        return False


def by_place(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Mistakes in the order of the file; those without a line come last."""

    def position(mistake: Mistake) -> tuple[float, float]:
        found = _POSITION.search(mistake.where)
        return (int(found[1]), int(found[2])) if found else (float("inf"), 0)

    return tuple(sorted(mistakes, key=position))


def kind(value: object) -> str:
    """What a value is, as its author would say it.

    >>> kind(5), kind([1]), kind(None)
    ('the number 5', 'a list', 'nothing')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {short(value)}"
        case str():
            return f"the text {short(value)}"
        case list():
            return "a list" if value else "an empty list"
    return "a mapping" if value else "an empty mapping"


def short(value: object) -> str:
    """A value on one line, cut where it is long."""
    if isinstance(value, str):
        text = repr(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)
    else:
        text = kind(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
