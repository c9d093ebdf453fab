"""What does one labelled answer cost? For metrics that are means over rows, within a bound.

The evidence of a watch (:mod:`seatrial.evidence.sequence`) needs numbers that cannot exceed a
bound, so a loss is clipped where its metric has none. Squared and absolute errors are in units of
the target's variance and standard deviation on the validation rows, frozen at the promotion: what
production's own rows spread must not move the scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer

    Classes = tuple[int | str, ...]

ABSOLUTE_BOUND = 2.0
"""Absolute errors are clipped at two standard deviations."""

LOG_BOUND = 3.0
"""Log losses are clipped at 3 nats: a probability of 5 % for what came true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A loss in ``[0, bound]``; the greater, the worse.

    ``counted``: it is only ever 0 or ``bound``. ``margin`` is in the unit of the loss, which
    ``unit`` says in words. ``variance`` is that of the target, 0 for classes.
    """

    name: str
    bound: float
    counted: bool
    margin: float
    unit: str
    variance: float = 0.0

    def of(self, labels: NDArray[Any], answer: Answer, classes: Classes) -> NDArray[np.float64]:
        """[n] the loss of each answer; ``classes`` are those of whoever answered.

        NaN and infinite answers cost the bound. A label that is no class of the answerer had no
        probability there.

        >>> from seatrial.inference.answer import Answer
        >>> loss = loss_for("accuracy", margin=0.05)
        >>> loss.of(np.array([0, 1]), Answer(np.array([0, 0])), (0, 1)).tolist()
        [0.0, 1.0]
        """
        if not len(labels):
            return np.empty(0)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            lost = _ROWS[self.name](labels, answer, classes, self)
        return np.where(answer.finite & ~np.isnan(lost), np.clip(lost, 0, self.bound), self.bound)

    def level(self, value: float) -> float:
        """The loss that a value of the metric stands for, unclipped.

        >>> loss_for("r2", margin=0.05, variance=4.0).level(0.9)
        0.1
        """
        return round(_LEVELS[self.name](value, self), 12)


def loss_for(
    metric: str, *, margin: float, variance: float | None = None, classes: int = 2
) -> Loss | None:
    """The loss of a metric; None when there is none: :func:`why_none` says what to do instead.

    ``margin`` is in units of the metric, ``variance`` that of the validation target (numbers only),
    ``classes`` how many there are.

    >>> loss_for("neg_mean_absolute_error", margin=1.0, variance=4.0).margin
    0.5
    >>> loss_for("roc_auc", margin=0.05) is None
    True
    """
    if metric not in _ROWS:
        return None
    scale = _scale(metric, variance)
    if scale is None:
        return None
    bound = _bound(metric, classes)
    loss = Loss(
        name=metric,
        bound=bound,
        counted=metric == "accuracy",
        margin=margin / scale,
        unit=_UNITS[metric].format(bound=bound),
        variance=variance or 0.0 if metric in _OF_NUMBERS else 0.0,
    )
    return loss if loss.margin < loss.bound else None


def why_none(
    metric: str, *, margin: float, variance: float | None = None, problem: str = "classes"
) -> str:
    """Why a metric cannot be watched, and what to write instead; "" when it can.

    >>> print(why_none("roc_auc", margin=0.05))
    roc_auc is no mean over rows: write `watch: {metric: neg_brier_score, margin: 0.05}`
    """
    if loss_for(metric, margin=margin, variance=variance) is not None:
        return ""
    if metric not in _ROWS:
        other = "neg_brier_score" if problem == "classes" else "neg_mean_absolute_error"
        number = f"{margin:g}" if problem == "classes" else "…"
        return (
            f"{metric} is no mean over rows: write `watch: {{metric: {other}, margin: {number}}}`"
        )
    if _scale(metric, variance) is None:
        return f"{metric} has no scale: the target did not vary on the validation rows"
    return (
        f"a margin of {margin:g} is more than the watch can see of {metric}:"
        f" {_UNITS[metric].format(bound=_bound(metric, 2))}; write a smaller one"
    )


def _bound(metric: str, classes: int) -> float:
    return {
        "neg_mean_absolute_error": ABSOLUTE_BOUND,
        "neg_log_loss": LOG_BOUND,
        "neg_brier_score": 1.0 if classes <= 2 else 2.0,  # halved with two
    }.get(metric, 1.0)


def _scale(metric: str, variance: float | None) -> float | None:
    """What a margin is divided by; None when there is nothing to divide by."""
    if metric not in _OF_NUMBERS:
        return 1.0
    if variance is None or not (math.isfinite(variance) and variance > 0):
        return None
    return {"neg_mean_squared_error": variance, "neg_mean_absolute_error": math.sqrt(variance)}.get(
        metric, 1.0
    )


def _wrong(
    labels: NDArray[Any], answer: Answer, _classes: Classes, _loss: Loss
) -> NDArray[np.float64]:
    return np.fromiter(
        (a != b for a, b in zip(labels.tolist(), answer.label.tolist(), strict=True)),
        np.float64,
        len(labels),
    )


def _squared(
    labels: NDArray[Any], answer: Answer, _classes: Classes, loss: Loss
) -> NDArray[np.float64]:
    return np.asarray((labels - answer.label.astype(np.float64)) ** 2 / loss.variance)


def _absolute(
    labels: NDArray[Any], answer: Answer, _classes: Classes, loss: Loss
) -> NDArray[np.float64]:
    return np.asarray(np.abs(labels - answer.label.astype(np.float64)) / math.sqrt(loss.variance))


def _brier(
    labels: NDArray[Any], answer: Answer, classes: Classes, loss: Loss
) -> NDArray[np.float64]:
    """As :mod:`seatrial.metrics.neg_brier_score` has it, with the sign turned."""
    given = _probabilities(answer)
    place = _places(labels, classes)
    # The true class's share of the square is (1 - p)^2 instead of p^2, and 1 if it is no class.
    squares = np.sum(given**2, axis=1) + 1 - 2 * _chosen(given, place)
    return np.asarray(squares / 2 if loss.bound == 1.0 else squares)


def _log(
    labels: NDArray[Any], answer: Answer, classes: Classes, _loss: Loss
) -> NDArray[np.float64]:
    """As :mod:`seatrial.metrics.neg_log_loss` has it, with the sign turned."""
    return np.asarray(-np.log(_chosen(_probabilities(answer), _places(labels, classes))))


def _probabilities(answer: Answer) -> NDArray[np.float64]:
    if answer.probabilities is None:
        return np.full((len(answer.label), 1), np.nan)
    return answer.probabilities.astype(np.float64)


def _places(labels: NDArray[Any], classes: Classes) -> NDArray[np.int64]:
    known = {label: place for place, label in enumerate(classes)}
    return np.fromiter((known.get(each, -1) for each in labels.tolist()), np.int64, len(labels))


def _chosen(given: NDArray[np.float64], place: NDArray[np.int64]) -> NDArray[np.float64]:
    """The probability of the class at each place; 0 of none."""
    there = (place >= 0) & (place < given.shape[1])
    return np.where(there, given[np.arange(len(given)), np.where(there, place, 0)], 0.0)


_OF_NUMBERS = ("r2", "neg_mean_squared_error", "neg_mean_absolute_error")

_ROWS: dict[str, Callable[[NDArray[Any], Answer, Classes, Loss], NDArray[np.float64]]] = {
    "accuracy": _wrong,
    "r2": _squared,
    "neg_mean_squared_error": _squared,
    "neg_mean_absolute_error": _absolute,
    "neg_brier_score": _brier,
    "neg_log_loss": _log,
}

_LEVELS: dict[str, Callable[[float, Loss], float]] = {
    "accuracy": lambda value, _: 1 - value,
    "r2": lambda value, _: 1 - value,
    "neg_mean_squared_error": lambda value, loss: -value / loss.variance,
    "neg_mean_absolute_error": lambda value, loss: -value / math.sqrt(loss.variance),
    "neg_brier_score": lambda value, _: -value,
    "neg_log_loss": lambda value, _: -value,
}

_SQUARED = "squared errors, in variances of the validation target, each at most {bound:g}"
_UNITS = {
    "accuracy": "share of wrong answers",
    "r2": _SQUARED,
    "neg_mean_squared_error": _SQUARED,
    "neg_mean_absolute_error": "absolute errors, in standard deviations of the validation target,"
    " each at most {bound:g}",
    "neg_brier_score": "Brier scores, each at most {bound:g}",
    "neg_log_loss": "log losses in nats, each at most {bound:g}",
}

FOLLOWED = tuple(_ROWS)
"""The metrics that have a loss."""

IN_UNITS_OF_THE_TARGET = ("neg_mean_squared_error", "neg_mean_absolute_error")
"""Those whose margin says nothing before the target's variance is known."""
