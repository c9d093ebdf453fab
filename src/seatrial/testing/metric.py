"""Does a metric keep its promises: scikit-learn's value, a range, a direction, honest parts?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial import metrics
from seatrial.evidence.absolute import absolute
from seatrial.evidence.paired import compare
from seatrial.metrics import Metric, Predictions
from seatrial.metrics._labels import confusion
from seatrial.testing._demand import demand

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 40
SEED = 1
CLOSE = 1e-7
SAME = 1e-6

_PARTS = {
    "count": ("per_row",),
    "confusion": ("of_confusion",),
    "ranks": ("placements",),
    "mean": ("per_row", "influence"),
    "bins": ("binned",),
    "resample": (),
}
"""Of which fields a method needs one."""


@dataclass(frozen=True, slots=True)
class Case:
    """Rows ``[n]`` to judge, the answers of one model, and those of a model without error."""

    name: str
    y: np.ndarray
    given: Predictions
    perfect: Predictions


def check_metric(word: str) -> None:
    """Raise :class:`AssertionError` with a sentence unless the metric keeps its promises.

    Where scikit-learn has a scorer of that name, the values must be equal.

    >>> check_metric("neg_brier_score")
    """
    metric = metrics.get(word)
    demand(metric.name == word, f"the metric {word} calls itself {metric.name!r}")
    demand(
        metric.problem in {"classes", "numbers"},
        f"the metric {word} must be for `classes` or `numbers`, not {metric.problem!r}",
    )
    demand(metric.least < metric.most, f"the range of {word} is empty")
    _has_what_its_method_needs(metric)
    judged = [c for c in cases(metric) if not metrics.why_undefined(metric, c.y, c.given)]
    demand(judged, f"the metric {word} is undefined on every case")
    for case in judged:
        _equals_scikit_learn(metric, case)
        _depends_on_rows_only(metric, case)
        _parts_add_up(metric, case)
        if not metrics.why_undefined(metric, case.y, case.perfect):
            _prefers_no_error(metric, case)
            _can_be_bounded(metric, case)


def cases(metric: Metric) -> Iterator[Case]:
    """Small data of the metric's problem: even and rare classes, words, more than two; numbers."""
    random = np.random.default_rng(SEED)
    if metric.problem == "numbers":
        y = random.normal(3, 2, ROWS)
        noisy = (y + random.normal(0, 1, ROWS)).astype(np.float32)
        yield Case("numbers", y, Predictions(noisy), Predictions(y))
        counts = random.poisson(3, ROWS) + 1.0
        near = (counts * np.exp(random.normal(0, 0.3, ROWS))).astype(np.float32)
        yield Case("positive numbers", counts, Predictions(near), Predictions(counts))
        return
    sets: list[tuple[str, tuple[int | str, ...], int]] = [
        ("two classes", (0, 1), 2),
        ("a rare class", (0, 1), 8),
        ("two words", ("no", "yes"), 2),
    ]
    if not metric.binary_only:
        sets += [("three classes", (0, 1, 2), 3), ("three words", ("a", "b", "c"), 3)]
    for name, classes, every in sets:
        codes = np.arange(ROWS) % every
        codes = np.where(codes < len(classes), codes, 0)
        certain = np.eye(len(classes))[codes]
        table = 0.1 * certain + 0.9 * random.dirichlet(np.ones(len(classes)), ROWS)
        table = np.round(table, 2)  # so that scores tie
        table[:, -1] = np.clip(1 - table[:, :-1].sum(axis=1), 0, 1)
        table = table.astype(np.float32)
        known = np.array(classes)
        yield Case(
            name,
            known[codes],
            Predictions(known[table.argmax(axis=1)], table, classes),
            Predictions(known[codes], certain.astype(np.float32), classes),
        )


def _has_what_its_method_needs(metric: Metric) -> None:
    demand(
        metric.method in _PARTS,
        f"the metric {metric.name} has the unknown method {metric.method!r}",
    )
    needed = _PARTS[metric.method]
    demand(
        not needed or any(getattr(metric, part) is not None for part in needed),
        f"the method {metric.method!r} of {metric.name} needs {' or '.join(needed)}",
    )


def _equals_scikit_learn(metric: Metric, case: Case) -> None:
    expected = _scored(metric.name, case)
    if expected is None:
        return
    value = metric.value(case.y, case.given)
    demand(
        # of float32 answers: scikit-learn may sum them as they are
        abs(value - expected) <= SAME * max(1.0, abs(expected)),
        f"{metric.name} is {value!r} on {case.name}, scikit-learn says {expected!r}",
    )


def _scored(name: str, case: Case) -> float | None:
    """What scikit-learn's scorer of that name says; None when it has none, or not for such data."""
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: PLC0415
    from sklearn.metrics import get_scorer, get_scorer_names  # noqa: PLC0415 - slow to import

    if name not in get_scorer_names():
        return None
    given = case.given
    binary_words = len(given.classes) == 2 and isinstance(given.classes[0], str)  # noqa: PLR2004
    y = case.y
    label = given.label
    if binary_words:  # its scorers take the greater of two words for the positive class only as 1
        y, label = (np.asarray(part == given.classes[1]).astype(int) for part in (y, label))

    def predict(_model: object, rows: np.ndarray) -> np.ndarray:
        return np.asarray(label[rows[:, 0]])

    def predict_proba(_model: object, rows: np.ndarray) -> np.ndarray:
        assert given.probabilities is not None
        return np.asarray(given.probabilities[rows[:, 0]])

    fixed = type(
        "Fixed",
        (RegressorMixin if given.probabilities is None else ClassifierMixin, BaseEstimator),
        {
            "classes_": np.array([0, 1]) if binary_words else np.array(given.classes),
            "__sklearn_is_fitted__": lambda _self: True,
            "predict": predict,
            "predict_proba": predict_proba,
        },
    )
    return float(get_scorer(name)(fixed(), np.arange(len(y)).reshape(-1, 1), y))


def _depends_on_rows_only(metric: Metric, case: Case) -> None:
    order = np.random.default_rng(SEED).permutation(len(case.y))
    value, shuffled = (
        metric.value(case.y, case.given),
        metric.value(case.y[order], case.given.rows(order)),
    )
    demand(isinstance(value, float), f"{metric.name} must be a float, not {type(value).__name__}")
    demand(
        abs(value - shuffled) <= CLOSE * max(1.0, abs(value)),
        f"{metric.name} depends on the order of the rows: {value!r} and {shuffled!r}",
    )


def _prefers_no_error(metric: Metric, case: Case) -> None:
    sign = 1 if metric.greater_is_better else -1
    value, best = metric.value(case.y, case.given), metric.value(case.y, case.perfect)
    demand(
        sign * best > sign * value,
        f"{metric.name} does not prefer the model without error on {case.name}"
        f" ({best!r} against {value!r}): is greater_is_better right?",
    )
    for each in (value, best):
        demand(
            metric.least - CLOSE <= each <= metric.most + CLOSE,
            f"{metric.name} is {each!r} on {case.name},"
            f" outside its range {metric.least:g} to {metric.most:g}",
        )


def _parts_add_up(metric: Metric, case: Case) -> None:
    """What the evidence is made from must give the metric itself."""
    value, parts = metric.value(case.y, case.given), dict[str, float]()
    for name in ("per_row", "influence"):
        part = getattr(metric, name)
        if part is None:
            continue
        rows = np.asarray(part(case.y, case.given))
        demand(
            rows.shape == (len(case.y),),
            f"`{name}` of {metric.name} must be one number a row, its shape is {rows.shape}",
        )
        parts[name] = float(rows.mean())
    if metric.of_confusion is not None:
        counts = confusion(case.y, case.given)
        parts["of_confusion"] = float(metric.of_confusion(counts))
        many = np.asarray(metric.of_confusion(np.stack([counts, counts])))
        demand(many.shape == (2,), f"`of_confusion` of {metric.name} must take many tables at once")
        if metric.trials is not None:
            successes, trials = metric.trials(counts)
            parts["trials"] = metric.of_rate(successes / trials)
    if metric.binned is not None:
        bins, apart = metric.binned(case.y, case.given)
        parts["binned"] = float(np.abs(np.bincount(bins, apart)).sum() / len(apart))
    if metric.placements is not None:
        for side in metric.placements(case.y, case.given):
            parts["placements"] = float(np.mean(side))
    for name, mean in parts.items():
        demand(
            abs(mean - value) <= CLOSE * max(1.0, abs(value)),
            f"`{name}` of {metric.name} gives {mean!r} on {case.name}, its value is {value!r}",
        )


def _can_be_bounded(metric: Metric, case: Case) -> None:
    """Bounds hold the value; swapping two models swaps the sign of what lies between them."""
    value = metric.value(case.y, case.given)
    one = absolute(metric, case.y, case.given, None, seed=SEED)
    demand(
        (one.low is None or one.low <= value) and (one.high is None or value <= one.high),
        f"the bounds of {metric.name} on {case.name} do not hold its value: {one}",
    )
    there, back = (
        compare(metric, case.y, first, second, 0.05, seed=SEED).value
        for first, second in ((case.given, case.perfect), (case.perfect, case.given))
    )
    if there is None or back is None or there <= 0:
        sentence = "a model with errors must be worse than one without"
        raise AssertionError(f"{metric.name}: {sentence} on {case.name}")
    demand(there == -back, f"{metric.name}: swapped models must swap the sign on {case.name}")
