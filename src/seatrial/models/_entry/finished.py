"""Does a finished ONNX file fit the data, and what does it answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.inference.batches import CANNOT_ANSWER
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.models import Witness
from seatrial.models._entry.as_given import answer_as_given
from seatrial.models._entry.kept import Kept
from seatrial.models._probe import probe
from seatrial.models._ready_onnx import normalised
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.models import Training

GIVEN = "the file as it was given"
"""Whose answers the witness of a file has."""


def kept_file(content: bytes, training: Training, where: str, made: str) -> Kept:
    """An ONNX model in our form, held against itself as it came.

    FormError, at ``where``, when it does not fit the columns and classes, fails on rows as
    requests may bring them, or answers no number to those of the data.
    """
    signature = Signature.of(training.features, training.problem, training.classes)
    ours = normalised(content, signature, where)
    rows, findings = _answered(Model.load(ours, signature), training, where)
    answer = answer_as_given(content, rows, signature)
    witness = None if answer is None else Witness(rows, answer, GIVEN)
    return Kept(signature, made, onnx=ours, witness=witness, findings=findings)


def _answered(
    model: Model, training: Training, where: str
) -> tuple[Mapping[str, NDArray[Any]], tuple[Finding, ...]]:
    """Rows with as many missing values as it answers by numbers, and what is to be told."""
    for missing in (True, False):
        rows = probe(training.features, training.seed, missing=missing)
        finite = _asked(model, rows, where).finite
        if finite.all():
            return rows, () if missing else (_nothing_missing(where),)
    what = f"the model answers no number (NaN or infinite) to {np.count_nonzero(~finite)} of"
    what += f" {len(finite)} rows of the data"
    raise FormError(Mistake(what, where, fix="let the graph replace what is missing, or large"))


def _asked(model: Model, rows: Mapping[str, NDArray[Any]], where: str) -> Answer:
    try:
        return model.predict(rows)
    except CANNOT_ANSWER as error:
        reason = " ".join(str(error).split())[:200]
        what = f"the model fails on rows with missing or unknown values:\n{reason}"
        fix = "requests bring such values: let its encoders ignore what is unknown"
        raise FormError(Mistake(what, where, fix=fix)) from error


def _nothing_missing(where: str) -> Finding:
    return Finding(
        what="the model answers no number where numbers are missing; it is held to rows without"
        " missing numbers",
        where=where,
        hint="requests may bring them: let the graph replace them before it computes",
    )
