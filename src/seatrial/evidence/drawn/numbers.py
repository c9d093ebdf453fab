"""How far the answers lie from the truth, and where among the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from seatrial.evidence.drawn.bins import equal_counts, round_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.metrics import Predictions

MOST_BINS = 40
DECILES = 10
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

FAR = 200
"""One of so many rows may lie outside of the bins: a few far ones would flatten all others."""

ROUNDING = 1e-9
"""Of the greatest edge: so far beyond it a residual still lies on it."""

MOST = 1e150
"""Numbers beyond this are drawn as it: their squares and sums would be infinite."""


class Residuals(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by answer less truth, between ``edges``; ``below`` and ``above`` lie outside of them."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    below: int
    above: int


class Decile(msgspec.Struct, frozen=True, array_like=True):
    """A tenth of the rows by answer: the means of answer and truth, and the residuals' quantiles.

    The quantiles are those of 5, 25, 50, 75 and 95 %.
    """

    n: int
    answered: float
    true: float
    residuals: tuple[float, float, float, float, float]


class OfNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one model's answers."""

    residuals: Residuals
    deciles: tuple[Decile, ...]


def edges_for(labels: NDArray[Any], models: Sequence[Predictions]) -> tuple[float, ...]:
    """Round edges about zero, within which nearly all residuals of every model lie."""
    last = len(labels) - 1 - len(labels) // FAR
    found = (np.sort(np.abs(_residuals(labels, model))) for model in models)
    reach = max(float(each[last]) for each in found)
    return round_edges(reach, MOST_BINS)


def of_numbers(labels: NDArray[Any], model: Predictions, edges: tuple[float, ...]) -> OfNumbers:
    """What is kept of one model's finite answers to rows with these labels [n]."""
    apart = _residuals(labels, model)
    place = np.searchsorted(edges, apart, side="right")
    # the last bin holds its upper edge too, and either end what is rounded beyond it
    ends = np.abs(np.abs(apart) - edges[-1]) <= ROUNDING * edges[-1]
    place[ends] = np.where(apart[ends] > 0, len(edges) - 1, 1)
    counts = np.bincount(place, minlength=len(edges) + 1).tolist()
    return OfNumbers(
        residuals=Residuals(
            edges=edges, counts=tuple(counts[1:-1]), below=counts[0], above=counts[-1]
        ),
        deciles=_deciles(_numbers(labels), _numbers(model.label), apart),
    )


def _deciles(
    truth: NDArray[np.float64], answer: NDArray[np.float64], apart: NDArray[np.float64]
) -> tuple[Decile, ...]:
    bins = equal_counts(answer, DECILES)
    found = []
    for place in range(int(bins.max()) + 1):
        inside = bins == place
        quantiles = np.quantile(apart[inside], QUANTILES).tolist()
        low, lower, middle, upper, high = (float(f"{each:.9g}") for each in quantiles)
        said, true = (float(each[inside].mean()) for each in (answer, truth))
        spread = (low, lower, middle, upper, high)
        found.append(Decile(int(inside.sum()), said, true, spread))
    return tuple(found)


def _residuals(labels: NDArray[Any], model: Predictions) -> NDArray[np.float64]:
    return _numbers(model.label) - _numbers(labels)


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    return np.clip(values.astype(np.float64), -MOST, MOST)
