"""What does a row contribute to a metric being bad? So that slices can be searched by sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics._labels import codes, positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.metrics import Metric, Predictions


@dataclass(frozen=True, slots=True)
class Losses:
    """``rows`` [n], the greater the worse. ``counted``: each is 0 or 1.

    ``exact``: their mean is the metric itself, up to its sign or 1 less it; else the metric moves
    with it, and decides for itself on what the losses find.
    """

    rows: NDArray[np.float64]
    counted: bool
    exact: bool


def losses(metric: Metric, y: NDArray[np.generic], answers: Predictions) -> Losses:
    """By the metric where it is a mean over rows; else by what is nearest to it.

    For areas under a curve, how many rows of the other class are on the wrong side of a row
    (Borkan et al. 2019, "Nuanced metrics for measuring unintended bias", WWW companion, pair up a
    slice with all other rows alike): Brier scores would accuse slices whose outcome is merely
    harder to foresee. For what depends on the answered class, whether it is wrong; for the rest
    of probabilities Brier scores; for numbers squared errors, where the metric squares, and
    else absolute ones.

    >>> from seatrial.metrics import Predictions, get
    >>> answers = Predictions(np.array([1, 1, 0]), None, (0, 1))
    >>> losses(get("accuracy"), np.array([1, 0, 0]), answers).rows.tolist()
    [0.0, 1.0, 0.0]
    """
    if metric.per_row is not None:
        rows = metric.per_row(y, answers).astype(np.float64)
        counted = metric.method == "count" and metric.greater_is_better
        worse = 1 - rows if counted else -rows if metric.greater_is_better else rows
        return Losses(worse, counted, exact=True)
    if metric.problem == "numbers":
        apart = np.abs(np.asarray(y, np.float64) - answers.label)
        return Losses(apart**2 if _squares(metric) else apart, counted=False, exact=False)
    if answers.probabilities is None or metric.method in {"count", "confusion"}:
        wrong = np.asarray(y != answers.label, np.float64)
        return Losses(wrong, counted=True, exact=False)
    if metric.binary_only and metric.binned is None:
        return Losses(_out_of_place(y, answers), counted=False, exact=False)
    return Losses(_brier(y, answers), counted=False, exact=False)


def _squares(metric: Metric) -> bool:
    return metric.name == "r2" or "variance" in metric.name or "squared" in metric.name


def _out_of_place(y: NDArray[np.generic], answers: Predictions) -> NDArray[np.float64]:
    """[n] the share of the other class's rows that are scored on the wrong side of the row."""
    from seatrial.metrics.roc_auc import placements  # noqa: PLC0415 - one metric of many

    is_positive = positive(y, answers)
    lost = np.empty(len(is_positive))
    lost[is_positive], lost[~is_positive] = placements(y, answers)
    return np.asarray(1 - lost)


def _brier(y: NDArray[np.generic], answers: Predictions) -> NDArray[np.float64]:
    given = np.asarray(answers.probabilities, np.float64)
    truth = codes(y, answers.classes)[:, None] == np.arange(given.shape[1])
    return np.asarray(np.sum((truth - given) ** 2, axis=1))
