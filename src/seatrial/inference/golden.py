"""Golden rows: a few inputs with their answers, by which any machine proves a model."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, cast

import numpy as np

from seatrial.errors import Mistake, StoreError
from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.columns import columns
from seatrial.inference.parity import Parity, parity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature

ROWS = 100


def make(model: Answers, features: Mapping[str, np.ndarray], seed: int) -> bytes:
    """Draw up to 100 rows and let the model answer them: canonical JSON, the same for a seed.

    Missing values are null; infinities, which JSON lacks, are the strings "inf" and "-inf".
    """
    read = columns(features, model.signature)
    rows = len(next(iter(read.values()))) if read else 0
    drawn = np.sort(np.random.default_rng(seed).permutation(rows)[:ROWS])
    inputs = {name: column[drawn] for name, column in read.items()}
    answer = model.predict(inputs)
    table = answer.probabilities
    document = {
        "inputs": {name: _written(column) for name, column in inputs.items()},
        "label": _written(answer.label),
        "probabilities": None if table is None else [_written(row) for row in table],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def verify(model: Answers, golden_bytes: bytes) -> Parity:
    """Let the model answer golden rows again; StoreError when they cannot be read."""
    try:
        document = json.loads(golden_bytes)
        inputs = {
            each.name: _read(document["inputs"][each.name], number=each.datatype == "FP32")
            for each in model.signature.inputs
        }
        expected = _answer(document, model.signature)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"the golden rows of the model cannot be read: {type(error).__name__} {error}"
        raise StoreError(Mistake(reason, fix="register the model again")) from error
    return parity(expected, model.predict(inputs))


def _answer(document: Mapping[str, list[object]], signature: Signature) -> Answer:
    if signature.problem == "numbers":
        return Answer(_read(document["label"], number=True))
    label = np.array(document["label"], dtype=class_labels(signature.classes).dtype)
    table = cast("list[list[object]]", document["probabilities"])
    shape = (len(label), len(signature.classes))
    return Answer(label, np.array([_read(row, number=True) for row in table]).reshape(shape))


def _written(values: np.ndarray) -> list[object]:
    return [_word(value) if isinstance(value, float) else value for value in values.tolist()]


def _word(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    return value if math.isfinite(value) else str(value)


def _read(values: list[object], *, number: bool) -> np.ndarray:
    if not number:
        return np.array(values, dtype=object)
    plain = [math.nan if value is None else float(cast("float | str", value)) for value in values]
    return np.array(plain, dtype=np.float32)
