"""YAML text as plain values, with the place of every key and list item.

The values are built here from the parser's nodes, not by its constructors: so every repeated key
is told (not only the first), no tag can make an object, and a date stays the text it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from seatrial.errors import Mistake
from seatrial.pipeline import Place
from seatrial.pipeline.syntax import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.error import StringMark

Path = tuple[str | int, ...]

MOST_VALUES = 100_000
"""More values than this is no pipeline, but aliases that multiply each other."""

DEEPEST = 40
"""Levels of nesting; a pipeline needs about six."""

MOST_DIGITS = 300
"""A longer number stays text: Python itself refuses to print the longest ones."""

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {f"{_TAG}{kind}" for kind in ("str", "timestamp", "value", "merge")}


@dataclass(frozen=True, slots=True)
class Located:
    """A value (None when nothing could be read), the places of its parts, what is wrong."""

    value: object
    places: dict[Path, Place]
    mistakes: tuple[Mistake, ...]


def locate(text: str, file: str) -> Located:
    r"""Read YAML 1.2 (one document). Never raises for what the text says.

    >>> found = locate("stages:\n  - name: a\n", "p.yaml")
    >>> found.value, str(found.places["stages", 0, "name"])
    ({'stages': [{'name': 'a'}]}, 'p.yaml:2:5')
    """
    try:
        root = _nodes(text)
    except (ValueError, OverflowError, RecursionError) as error:
        return Located(None, {}, (explain(error, text, file),))
    walk = _Walk(file)
    if root is None:
        return Located(None, {}, ())
    try:
        value = walk.value(root, ())
    except _EndlessError as error:
        return Located(None, {}, (*walk.mistakes, error.mistake))
    return Located(value, walk.places, tuple(walk.mistakes))


class _Node(Protocol):
    """What the parser hands over: a scalar, a sequence of nodes, or pairs of nodes."""

    id: str
    tag: str
    value: Any
    start_mark: StringMark


def _nodes(text: str) -> _Node | None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - only where a file is read
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    # The pure "safe" loader keeps no comments; the round-trip one trips over odd ones.
    yaml = YAML(typ="safe", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        node: _Node | None = yaml.compose(text)
    except YAMLError as error:
        raise _SyntaxError(error) from error
    except (AssertionError, KeyError) as error:  # how it meets "%YAML 1.9"
        message = "unknown version of YAML"
        raise ValueError(message) from error
    return node


class _SyntaxError(ValueError):
    """The parser's complaint, with its marks: its own class is known only where it is loaded."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.problem = getattr(error, "problem", None)
        self.context = getattr(error, "context", None)
        self.problem_mark = getattr(error, "problem_mark", None)
        self.context_mark = getattr(error, "context_mark", None)
        self.position = getattr(error, "position", None)


class _EndlessError(Exception):
    """The values have no end, or none worth waiting for."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake)
        self.mistake = mistake


@dataclass(slots=True)
class _Walk:
    """One walk over the nodes, which collects places and mistakes."""

    file: str
    places: dict[Path, Place] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    seen: int = 0

    def value(self, node: _Node, path: Path, depth: int = 0) -> object:
        self.places.setdefault(path, self.place(node))
        self._count(node, depth)
        if node.id == "mapping":
            self._refuse_tag(node, f"{_TAG}map")
            return self._mapping(node, path, depth)
        if node.id == "sequence":
            self._refuse_tag(node, f"{_TAG}seq")
            return self._sequence(node, path, depth)
        return self._scalar(node)

    def place(self, node: _Node) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _mapping(self, node: _Node, path: Path, depth: int) -> dict[object, object]:
        found: dict[object, object] = {}
        for key_node, value_node, merged in self._pairs(node, depth):
            if key_node.id != "scalar":
                self._wrong(key_node, "a key must be a plain word", "write 'word: value'")
                continue
            key = self._scalar(key_node)
            step = (*path, key if isinstance(key, str | int) else str(key))
            if key in found:
                if not merged:
                    self._wrong(
                        key_node,
                        f"the key {key!r} is given twice",
                        f"remove one of the two; the first is at {self.places[step]}",
                    )
                continue
            self.places[step] = self.place(key_node)
            found[key] = self.value(value_node, step, depth + 1)
        return found

    def _pairs(self, node: _Node, depth: int) -> Iterator[tuple[_Node, _Node, bool]]:
        """Keys and values; what is merged (``<<``) comes last, so that own keys win."""
        merges: list[_Node] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merges += value_node.value if value_node.id == "sequence" else [value_node]
            else:
                yield key_node, value_node, False
        for merge in merges:
            self._count(merge, depth)
            if merge.id != "mapping":
                self._wrong(
                    merge, "'<<' merges mappings only", "write '<<: *name' of an anchored mapping"
                )
                continue
            for key_node, value_node, _ in self._pairs(merge, depth + 1):
                yield key_node, value_node, True

    def _sequence(self, node: _Node, path: Path, depth: int) -> list[object]:
        return [
            self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)
        ]

    def _scalar(self, node: _Node) -> object:
        text: str = node.value
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            self._wrong(node, "half of a character (a lone surrogate)", "write the whole character")
            return None
        kind = node.tag.removeprefix(_TAG)
        if kind in _SCALARS:
            return _SCALARS[kind](text)
        if node.tag not in _TEXT_TAGS:
            self._refuse_tag(node, f"{_TAG}str")
        return text

    def _refuse_tag(self, node: _Node, plain: str) -> None:
        if node.tag != plain:
            tag = node.tag.replace(_TAG, "!!")
            self._wrong(node, f"the tag {tag[:40]!r} means nothing here", "remove the tag")

    def _count(self, node: _Node, depth: int) -> None:
        self.seen += 1
        if depth > DEEPEST:
            self._stop(node, f"lists or mappings nested more than {DEEPEST} levels deep")
        if self.seen > MOST_VALUES:
            self._stop(node, f"more than {MOST_VALUES} values")

    def _stop(self, node: _Node, what: str) -> NoReturn:
        fix = "write less, and let no alias (*name) stand inside its own anchor (&name)"
        raise _EndlessError(Mistake(what, str(self.place(node)), fix=fix))

    def _wrong(self, node: _Node, what: str, fix: str) -> None:
        self.mistakes.append(Mistake(what, str(self.place(node)), fix=fix))


def _integer(text: str) -> object:
    digits = text.replace("_", "")
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits.removeprefix("+"))
    if len(digits) > MOST_DIGITS:
        return text
    base = {"0x": 16, "0o": 8, "0b": 2}.get(digits[:2].lower(), 10)
    try:
        return int(sign + digits, base)
    except ValueError:  # not a number after all, such as "+_"
        return text


def _number(text: str) -> object:
    try:
        return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:  # "!!float x"
        return text


_SCALARS = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() in {"true", "yes", "on", "y"},
    "int": _integer,
    "float": _number,
}
