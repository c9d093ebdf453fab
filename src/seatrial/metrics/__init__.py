"""How good a model is: one file per metric, named as scikit-learn's scorer of the same meaning.

To add one, write ``metrics/<name>.py`` with a :class:`Metric` called as the file in
capitals-per-word (``metrics/roc_auc.py`` holds ``RocAuc``), or name one under the entry point
``seatrial.metrics``. ``value`` alone is enough: the evidence then comes from seeded resampling.
A metric that says more about itself (``method`` and the field that goes with it) is judged by a
closed form or by an exact law, which is sharper and hundreds of times faster.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seatrial import extend
from seatrial.errors import FileError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

_TWO = 2

NOT_WORDS = {
    "compares clusterings": (
        *("adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score"),
        *("fowlkes_mallows_score", "homogeneity_score", "mutual_info_score"),
        *("normalized_mutual_info_score", "rand_score", "v_measure_score"),
    ),
    "is for rows with several labels": (
        *("f1_samples", "jaccard_samples", "precision_samples", "recall_samples"),
    ),
}
"""Names of scikit-learn's scorers that judge something else, by why."""

Problem = Literal["classes", "numbers"]
Method = Literal["count", "confusion", "ranks", "mean", "bins", "resample"]


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one model says about n rows.

    ``label`` is [n]: labels for classes, values for numbers. ``probabilities`` is [n, k] in the
    order of ``classes`` (sorted; with two, the second is the positive one), None for numbers.
    """

    label: np.ndarray
    probabilities: np.ndarray | None = None
    classes: tuple[object, ...] = ()

    def rows(self, chosen: np.ndarray) -> Predictions:
        """The same model on some of the rows, ``chosen`` by index or mask."""
        kept = None if self.probabilities is None else self.probabilities[chosen]
        return Predictions(self.label[chosen], kept, self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One number about a model, and what the evidence needs in order to bound it.

    ``method`` names how it is bounded, and with it the field that must be given:

    ``count``      ``per_row``: 1 where the row is right, else 0; the metric is its mean
    ``confusion``  ``of_confusion``: [..., k, k] counts (truth, answer) -> [...] values; when
                   ``trials`` turns such counts into (successes, trials) and ``of_rate`` turns
                   the rate of successes into the metric, a single model is bounded exactly
    ``ranks``      ``placements``: ([positives], [negatives]), the mean of each is the metric
    ``mean``       ``per_row``: n numbers whose mean is the metric, or ``influence``: n numbers
                   whose mean is the metric to first order (its value plus each row's influence);
                   with ``ratio``, two times n numbers of which the metric is 1 less the ratio of
                   the means, and the second do not depend on the model, it is bounded as a ratio
    ``bins``       ``binned``: [n] the bin of each row (from 0), and n numbers; the metric is the
                   sum over the bins of the absolute value of their sum, divided by n
    ``resample``   nothing: ``value`` is computed again on drawn rows; or ``of_scores``:
                   [..., 2, s] weights of the negative and the positive rows, by ascending score,
                   -> [...] values; then counts by score are drawn, at a cost that hardly grows

    ``optimism`` estimates by how much the metric flatters a model because it is measured on few
    rows; it is taken off the bound that a good model must hold. ``undefined`` says why the metric
    has no value on these rows (a class that never occurs, say), and "" where it has. ``least`` and
    ``most`` are the ends of the metric's range. ``at`` makes the same metric with another number,
    which a word gives after ``@``; it raises ValueError with what the number may be.
    """

    name: str
    problem: Problem
    value: Callable[[np.ndarray, Predictions], float]
    method: Method = "resample"
    greater_is_better: bool = True
    binary_only: bool = False
    least: float = -math.inf
    most: float = math.inf
    per_row: Callable[[np.ndarray, Predictions], np.ndarray] | None = None
    influence: Callable[[np.ndarray, Predictions], np.ndarray] | None = None
    ratio: Callable[[np.ndarray, Predictions], tuple[np.ndarray, np.ndarray]] | None = None
    of_confusion: Callable[[np.ndarray], np.ndarray] | None = None
    trials: Callable[[np.ndarray], tuple[float, float]] | None = None
    of_rate: Callable[[float], float] = float
    placements: Callable[[np.ndarray, Predictions], tuple[np.ndarray, np.ndarray]] | None = None
    of_scores: Callable[[np.ndarray], np.ndarray] | None = None
    binned: Callable[[np.ndarray, Predictions], tuple[np.ndarray, np.ndarray]] | None = None
    optimism: Callable[[np.ndarray, Predictions], float] | None = None
    undefined: Callable[[np.ndarray, Predictions], str] | None = None
    at: Callable[[float], Metric] | None = None

    @property
    def bounded(self) -> bool:
        """Whether every value lies in [0, 1].

        >>> get("accuracy").bounded, get("r2").bounded
        (True, False)
        """
        return (self.least, self.most) == (0.0, 1.0)


def get(name: str) -> Metric:
    """The metric of that name; after ``@`` may stand its number.

    Raises :class:`~seatrial.errors.FileError` with the nearest name when there is none.

    >>> get("roc_auc").method, get("top_k_accuracy@3").name
    ('ranks', 'top_k_accuracy@3')
    """
    word, at, number = name.partition("@")
    reason = next((why for why, words in NOT_WORDS.items() if word in words), "")
    if reason:
        message = f"{word} is no metric of a model's answers: it {reason}"
        raise FileError(Mistake(message, fix=f"use one of: {', '.join(extend.names('metrics'))}"))
    metric = extend.load("metrics", word)
    if not isinstance(metric, Metric):
        message = f"the word {word!r} does not stand for a seatrial.metrics.Metric"
        raise FileError(Mistake(message, fix="let its file or entry point hold a Metric"))
    return _numbered(metric, number) if at else metric


def scores(y: np.ndarray, predictions: Predictions, problem: str) -> dict[str, float]:
    """Every metric of the problem that has a value on these rows, by its name.

    >>> import numpy as np
    >>> list(scores(np.array([1.0, 3.0]), Predictions(np.array([1.0, 2.0])), "numbers"))[:2]
    ['d2_absolute_error_score', 'explained_variance']
    """
    found: dict[str, float] = {}
    for metric in map(get, extend.names("metrics")):
        fits = metric.problem == problem
        if not fits or (metric.binary_only and len(predictions.classes) != _TWO):
            continue
        if not why_undefined(metric, y, predictions):
            found[metric.name] = float(metric.value(y, predictions))
    return found


def why_undefined(metric: Metric, y: np.ndarray, *models: Predictions) -> str:
    """Why the metric has no value on these rows for one of the models; empty when it has.

    >>> import numpy as np
    >>> same = Predictions(np.array([1, 1]), np.array([[0.1, 0.9], [0.2, 0.8]]), (0, 1))
    >>> why_undefined(get("roc_auc"), np.array([1, 1]), same)
    'every row is of the same class'
    """
    if not len(y):
        return "there are no rows"
    if metric.undefined is None:
        return ""
    return next(filter(None, (metric.undefined(y, model) for model in models)), "")


def _numbered(metric: Metric, number: str) -> Metric:
    if metric.at is None:
        message = f"the metric {metric.name} takes no number, got @{number}"
        raise FileError(Mistake(message, fix=f"write {metric.name}"))
    try:
        given = float(number)
    except ValueError:
        given = math.nan
    try:
        if math.isfinite(given):
            return metric.at(given)
        demand = "a number"
    except ValueError as error:
        demand = str(error)
    message = f"{metric.name}@ must be followed by {demand}, got {number!r}"
    example = demand.rpartition("such as ")[2]  # all of it where there is none
    raise FileError(Mistake(message, fix=f"write {example} after the @, or {metric.name} alone"))


def default(problem: str) -> str:
    """The name of the metric that judges when the file names none.

    >>> default("classes"), default("numbers")
    ('accuracy', 'r2')
    """
    return "accuracy" if problem == "classes" else "r2"
