"""``linear``: logistic regression for classes, ridge regression or least squares for numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FileError, FormError, Mistake
from seatrial.inference.answer import Answer, most_probable
from seatrial.inference.columns import columns
from seatrial.inference.signature import Signature
from seatrial.models import _sklearn_check
from seatrial.models._sklearn_design import Text, designed
from seatrial.models._sklearn_fitting import fitted, told
from seatrial.models._sklearn_linear_parameters import LINEAR
from seatrial.models._sklearn_target import class_weights, coded_target
from seatrial.models._sklearn_weights import Weights, from_json
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.models import Training

MAX_ITER = 1000
"""Ten times scikit-learn's own: standardised columns seldom need a tenth, rare words may."""
SPARSE_TOL = 1e-10
"""How far the iterative solvers go for numbers beside text: as far as the direct ones."""
SETTLED = 1e-6
"""What may be left of the gradient, as a share of where it began."""
_TWO = 2


class Linear:
    """The trainer; the hyperparameters are those of LogisticRegression, and of Ridge."""

    libraries = ("numpy", "scikit-learn", "scipy")

    def check(
        self, hyperparameters: Mapping[str, object], where: str, problem: str = ""
    ) -> list[Mistake]:
        """Every mistake in the hyperparameters."""
        return _sklearn_check.check(hyperparameters, where, problem, LINEAR)

    def fit(self, training: Training) -> Line:
        """Train; FileError for hyperparameters that do not fit the data, FormError for the data."""
        mistakes = self.check(training.hyperparameters, "hyperparameters", training.problem)
        if mistakes:
            raise FileError(*mistakes)
        target = coded_target(training)
        signature = Signature.of(training.features, training.problem, training.classes)
        read = columns(training.features, signature)
        design = designed(read, signature)
        given = _sklearn_check.given(training.hyperparameters, LINEAR)
        estimator = _estimator(given, training, sparse=any(map(_is_text, design.columns)))
        matrix = design.matrix(read)
        findings = tuple(_findings(estimator, matrix, target))
        table = np.atleast_2d(estimator.coef_).T.astype(np.float64)
        intercept = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), table.shape[1])
        weights = Weights(design, table, intercept).averaged(np.asarray(matrix.sum(axis=0)))
        return Line(signature, weights, findings)

    def restore(self, native: bytes, signature: Signature) -> Line:
        """Read what ``native`` wrote; FormError when it is something else."""
        try:
            document = json.loads(native)
            weights = from_json(document["linear"])
            written = Signature.from_json(document["signature"])
        except (ValueError, KeyError, TypeError) as error:
            raise FormError(Mistake("these bytes are no linear model")) from error
        if written != signature:
            raise FormError(Mistake("the model was trained with another signature"))
        kinds = [(each.name, each.datatype == "BYTES") for each in signature.inputs]
        outputs = len(signature.classes) if len(signature.classes) > _TWO else 1
        if kinds != [(each.name, _is_text(each)) for each in weights.design.columns] or (
            len(weights.intercept) != outputs
        ):
            raise FormError(Mistake("these bytes are no linear model: they do not fit it"))
        return Line(signature, weights)


@dataclass(frozen=True, slots=True)
class Line:
    """A trained linear model; ``findings`` is what its fit wants known."""

    signature: Signature
    weights: Weights
    findings: tuple[Finding, ...] = field(default=(), compare=False)

    def predict(self, features: Mapping[str, np.ndarray]) -> Answer:
        """Answer for columns ``[n]``; a word that was never seen counts as missing."""
        total = self.weights.sums(columns(features, self.signature))
        with np.errstate(over="ignore"):
            if self.signature.problem == "numbers":
                return Answer(total[:, 0].astype(np.float32))
            if len(self.signature.classes) == _TWO:
                greater = (1.0 / (1.0 + np.exp(-total[:, 0]))).astype(np.float32)
                shares = np.column_stack([np.float32(1) - greater, greater])
                return most_probable(shares, self.signature.classes)
        grown = np.exp(total - total.max(axis=1, keepdims=True))
        return most_probable(grown / grown.sum(axis=1, keepdims=True), self.signature.classes)

    def to_onnx(self) -> bytes:
        """One graph from named columns to labels; NotExportable with the reason."""
        from seatrial.models._sklearn_linear_onnx import export  # noqa: PLC0415 - brings in onnx

        return export(self.weights, self.signature)

    def native(self) -> bytes:
        """Signature and weights as JSON."""
        document = {"signature": self.signature.to_json(), "linear": self.weights.to_json()}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _estimator(given: Mapping[str, object], training: Training, *, sparse: bool) -> Any:
    from sklearn.linear_model import (  # noqa: PLC0415 - checking a file must not load it
        LinearRegression,
        LogisticRegression,
        Ridge,
    )

    if training.problem == "classes":
        weights = class_weights(given.get("class_weight"), training.classes)
        return LogisticRegression(**{"max_iter": MAX_ITER, **given, "class_weight": weights})
    settled: dict[str, object] = {"tol": SPARSE_TOL} if sparse else {}
    if given.get("alpha") != 0:
        return Ridge(**settled, **given)
    # Ridge without a penalty would divide by zero where columns repeat each other.
    return LinearRegression(**settled, fit_intercept=given.get("fit_intercept", True))


def _findings(estimator: Any, matrix: Any, target: np.ndarray) -> Iterator[Finding]:
    """Fit on one thread, as threads add up in another order; what is to be known of it."""
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415

    with threadpool_limits(limits=1):
        heard = fitted(estimator, matrix, target)
        solved = hasattr(estimator, "C") or _solved(estimator, matrix, target)
    unsettled = [each for each in heard if issubclass(each.category, ConvergenceWarning)]
    if unsettled:
        yield _unsettled(estimator)
    if not solved:
        yield _unsolved()
    yield from told(each for each in heard if each not in unsettled)


def _solved(estimator: Any, matrix: Any, target: np.ndarray) -> bool:
    """Whether the gradient of the squares and of the penalty is nothing, or nearly so.

    Beside text the solvers go step by step, and do not tell when their steps ran out.
    """
    penalty = getattr(estimator, "alpha", 0.0) * estimator.coef_
    left = matrix.T @ (target - estimator.predict(matrix)) - penalty
    offset = target.mean() if estimator.fit_intercept else 0.0
    return bool(np.abs(left).max() <= SETTLED * np.abs(matrix.T @ (target - offset)).max())


def _unsettled(estimator: Any) -> Finding:
    turns = int(np.max(estimator.n_iter_))
    return Finding(
        what=f"the fit had not settled after {turns} turns, where it was ended",
        where="hyperparameters",
        hint=f"raise max_iter (it is {estimator.max_iter}), or tol; a smaller C settles sooner",
    )


def _unsolved() -> Finding:
    return Finding(
        what="the weights are not quite the best ones: some columns nearly repeat each other",
        where="hyperparameters",
        hint="raise alpha, or leave one of such columns out with `exclude:`",
    )


def _is_text(column: object) -> bool:
    return isinstance(column, Text)
