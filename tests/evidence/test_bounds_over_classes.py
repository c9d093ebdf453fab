"""A mean over classes rests on the rarest of them, however many rows the others have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.metrics import Predictions, get, why_undefined

SHARES = np.array([0.9, 0.08, 0.02])


def _made(rows: int, seed: int) -> tuple[Any, Predictions, Predictions]:
    """Three classes, one of them in 2 % of the rows; a model, and one that sees less well."""
    random = np.random.default_rng(seed)
    y = random.choice(3, rows, p=SHARES)
    seen = random.normal(size=(rows, 3)) + 2.0 * (np.arange(3) == y[:, None])
    blurred = seen + 0.7 * random.normal(size=(rows, 3))
    return y, _answers(seen), _answers(blurred)


def _answers(seen: Any) -> Predictions:
    odds = SHARES * np.exp(2.0 * seen)
    p = odds / odds.sum(axis=1, keepdims=True)
    return Predictions(p.argmax(axis=1), p, (0, 1, 2))


@pytest.mark.parametrize("rows", [60, 300])
@pytest.mark.parametrize("name", ["roc_auc_ovr", "roc_auc_ovo", "roc_auc_ovr_weighted"])
def test_few_rows_of_one_class_do_not_prove_too_much(name: str, rows: int) -> None:
    metric = get(name)
    y, good, bad = _made(300_000, 1)
    truth = metric.value(y, good)
    worse = truth - metric.value(y, bad)
    errors = np.zeros(4)
    told = 0
    for seed in range(150):
        y, good, bad = _made(rows, seed)
        if why_undefined(metric, y, good):
            continue
        told += 1
        alone = absolute(metric, y, good, None, seed=1)
        beside = compare(metric, y, bad, good, math.inf, seed=1)
        for place, (measure, true) in enumerate([(alone, truth), (beside, worse)]):
            assert measure.low is not None
            assert measure.high is not None
            errors[2 * place] += measure.low > true
            errors[2 * place + 1] += measure.high < true
    # as if each row were worth the same: up to 39 % at 60 rows, 10 % at 300
    assert errors.max() <= max(0.09 * told, 3)


def test_one_row_of_a_class_proves_nothing() -> None:
    y = np.array([0] * 50 + [1] * 49 + [2])
    perfect = Predictions(y, np.eye(3)[y], (0, 1, 2))
    measure = absolute(get("roc_auc_ovr"), y, perfect, 0.5, seed=1)
    assert (measure.value, measure.low, measure.high) == (1, 0, 1)
    beside = compare(get("roc_auc_ovr"), y, perfect, perfect, 0.5, seed=1)
    assert (beside.low, beside.high) == (-1, 1)


def test_a_perfect_model_on_classes_that_are_alike_is_bounded_as_before() -> None:
    y = np.arange(300) % 3
    perfect = Predictions(y, np.eye(3)[y], (0, 1, 2))
    measure = absolute(get("roc_auc_ovr"), y, perfect, 0.95, seed=1)
    assert measure.low == pytest.approx(1 - 1.65 * 0.5 / 300, abs=2e-3)
    assert measure.verdict.value == "pass"
