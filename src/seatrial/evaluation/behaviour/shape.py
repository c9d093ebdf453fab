"""Is there one answer a row, of the type that the signature says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, count
from seatrial.evaluation.behaviour.found import Fault, Found, counted

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature


def shape(model: Answers, features: Features) -> Found:
    """Labels ``[n]`` of the classes' type (or numbers), probabilities float32 ``[n, classes]``."""
    rows = count(features)
    answer = ask(model, features)
    said = answer.sentence if isinstance(answer, Refusal) else _mistyped(answer, model.signature)
    if not said:
        return counted("shape", 0, rows)
    return counted("shape", rows, rows, [Fault(what=f"asked for {rows} rows, {said}")])


def _mistyped(answer: Answer, signature: Signature) -> str:
    table = answer.probabilities
    if table is not None and table.dtype != np.float32:
        return f"it answers probabilities of the type {table.dtype}, not float32"
    kind = answer.label.dtype.kind
    if signature.problem == "numbers":
        return "" if kind == "f" else f"it answers numbers of the type {answer.label.dtype}"
    words = any(isinstance(label, str) for label in signature.classes)
    if kind in ("OU" if words else "iu"):
        return ""
    wanted = "strings" if words else "whole numbers"
    return f"it answers labels of the type {answer.label.dtype}, not {wanted}"
