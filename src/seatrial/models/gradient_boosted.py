"""``gradient_boosted``: LightGBM, trained so that the same training gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import lightgbm
import numpy as np

from seatrial.errors import FileError, FormError, Mistake
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.columns import columns
from seatrial.inference.signature import Signature
from seatrial.models import _lightgbm_check
from seatrial.models._lightgbm_check import canonical, check_columns, objective_fits
from seatrial.models._lightgbm_parameters import CLASS_OBJECTIVES, FIXED, NUMBER_OBJECTIVES
from seatrial.models._lightgbm_trees import exact_for_float32

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.models import Training

ROUNDS = 100
"""LightGBM's own default of ``num_iterations``."""
SMALL_CELLS = 1_000_000
"""Up to so many rows x columns one thread trains about as fast as all, and costs far less:
threads that meet at a barrier for every split mostly wait, and waiting burns a core."""
_TWO = 2


class GradientBoosted:
    """The trainer; the hyperparameters are LightGBM's, under its names and documented aliases."""

    libraries = ("lightgbm",)

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """Every mistake in the hyperparameters."""
        return _lightgbm_check.check(hyperparameters, where, problem)

    def fit(self, training: Training) -> Trees:
        """Train; FileError for hyperparameters that LightGBM refuses, FormError for the data."""
        mistakes = self.check(training.hyperparameters, "hyperparameters", training.problem)
        if mistakes:
            raise FileError(*mistakes)
        if not training.features:
            raise FormError(Mistake("there is no column to learn from besides the target"))
        signature = Signature.of(training.features, training.problem, training.classes)
        read = columns(training.features, signature)
        categories = {
            each.name: sorted(set(read[each.name].tolist()) - {""})
            for each in signature.inputs
            if each.datatype == "BYTES"
        }
        given = canonical(training.hyperparameters)
        strings = [each.name in categories for each in signature.inputs]
        mistakes = check_columns(given, strings, "hyperparameters")
        if mistakes:
            raise FileError(*mistakes)
        parameters = _parameters(training, given)
        rounds = cast("int", parameters.pop("num_iterations", ROUNDS))
        data = lightgbm.Dataset(
            _matrix(read, signature, categories),
            _coded_target(training),
            categorical_feature=[i for i, string in enumerate(strings) if string],
            params=parameters,
        )
        try:
            booster = lightgbm.train(parameters, data, num_boost_round=rounds)
        except lightgbm.basic.LightGBMError as error:
            what = f"LightGBM refuses to train: {error}"
            raise FileError(Mistake(what, "hyperparameters")) from error
        return _opened(exact_for_float32(booster.model_to_string()), signature, categories)

    def restore(self, native: bytes, signature: Signature) -> Trees:
        """Read what ``native`` wrote; FormError when it is something else."""
        try:
            document = json.loads(native)
            text, categories = document["lightgbm"], document["categories"]
            written = Signature.from_json(document["signature"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormError(Mistake("these bytes are no gradient_boosted model")) from error
        if written != signature:
            raise FormError(Mistake("the model was trained with another signature"))
        return _opened(text, signature, categories)


@dataclass(frozen=True, slots=True)
class Trees:
    """A trained LightGBM model, with the categories of its string columns."""

    signature: Signature
    categories: Mapping[str, list[str]]
    text: str
    booster: lightgbm.Booster

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``; what was never seen counts as missing."""
        matrix = _matrix(columns(features, self.signature), self.signature, self.categories)
        if not len(matrix):
            shape = (0, len(self.signature.classes))
            return self._answer(np.empty(shape if self.signature.classes else 0))
        return self._answer(
            np.asarray(self.booster.predict(matrix, num_threads=_threads(matrix.size)))
        )

    def to_onnx(self) -> bytes:
        """One graph from named columns to labels; NotExportable with the reason."""
        from seatrial.models._lightgbm_onnx import export  # noqa: PLC0415 - brings in onnx

        return export(self.text, self.signature, self.categories)

    def native(self) -> bytes:
        """Signature, categories and LightGBM's model text as JSON."""
        document = {
            "signature": self.signature.to_json(),
            "categories": self.categories,
            "lightgbm": self.text,
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()

    def _answer(self, predicted: np.ndarray) -> Answer:
        if self.signature.problem == "numbers":
            return Answer(predicted.astype(np.float32))
        if predicted.ndim == 1:
            predicted = np.column_stack([1.0 - predicted, predicted])
        return most_probable(predicted, self.signature.classes)


def _opened(text: str, signature: Signature, categories: Mapping[str, list[str]]) -> Trees:
    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise FormError(Mistake(f"LightGBM cannot read its model: {error}")) from error
    return Trees(signature, categories, text, booster)


def _parameters(training: Training, given: Mapping[str, object]) -> dict[str, object]:
    fixed = {name: value for name, (value, _) in FIXED.items()}
    threads = _threads(len(training.target) * len(training.features))
    own: dict[str, object] = {"num_threads": threads, **given, **fixed, "seed": training.seed}
    if training.problem == "numbers":
        return {**own, "objective": NUMBER_OBJECTIVES[str(given.get("objective", "regression"))]}
    count = len(training.classes)
    if count < _TWO:
        raise FormError(Mistake("the target has a single class, so there is nothing to learn"))
    word = str(given.get("objective", "binary" if count == _TWO else "multiclass"))
    if not objective_fits(word, "classes", count):
        what = f"objective {word!r} does not fit {count} classes"
        raise FileError(Mistake(what, "hyperparameters", fix="remove it"))
    counted = {} if word == "binary" else {"num_class": count}
    return {**own, **counted, "objective": CLASS_OBJECTIVES[word]}


def _threads(cells: int) -> int:
    """0 is every core, for LightGBM; the result is the same either way."""
    return 1 if cells <= SMALL_CELLS else 0


def _coded_target(training: Training) -> np.ndarray:
    if training.problem == "numbers":
        return np.asarray(training.target, dtype=np.float64)
    codes = {label: code for code, label in enumerate(training.classes)}
    labels = training.target.tolist()
    unknown = sorted({str(label) for label in labels if label not in codes})
    if unknown:
        raise FormError(Mistake(f"the target holds {unknown[0]!r}, which is none of its classes"))
    return np.array([codes[label] for label in labels], dtype=np.float64)


def _matrix(
    read: dict[str, np.ndarray], signature: Signature, categories: Mapping[str, list[str]]
) -> np.ndarray:
    """Float32 ``[n, k]``: numbers as they are, strings as codes, NaN where missing or unseen."""
    rows = len(next(iter(read.values()))) if read else 0
    matrix = np.empty((rows, len(read)), dtype=np.float32)
    for index, each in enumerate(signature.inputs):
        column = read[each.name]
        if each.datatype == "BYTES":
            codes = {word: float(code) for code, word in enumerate(categories[each.name])}
            column = np.array([codes.get(word, np.nan) for word in column.tolist()], np.float32)
        matrix[:, index] = column
    return matrix
