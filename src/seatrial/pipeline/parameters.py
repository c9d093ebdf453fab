"""Are the parameters of a word what it takes? Each with its type, or every mistake in them."""

from __future__ import annotations

import functools
import typing
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from seatrial.errors import Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

S = TypeVar("S", bound=msgspec.Struct)


def typed(
    kind: type[S], word: str, written: Mapping[str, object], where: Callable[[str], object]
) -> tuple[list[Mistake], S | None]:
    """The struct with typed fields, or every mistake in what is written, each with its place.

    >>> class Pager(msgspec.Struct):
    ...     team: str
    >>> mistakes, _ = typed(Pager, "pager", {"taem": "a"}, lambda _key: "p.yaml:3:5")
    >>> [mistake.what for mistake in mistakes]
    ["pager does not know the key 'taem'", 'pager needs `team`']
    """
    fields = _fields(kind)
    mistakes = [
        _unknown(word, key, str(where(key)), fields) for key in written if key not in fields
    ]
    values: dict[str, object] = {}
    for key, (field, hint) in fields.items():
        if key not in written:
            if field.required:
                fix = f"add `{key}: …` ({_said(hint)})"
                mistakes.append(Mistake(f"{word} needs `{key}`", str(where(key)), fix=fix))
            continue
        try:
            values[field.name] = msgspec.convert(written[key], hint)
        except msgspec.ValidationError as error:
            why = str(error).partition(" - at ")[0]
            what = f"`{key}` of {word} cannot be {written[key]!r}: {why}"
            mistakes.append(Mistake(what, str(where(key)), fix=f"write {_said(hint)}"))
    return mistakes, None if mistakes else kind(**values)


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, tuple[msgspec.structs.FieldInfo, object]]:
    hints = typing.get_type_hints(kind, include_extras=True)
    return {field.encode_name: (field, hints[field.name]) for field in msgspec.structs.fields(kind)}


def _unknown(word: str, key: str, where: str, known: Iterable[str]) -> Mistake:
    keys = list(known)
    return Mistake(
        f"{word} does not know the key {key!r}",
        where,
        nearest=nearest(str(key), keys),
        fix=f"its keys: {', '.join(keys)}" if keys else "it has no keys",
    )


_SAID = {
    "number": "a number",
    "integer": "a whole number",
    "string": "a word",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


def _said(hint: object) -> str:
    """A type in words, from its JSON Schema."""
    shape = msgspec.json.schema(hint)
    parts = shape.get("anyOf", [shape])
    return " or ".join(_alternative(part) for part in parts if part.get("type") != "null")


def _alternative(part: Mapping[str, object]) -> str:
    if "enum" in part:
        return "one of " + ", ".join(map(str, cast("list[object]", part["enum"])))
    text = _SAID.get(str(part.get("type")), "a value")
    limits = (
        ("minimum", "at least"), ("exclusiveMinimum", "above"),
        ("maximum", "at most"), ("exclusiveMaximum", "below"),
    )  # fmt: skip
    bounds = [f"{word} {part[key]}" for key, word in limits if key in part]
    examples = cast("list[object]", part.get("examples", []))
    such = f", such as {examples[0]}" if examples else ""
    return f"{text} {' and '.join(bounds)}{such}" if bounds else f"{text}{such}"
