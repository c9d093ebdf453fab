"""Golden rows: a few inputs with their answers, by which any machine proves a model."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seatrial.errors import Mistake, StoreError, nearest
from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.batches import asked, count, part
from seatrial.inference.columns import columns
from seatrial.inference.golden_choice import choose
from seatrial.inference.pickled import Pickled
from seatrial.inference.proof import Proof, prove
from seatrial.inference.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature

ROWS = 256
FEW_ROWS = 64
"""For a pickled model: it takes milliseconds for a row that a graph answers in microseconds."""

ROWS_AT_ONCE = 1
"""How the gateway asks: each request alone. So a model whose answers depend on the rows that they
are asked with has well-defined ones."""

MOST_ROWS = 4096
GIVEN = "given"
"""The kind of rows that nobody chose, and of those from before they had one."""


@dataclass(frozen=True, slots=True)
class Golden:
    """What the file holds: columns ``[n]``, the answers to them, and why each row is there."""

    inputs: dict[str, np.ndarray]
    answer: Answer
    kinds: tuple[str, ...]


def make(
    model: Answers, features: Mapping[str, np.ndarray], seed: int, rows: int | None = None
) -> bytes:
    """Choose rows by the columns a model was trained on, and let it answer them: canonical JSON.

    They are the same for a seed. ``rows`` is about how many: 256, of a pickled model 64. Those
    that are answered by no finite number are left out.
    """
    wanted = rows or (FEW_ROWS if isinstance(model, Pickled) else ROWS)
    chosen = choose(model, features, seed, wanted)
    return written(model, chosen.inputs, chosen.kinds, left_out=chosen.left_out)


def written(
    model: Answers,
    inputs: Mapping[str, np.ndarray],
    kinds: Sequence[str] = (),
    rows_at_once: int = ROWS_AT_ONCE,
    left_out: int = 0,
) -> bytes:
    """The file of these very rows, as the model answers them now; ``kinds`` say why they are there.

    Those that are answered by no finite number are left out, and counted with what was
    ``left_out`` before. Missing values are null; infinities, which JSON lacks, are the strings
    "inf" and "-inf".
    """
    given = columns(inputs, model.signature)
    kinds = kinds or [GIVEN] * count(given)
    answer = asked(model, given, rows_at_once)
    left_out += int(np.count_nonzero(~answer.finite))
    while not answer.finite.all():  # without them the others may be asked in other company
        kinds = [kind for kind, kept in zip(kinds, answer.finite, strict=True) if kept]
        given = part(given, answer.finite)
        answer = asked(model, given, rows_at_once)
    table = answer.probabilities
    document = {
        "inputs": {name: _written(column) for name, column in given.items()},
        "label": _written(answer.label),
        "probabilities": None if table is None else [_written(row) for row in table],
        "kinds": [*kinds],
        "left_out": left_out,
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def verify(model: Answers, golden_bytes: bytes, tolerance: Tolerance = Tolerance()) -> Proof:  # noqa: B008 - frozen
    """Let the model answer golden rows again, as many at once as when they were made.

    StoreError when they cannot be read or are no rows of this model.
    """
    kept = read(golden_bytes, model.signature)
    got = asked(model, kept.inputs, tolerance.rows_at_once)
    classes = model.signature.classes
    return prove(kept.answer, got, tolerance, kinds=kept.kinds, classes=classes)


def about(golden_bytes: bytes) -> dict[str, Any]:
    """For the manifest: how many rows, of which kinds, and how many were left out."""
    document = json.loads(golden_bytes)
    kinds = document["kinds"]
    return {"rows": len(kinds), "kinds": dict(Counter(kinds)), "left_out": document["left_out"]}


def read(golden_bytes: bytes, signature: Signature) -> Golden:
    """What a file of golden rows holds; StoreError when it is none, or of another model."""
    try:
        document = json.loads(golden_bytes)
        given = document["inputs"]
        for each in signature.inputs:
            if each.name not in given:
                raise _misfit(f"no column {each.name!r}", near=nearest(each.name, given))
        inputs = {
            each.name: _read(given[each.name], number=each.datatype == "FP32")
            for each in signature.inputs
        }
        answer = _answer(document, signature)
        kinds = tuple(map(str, document.get("kinds", [GIVEN] * len(answer.label))))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as e:
        reason = f"the golden rows of the model cannot be read: {type(e).__name__} {e}"
        raise StoreError(Mistake(reason[:300], fix="register the model again")) from e
    _demand_rows(inputs, answer, kinds)
    return Golden(inputs, answer, kinds)


def _answer(document: Mapping[str, list[Any]], signature: Signature) -> Answer:
    if signature.problem == "numbers":
        return Answer(_read(document["label"], number=True))
    odd = next((each for each in document["label"] if each not in signature.classes), None)
    if odd is not None:
        raise _misfit(f"the label {odd!r}", near=nearest(str(odd), map(str, signature.classes)))
    label = np.array(document["label"], dtype=class_labels(signature.classes).dtype)
    table = document["probabilities"]
    if table is None:
        raise _misfit("no probabilities")
    classes = len(signature.classes)
    widths = {len(row) for row in table} - {classes}
    if widths:
        raise _misfit(f"{widths.pop()} probabilities a row, and the model has {classes} classes")
    if len(table) != len(label):
        raise _misfit(f"{len(table)} rows of probabilities, and {len(label)} labels")
    flat = _read([each for row in table for each in row], number=True)
    return Answer(label, flat.reshape(len(label), classes))


def _demand_rows(inputs: Mapping[str, np.ndarray], answer: Answer, kinds: Sequence[object]) -> None:
    rows = len(answer.label)
    lengths = {f"the column {name!r}": len(column) for name, column in inputs.items()}
    for what, length in {**lengths, "kinds": len(kinds)}.items():
        if length != rows:
            raise _misfit(f"{length} rows of {what}, and {rows} answers")
    if rows > MOST_ROWS:
        raise _misfit(f"{rows} rows, more than {MOST_ROWS}")
    if not answer.finite.all():
        raise _misfit(f"an answer that is no number, in row {int(answer.finite.argmin()) + 1}")


def _misfit(what: str, near: str = "") -> StoreError:
    told = f"the golden rows are none of this model: they have {what}"
    return StoreError(Mistake(told, "golden.json", near, fix="register the model again"))


def _written(values: np.ndarray) -> list[object]:
    return [_word(value) if isinstance(value, float) else value for value in values.tolist()]


def _word(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _read(values: list[object], *, number: bool) -> np.ndarray:
    if not isinstance(values, list):
        raise TypeError("a column is no list")
    if not number:
        return np.array(values, dtype=object)
    plain = [math.nan if value is None else float(cast("float | str", value)) for value in values]
    with np.errstate(over="ignore"):
        return np.array(plain, dtype=np.float32)
