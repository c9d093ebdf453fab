"""Are the parameters of a word what it takes? Each with its type, or every mistake in them."""

from __future__ import annotations

import functools
import typing
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from seatrial.errors import Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

S = TypeVar("S", bound=msgspec.Struct)


def typed(
    kind: type[S], word: str, written: Mapping[str, object], where: Callable[..., object]
) -> tuple[list[Mistake], S | None]:
    """The struct with typed fields, or every mistake in what is written, each with its place.

    ``where`` gives the place of a key; of one inside a field that is itself a struct, or a mapping
    of names to structs, it is asked with the keys that lead there.

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
        found, values[field.name] = _value(hint, word, key, written[key], where)
        mistakes += found
    return mistakes, None if mistakes else kind(**values)


def _value(
    hint: object, word: str, key: str, written: object, where: Callable[..., object]
) -> tuple[list[Mistake], object]:
    inner, named = _struct_in(hint)
    if inner is not None and isinstance(written, dict):
        within = functools.partial(where, key)
        if named:
            return _each(inner, key, written, within)
        return typed(inner, f"`{key}`", written, within)
    try:
        return [], msgspec.convert(written, hint)
    except msgspec.ValidationError as error:
        why = str(error).partition(" - at ")[0]
        what = f"`{key}` of {word} cannot be {written!r}: {why}"
        near = nearest(str(written), _choices(hint))
        return [Mistake(what, str(where(key)), nearest=near, fix=f"write {_said(hint)}")], None


def _each(
    kind: type[msgspec.Struct],
    key: str,
    written: Mapping[object, object],
    where: Callable[..., object],
) -> tuple[list[Mistake], dict[str, object]]:
    """A struct for each name of a mapping; a name with nothing below it gets the defaults."""
    mistakes: list[Mistake] = []
    values: dict[str, object] = {}
    for name, item in written.items():
        place = str(where(name))
        if not isinstance(name, str):
            what = f"{name!r} under `{key}` is not a text"
            mistakes.append(Mistake(what, place, fix=f'put it in quotes: "{name}"'))
        elif not isinstance(item, dict | None):
            what = f"`{key}: {name}` must be a mapping, not {item!r}"
            fix = f"write `{name}: {{{next(iter(_fields(kind)))}: …}}`"
            mistakes.append(Mistake(what, place, fix=fix))
        else:
            within = functools.partial(where, name)
            found, values[name] = typed(kind, f"`{key}: {name}`", item or {}, within)
            mistakes += found
    return mistakes, values


@functools.cache
def _struct_in(hint: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The struct that a field holds, if any, and whether it holds one for each of many names."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    some = [part for part in typing.get_args(hint) if part is not type(None)]
    if typing.get_origin(hint) is dict:
        return _struct_in(some[1])[0], True
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint, False
    is_optional = type(None) in typing.get_args(hint) and len(some) == 1
    return _struct_in(some[0]) if is_optional else (None, False)


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
    return " or ".join(map(_alternative, _parts(hint)))


def _choices(hint: object) -> list[str]:
    """The words that a type allows, where it allows only some."""
    every = (cast("list[object]", part.get("enum", [])) for part in _parts(hint))
    return [str(word) for words in every for word in words if word is not None]


def _parts(hint: object) -> list[Mapping[str, object]]:
    shape = msgspec.json.schema(hint)
    parts = shape.get("anyOf", [shape])
    return [part for part in parts if part.get("type") != "null"]


def _alternative(part: Mapping[str, object]) -> str:
    if "$ref" in part:
        return "a mapping"
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
