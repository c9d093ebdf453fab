"""What a YAML parser's complaint means, in one plain sentence with the line it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake
from seatrial.pipeline import Place

if TYPE_CHECKING:
    from ruamel.yaml.error import StringMark

WIDTH = 76
"""How much of an offending line is shown."""

_MEANINGS = (
    ("'\\t'", "a tab stands where YAML wants spaces", "indent with spaces, two for each level"),
    (
        "mapping values are not allowed",
        "the line above is already complete, or this one holds a second ': '",
        "align the key with its neighbours, or put text that holds ': ' into quotes",
    ),
    (
        "sequence entries are not allowed",
        "a '- ' stands where no list can begin",
        "begin the list on a line of its own, below its key",
    ),
    (
        "expected <block end>",
        "this line is indented like nothing above it",
        "align it with the keys or the '-' of the block it belongs to",
    ),
    (
        "could not find expected ':'",
        "a key without ': ' after it",
        "write 'key: value', or '- ' before a list item",
    ),
    (
        "scanning a quoted scalar",
        "a quote that opens and never closes",
        "close the quote on the same line",
    ),
    (
        "parsing a flow",
        "this bracket is never closed, or a comma is missing inside it",
        "close the bracket, and put ', ' between the items",
    ),
    (
        "found another document",
        "a second document begins here; a pipeline is one",
        "keep one pipeline a file, and remove the '---' or '...' between them",
    ),
    (
        "found undefined alias",
        "an alias (*name) of an anchor (&name) that does not stand above it",
        "write the anchor first, or put text that begins with '*' into quotes",
    ),
    (
        "cannot start any token",
        "a text cannot begin with this character unless it is quoted",
        "put the text into quotes",
    ),
    ("special characters are not allowed", "a control character", "remove the character"),
    ("version of YAML", "an unknown version of YAML", "remove the line that begins with %YAML"),
    ("document (version", "an unknown version of YAML", "remove the line that begins with %YAML"),
    ("recursion depth", "lists or mappings nested too deeply", "nest less deeply"),
)


_UNCLOSED = ("scanning a quoted", "parsing a flow sequence", "parsing a flow mapping")


def explain(error: Exception, text: str, file: str) -> Mistake:
    """The mistake behind an exception of the parser: sentence, line, column and fix."""
    said = " ".join(
        str(part)
        for part in (getattr(error, "problem", None), getattr(error, "context", None))
        if part
    ) or str(error)
    place = _place(error, said, text, file)
    for sign, meaning, fix in _MEANINGS:
        if sign in said:
            return Mistake(_shown(meaning, text, place), str(place), fix=fix)
    plain = " ".join(said.replace("<stream end>", "the end of the file").split())
    return Mistake(
        _shown(f"not YAML: {plain[:WIDTH]}", text, place),
        str(place),
        fix="put text with special characters into quotes",
    )


def _place(error: Exception, said: str, text: str, file: str) -> Place:
    # What never closes is told at its beginning: where the parser gave up would help nobody.
    unclosed = any(sign in said for sign in _UNCLOSED)
    mark: StringMark | None = getattr(error, "context_mark" if unclosed else "problem_mark", None)
    if "parsing a flow node" in said:  # a bracket with nothing behind it
        return _counted(text, max(text.rfind("["), text.rfind("{"), 0), file)
    if "version of YAML" in said:  # the parser does not say where it stands
        return _counted(text, max(text.find("%YAML"), 0), file)
    if mark is not None:
        return Place(file, mark.line + 1, mark.column + 1)
    return _counted(text, getattr(error, "position", None), file)


def _counted(text: str, position: int | None, file: str) -> Place:
    if position is None:
        return Place(file, 1, 1)
    before = text[:position]
    return Place(file, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def _shown(meaning: str, text: str, place: Place) -> str:
    lines = text.split("\n")
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    visible = "".join(letter if letter.isprintable() else " " for letter in line)
    if not visible.strip():
        return meaning
    start = max(0, place.column - WIDTH)
    return f"{meaning}\n  | {visible[start : start + WIDTH]}\n  | {'^':>{place.column - start}}"
