"""``random_forest``: scikit-learn's forests, grown on every core and the same on any number."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FaultError, FileError, FormError, Mistake
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.columns import columns
from seatrial.inference.signature import Signature
from seatrial.models import _sklearn_check
from seatrial.models._columns_words import places, words_of
from seatrial.models._sklearn_fitting import fitted, told
from seatrial.models._sklearn_forest import from_bytes, planted, to_bytes
from seatrial.models._sklearn_forest_parameters import FOREST
from seatrial.models._sklearn_target import class_weights, coded_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.models import Training
    from seatrial.models._sklearn_forest import Forest
    from seatrial.outcome import Finding

SMALL_CELLS = 20_000
"""Up to so many rows x columns the threads would cost more than they save."""
PROVEN_ROWS = 1_000
"""Training rows on which the arrays must answer as scikit-learn does before they are trusted."""
_TWO = 2
_ROUNDING = 1e-9


class RandomForest:
    """The trainer; the hyperparameters are those of scikit-learn's random forests."""

    libraries = ("numpy", "scikit-learn")

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """Every mistake in the hyperparameters."""
        mistakes = _sklearn_check.check(hyperparameters, where, problem, FOREST)
        sampled = hyperparameters.get("max_samples") is not None
        if sampled and hyperparameters.get("bootstrap") is False:
            spot = _sklearn_check.spot(hyperparameters, where, "max_samples")
            what = "max_samples needs bootstrap: without it every tree sees all rows"
            mistakes.append(Mistake(what, spot, fix="remove max_samples, or bootstrap: false"))
        return mistakes

    def fit(self, training: Training) -> Trees:
        """Train; FileError for hyperparameters that do not fit the data, FormError for the data."""
        mistakes = self.check(training.hyperparameters, "hyperparameters", training.problem)
        if mistakes:
            raise FileError(*mistakes)
        target = coded_target(training)
        signature = Signature.of(training.features, training.problem, training.classes)
        read = columns(training.features, signature)
        given = _sklearn_check.given(training.hyperparameters, FOREST)
        _demand_fitting(given, training, signature)
        words = words_of(read, signature)
        matrix = _matrix(read, signature, words)
        grown, findings = _grow(matrix, target, given, training)
        trees = [each.tree_ for each in grown.estimators_]
        forest = planted(trees, classes=len(training.classes))
        _demand_same_answers(grown, forest, matrix[:PROVEN_ROWS])
        return Trees(signature, words, forest, findings)

    def restore(self, native: bytes, signature: Signature) -> Trees:
        """Read what ``native`` wrote; FormError when it is something else."""
        forest, header = from_bytes(native)
        try:
            written = Signature.from_json(header["signature"])
            words = {str(name): [*map(str, own)] for name, own in header["words"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise FormError(Mistake("these bytes are no random_forest model")) from error
        if written != signature:
            raise FormError(Mistake("the model was trained with another signature"))
        texts = {each.name for each in signature.inputs if each.datatype == "BYTES"}
        outputs = len(signature.classes) if len(signature.classes) > _TWO else 1
        if (
            words.keys() != texts
            or forest.values.shape[1] != outputs
            or forest.feature.max() >= len(signature.inputs)
        ):
            raise FormError(Mistake("these bytes are no random_forest model: they do not fit it"))
        return Trees(signature, words, forest)


@dataclass(frozen=True, slots=True)
class Trees:
    """A trained forest, with the words of its text columns.

    ``findings`` is what its fit wants known.
    """

    signature: Signature
    words: Mapping[str, list[str]]
    forest: Forest
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``; a word that was never seen counts as missing."""
        read = columns(features, self.signature)
        mean = self.forest.answers(_matrix(read, self.signature, self.words))
        if self.signature.problem == "numbers":
            with np.errstate(over="ignore"):
                return Answer(mean[:, 0].astype(np.float32))
        if len(self.signature.classes) == _TWO:
            greater = mean[:, 0].astype(np.float32)
            mean = np.column_stack([np.float32(1) - greater, greater])
        return most_probable(mean, self.signature.classes)

    def to_onnx(self) -> bytes:
        """One graph from named columns to labels; NotExportable with the reason."""
        from seatrial.models._sklearn_forest_onnx import export  # noqa: PLC0415 - brings in onnx

        return export(self.forest, self.signature, self.words)

    def native(self) -> bytes:
        """Signature, words and the arrays of the trees."""
        return to_bytes(
            self.forest, {"signature": self.signature.to_json(), "words": dict(self.words)}
        )


def _grow(
    matrix: np.ndarray, target: np.ndarray, given: Mapping[str, object], training: Training
) -> tuple[Any, tuple[Finding, ...]]:
    """The fitted estimator, and what is to be known of the fit."""
    from sklearn.ensemble import (  # noqa: PLC0415 - checking a file must not load it
        RandomForestClassifier,
        RandomForestRegressor,
    )

    jobs = 1 if matrix.size <= SMALL_CELLS else -1
    parameters: dict[str, object] = {"n_jobs": jobs, **given, "random_state": training.seed}
    if training.problem == "numbers":
        estimator = RandomForestRegressor(**parameters)
    else:
        weights = class_weights(given.get("class_weight"), training.classes)
        estimator = RandomForestClassifier(**{**parameters, "class_weight": weights})
    with np.errstate(all="ignore"):
        # Large numbers overflow where it adds up columns to see whether anything is missing.
        heard = fitted(estimator, _finite(matrix), target)
    rest = [each for each in heard if not issubclass(each.category, RuntimeWarning)]
    return estimator, tuple(told(rest))


def _demand_fitting(given: Mapping[str, object], training: Training, signature: Signature) -> None:
    """FileError for what only the columns and rows show."""
    constraints, samples = given.get("monotonic_cst"), given.get("max_samples")
    rows = len(training.target)
    mistakes: list[str] = []
    if isinstance(constraints, list):
        many = len(training.classes) > _TWO
        mistakes += ["monotonic_cst is for two classes or numbers"] if many else []
        if len(constraints) != len(signature.inputs):
            wanted, got = len(signature.inputs), len(constraints)
            mistakes.append(f"monotonic_cst needs {wanted} values, one a column, got {got}")
        mistakes += [
            f"monotonic_cst is not 0 for the column {each.name!r}, which holds strings"
            for each, value in zip(signature.inputs, constraints, strict=False)
            if value and each.datatype == "BYTES"
        ]
    if isinstance(samples, int) and samples > rows:
        mistakes.append(f"max_samples is {samples}, more than the {rows} rows")
    if mistakes:
        raise FileError(*(Mistake(what, "hyperparameters") for what in mistakes))


def _demand_same_answers(grown: Any, forest: Forest, rows: np.ndarray) -> None:
    """The arrays are read out of the library's insides: so they are held against its answers."""
    classifies = hasattr(grown, "predict_proba")
    # one tree after the other: threads would cost more than so few rows
    grown.set_params(n_jobs=1)
    with np.errstate(all="ignore"):  # large numbers overflow where it looks for missing ones
        finite = _finite(rows)
        theirs = grown.predict_proba(finite) if classifies else grown.predict(finite)[:, np.newaxis]
    ours = forest.answers(rows)
    if theirs.shape[1] == _TWO:
        theirs = theirs[:, 1:]
    scale = np.maximum(1.0, np.abs(theirs))
    if not (np.abs(ours - theirs) <= _ROUNDING * scale).all():
        what = "seatrial cannot read the trees of the scikit-learn that is installed"
        raise FaultError(Mistake(what, fix="install the version in requirements.lock"))


def _finite(matrix: np.ndarray) -> np.ndarray:
    """The library refuses infinity, but only order counts: no split tells the two apart."""
    largest = np.finfo(np.float32).max
    return np.asarray(np.clip(matrix, -largest, largest))


def _matrix(
    read: Mapping[str, np.ndarray], signature: Signature, words: Mapping[str, list[str]]
) -> np.ndarray:
    """Float32 ``[n, k]``: numbers as they are, words as places, NaN where missing or unseen."""
    rows = len(next(iter(read.values()))) if read else 0
    matrix = np.empty((rows, len(read)), dtype=np.float32)
    for index, each in enumerate(signature.inputs):
        column = read[each.name]
        if each.datatype == "BYTES":
            known = words[each.name]
            place = places(column, known)
            column = np.where(place < len(known), place, np.nan)
        matrix[:, index] = column
    return matrix
