"""Which small faults golden rows find: ``python -m environment.power WORD PROBLEM`` prints JSON."""

from __future__ import annotations

import json
import sys
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from environment.changes import ALIKE, CHANGES, OF_A_PART, OF_TREES
from seatrial import models
from seatrial.inference import golden
from seatrial.inference.calibration import calibrate
from seatrial.inference.distance import distances
from seatrial.inference.golden_choice import UNHEARD_OF
from seatrial.inference.session import Model
from seatrial.inference.tolerance import ANSWERS
from seatrial.models import Training

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.random import Generator

    from seatrial.inference.answer import Answer
    from seatrial.inference.tolerance import Tolerance

    Columns = Mapping[str, np.ndarray]

ROWS, UNSEEN = 10_000, 2000
"""Rows to train on, and others of the same kind: a fault that alters none of these is not told."""

GOLDEN = (256, 512)
NUMBERS, TEXTS, WORDS = 18, 2, 30
ABSENT = 0.02
"""The share of values that are missing; in the others as many words are unknown."""

SEEDS = (1, 2)
EACH, WHOLE = 40, 4
"""So many faults of a kind for each seed: of a part of the model, and of all of it."""

FITTED: dict[str, dict[str, Any]] = {
    "gradient_boosted": {"n_estimators": 40, "num_leaves": 31},
    "random_forest": {"n_estimators": 10, "min_samples_leaf": 20},
    "linear": {},
}


def main(word: str, problem: str) -> None:
    """Each fault: its kind, how many rows it alters, and by how many golden rows it is found."""
    faults = [fault for seed in SEEDS for fault in _of_a_seed(word, problem, seed)]
    print(json.dumps({"faults": faults}))


def _of_a_seed(word: str, problem: str, seed: int) -> Iterator[dict[str, Any]]:
    version = _Version.made(word, problem, seed)
    random = np.random.default_rng(seed)
    for kind, change in CHANGES.items():
        if change in OF_TREES and word == "linear":
            continue
        for _ in range(EACH if change in OF_A_PART else WHOLE):
            graph = onnx.load_from_string(version.content)
            if change(graph, random):
                yield {"kind": kind, **version.asked(graph.SerializeToString())}


@dataclass(frozen=True, slots=True)
class _Version:
    """A model, rows that it never saw with its answers, and golden rows by their number."""

    model: Model
    content: bytes
    unseen: Columns
    truth: Answer
    golden: Mapping[int, tuple[bytes, Tolerance]]

    @classmethod
    def made(cls, word: str, problem: str, seed: int) -> _Version:
        random = np.random.default_rng(seed)
        whole, target = _table(random, problem)
        features = {name: column[:ROWS] for name, column in whole.items()}
        unseen = {name: column[ROWS:].copy() for name, column in whole.items()}
        for column in unseen.values():
            if column.dtype == object:
                column[random.random(UNSEEN) < ABSENT] = UNHEARD_OF
        classes = ("late", "on time") if problem == "classes" else ()
        training = Training(features, target[:ROWS], problem, classes, FITTED[word], seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge is another question
            fitted = models.get(word).fit(training)
        content = fitted.to_onnx()
        model = Model.load(content, fitted.signature)
        kept = {}
        for rows in GOLDEN:
            made = golden.make(model, features, seed, rows)
            opening = lambda settings: Model.load(content, fitted.signature, settings)  # noqa: E731
            kept[rows] = made, calibrate(model, made, opening).tolerance
        return cls(model, content, unseen, model.predict(unseen), kept)

    def asked(self, content: bytes) -> dict[str, Any]:
        """What the golden rows say of a changed model, and the share of rows that it alters."""
        other = Model.load(content, self.model.signature)
        answer = other.predict(self.unseen)
        altered = distances(self.truth, answer) > ANSWERS
        if answer.probabilities is not None:
            altered |= answer.label != self.truth.label
        found = [
            rows
            for rows, (kept, tolerance) in self.golden.items()
            if not golden.verify(other, kept, replace(tolerance, rows_at_once=0)).ok  # faster
        ]
        return {"altered": float(altered.mean()), "found": found}


def _table(random: Generator, problem: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Noisy numbers with missing values, words, and two columns that say nearly the same."""
    rows = ROWS + UNSEEN
    x = random.normal(size=(rows, NUMBERS)).astype(np.float32)
    x[:, 1] = 0.95 * x[:, 0] + 0.3 * x[:, 1]
    words = random.integers(WORDS, size=(rows, TEXTS))
    noise = random.normal(size=rows)
    score = noise + x[:, :6] @ random.normal(size=6) + 2 * x[:, 6] * x[:, 7] + words[:, 0] % 5
    x[random.random(x.shape) < ABSENT] = np.nan
    features: dict[str, np.ndarray] = {f"n{place}": x[:, place].copy() for place in range(NUMBERS)}
    for place in range(TEXTS):
        features[f"t{place}"] = np.array([f"w{word}" for word in words[:, place]], object)
    assert {*ALIKE} <= {*features}
    standard = (score - score.mean()) / score.std()
    if problem == "numbers":
        return features, standard.astype(np.float64)
    return features, np.where(standard > 0, "late", "on time").astype(object)


if __name__ == "__main__":
    main(*sys.argv[1:])
