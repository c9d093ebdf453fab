"""Two models on the same rows, as simulations draw them; and metrics of a third party."""

from __future__ import annotations

import math

import numpy as np

from seatrial.metrics import Metric, Predictions

Pair = tuple[np.ndarray, Predictions, Predictions]


def classes(seed: int, n: int, *, prevalence: float = 0.4) -> Pair:
    """Truth, production and a candidate that is somewhat worse; their errors go together."""
    random = np.random.default_rng(seed)
    y = (random.random(n) < prevalence).astype(np.int64)
    common = random.normal(size=n) * math.sqrt(0.7)
    models = []
    for skill in (1.5, 1.2):
        x = common + random.normal(size=n) * math.sqrt(0.3) + skill * y
        logit = skill * x - skill**2 / 2 + math.log(prevalence / (1 - prevalence))
        p = 1 / (1 + np.exp(-logit))
        called = (logit > 0).astype(np.int64)
        models.append(Predictions(called, np.column_stack([1 - p, p]), (0, 1)))
    return y, models[0], models[1]


def gap(weights: np.ndarray) -> np.ndarray:
    """[..., 2, s] weights by score -> [...] the greatest gap between the classes' distributions."""
    sums = np.cumsum(weights, axis=-1)
    shares = sums / np.maximum(sums[..., -1:], np.finfo(np.float64).tiny)
    return np.asarray(np.max(np.maximum(shares[..., 0, :] - shares[..., 1, :], 0), axis=-1))


def _gap(y: np.ndarray, model: Predictions) -> float:
    known, place = np.unique(_score(model), return_inverse=True)
    table = np.bincount(y * len(known) + place, minlength=2 * len(known))
    return float(gap(table.reshape(2, -1).astype(np.float64)))


def _median(y: np.ndarray, model: Predictions) -> float:
    p = _score(model)
    return float(np.median(np.where(y == 1, p, 1 - p)))


def _score(model: Predictions) -> np.ndarray:
    assert model.probabilities is not None
    return np.asarray(model.probabilities[:, 1])


BY_SCORES = Metric(
    name="gap_of_scores",
    problem="classes",
    value=_gap,
    of_scores=gap,
    binary_only=True,
    least=0.0,
    most=1.0,
)
"""As a third party may write it: a function of counts by score."""

BY_VALUE = Metric(
    name="median_probability",
    problem="classes",
    value=_median,
    binary_only=True,
    least=0.0,
    most=1.0,
)
"""As a third party may write it: nothing but its value is known."""
