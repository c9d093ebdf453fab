"""How much likelier a call is on rows of one class than on those of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.metrics import Metric
from seatrial.metrics._labels import confusion, no_positive, share, single_class, through

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Predictions

    OfRates = Callable[[np.ndarray, np.ndarray], np.ndarray]


def likelihood(name: str, of_rates: OfRates, called: str, *, least: float, most: float) -> Metric:
    """The metric that ``of_rates`` makes of the share of positives found and of false alarms.

    Where no negative row is ``called`` so, the ratio has no end, and the metric no value.
    """

    def of_confusion(counts: np.ndarray) -> np.ndarray:
        found = share(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))
        false_alarms = share(counts[..., 0, 1], counts[..., 0, :].sum(axis=-1))
        return of_rates(found, false_alarms)

    def undefined(y: np.ndarray, predictions: Predictions) -> str:
        why = no_positive(y, predictions) or single_class(y, predictions)
        if why:
            return why
        value = of_confusion(confusion(y, predictions))
        return "" if np.isfinite(value) else f"no negative row is called {called}: it has no end"

    return Metric(
        name=name,
        problem="classes",
        value=through(of_confusion, binary_only=True),
        method="confusion",
        binary_only=True,
        of_confusion=of_confusion,
        undefined=undefined,
        least=least,
        most=most,
    )


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, infinite where the whole is 0.

    >>> ratio(np.array([0.6, 1.0]), np.array([0.2, 0.0])).tolist()
    [2.9999999999999996, inf]
    """
    return np.asarray(np.divide(part, whole, out=np.full(whole.shape, np.inf), where=whole > 0))
