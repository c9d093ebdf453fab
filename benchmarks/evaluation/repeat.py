"""Train one model once: ``python -m evaluation.repeat MODEL PROBLEM ROWS ANSWERS``.

Prints JSON: the digests of both forms. ANSWERS is the ``.npz`` for what the ONNX form answers to
the training rows. Rows x columns are many enough that the libraries do use the threads they have.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial import models
from seatrial.inference.session import Model
from seatrial.models import Training

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROBLEMS = ("two classes", "five classes", "numbers")
FEWER = {"gradient_boosted": {"n_estimators": 20}, "random_forest": {"n_estimators": 10}}
"""Rounds and trees repeat each other; so many tell whether they do."""

NUMBERS = 18
TEXTS = 2
SEED = 7


def main(word: str, problem: str, rows: str, answers: str) -> None:
    """Fit, export, answer, tell."""
    training = replace(_training(problem, int(rows)), hyperparameters=FEWER.get(word, {}))
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge is another question
        fitted = models.get(word).fit(training)
    fit_s = time.perf_counter() - began
    exported = fitted.to_onnx()
    answer = Model.load(exported, fitted.signature).predict(training.features)
    shown = answer.label if answer.probabilities is None else answer.probabilities
    np.savez(answers, label=answer.label.astype(np.float64), shown=shown)
    native, onnx = (hashlib.sha256(form).hexdigest() for form in (fitted.native(), exported))
    print(json.dumps({"native": native, "onnx": onnx, "fit_s": fit_s}))


def _training(problem: str, rows: int) -> Training:
    """Noisy, with missing values, and text of 30 words; the same rows every time."""
    random = np.random.default_rng(SEED)
    x = random.normal(size=(rows, NUMBERS)).astype(np.float32)
    words = random.integers(0, 30, size=(rows, TEXTS))
    score: NDArray[Any] = x[:, :6] @ random.normal(size=6) + x[:, 6] * x[:, 7] + words[:, 0] % 5.0
    score += random.normal(size=rows)
    x[random.random(x.shape) < 0.02] = np.nan  # noqa: PLR2004 - one value in fifty
    features: dict[str, NDArray[Any]] = {f"n{i}": x[:, i].copy() for i in range(NUMBERS)}
    features |= {
        f"t{i}": np.array([f"w{word}" for word in words[:, i]], dtype=object) for i in range(TEXTS)
    }
    if problem == "numbers":
        return Training(features, score, "numbers", (), {}, SEED)
    count = 2 if problem == "two classes" else 5
    edges = np.quantile(score, np.arange(1, count) / count)
    target = np.digitize(score, edges).astype(np.int64)
    return Training(features, target, "classes", tuple(range(count)), {}, SEED)


if __name__ == "__main__":
    main(*sys.argv[1:])
