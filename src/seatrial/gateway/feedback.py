"""Labels that clients send back: ``{"id", "label"}``, or a list of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import orjson

from seatrial.errors import RequestError, nearest
from seatrial.inference import v2

if TYPE_CHECKING:
    from seatrial.inference.signature import Signature

Told = list[tuple[str, list[object]]]


def labels(body: bytes, signature: Signature) -> Told:
    """Request ids with one label a row; RequestError names the entry that is wrong.

    >>> from seatrial.inference.signature import Signature
    >>> labels(b'{"id": "r1", "label": 1}', Signature((), "classes", (0, 1)))
    [('r1', [1])]
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not JSON: {error}") from error
    entries = told if isinstance(told, list) else [told]
    if not entries:
        raise RequestError(400, 'the list is empty: send {"id": …, "label": …}')
    return [_entry(entry, position, signature) for position, entry in enumerate(entries)]


def _entry(entry: object, position: int, signature: Signature) -> tuple[str, list[object]]:
    where = f"entry {position}"
    if not isinstance(entry, dict):
        raise RequestError(400, f'{where} must be an object: {{"id": …, "label": …}}')
    unknown = sorted(set(entry) - {"id", "label"})
    if unknown:
        raise RequestError(400, f"{where} has an unknown key {unknown[0]!r}: it has id and label")
    identity = entry.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= v2.LONGEST_ID:
        raise RequestError(400, f"{where} needs `id`, the id of an answered request")
    if "label" not in entry:
        raise RequestError(400, f"{where} needs `label`: one label, or a list with one a row")
    label = entry["label"]
    rows = label if isinstance(label, list) else [label]
    if not rows:
        raise RequestError(400, f"{where}: the list of labels is empty")
    return identity, [_label(value, where, signature) for value in rows]


def _label(value: object, where: str, signature: Signature) -> object:
    if signature.problem == "numbers":
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if numeric and math.isfinite(float(value)):  # type: ignore[arg-type]
            return float(value)  # type: ignore[arg-type]
        raise RequestError(400, f"{where}: the label {_short(value)} is no number")
    for known in signature.classes:
        # True is the class 1 where classes are numbers: booleans in the data became 0 and 1
        if value == known and isinstance(value, str) == isinstance(known, str):
            return known
    classes = [str(known) for known in signature.classes]
    close = nearest(str(value)[:100], classes)
    hint = f" (nearest: {close})" if close else f": {', '.join(classes[:20])}"
    raise RequestError(400, f"{where}: the label {_short(value)} is no class of the model{hint}")


def _short(value: object) -> str:
    return repr(value[:60] if isinstance(value, str | list) else value)[:60]
