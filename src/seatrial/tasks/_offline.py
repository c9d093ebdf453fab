"""What is known of candidate and production before any request: how often their answers differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import FileError
from seatrial.tasks._agreed import disagreed, target_variance
from seatrial.tasks._candidate import labelled, predictions
from seatrial.tasks._policy import rollback_margin

if TYPE_CHECKING:
    from seatrial.errors import Mistake
    from seatrial.metrics import Metric
    from seatrial.registry.registry import Version
    from seatrial.tasks import Context, Scope

DEFAULT_MARGIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline:
    """The answers to the evaluation rows, compared; ``variance`` is that of a number's target.

    ``margin`` is in units of the metric; ``disagreement_margin`` is a share of the answers.
    """

    metric: str
    margin: float
    disagreement: float
    disagreement_margin: float
    variance: float
    rows: int


def offline(
    context: Context,
    dataset: str,
    own_metric: str | None,
    own_margin: float | None,
    candidate: Version,
    serving: Version,
) -> Offline:
    """Score both on the evaluation rows; FileError when the metric has no margin."""
    rows = labelled(context, dataset, own_metric)
    margin = margin_of(context.scope, own_margin)
    if margin is None and not rows.metric.bounded:
        raise FileError(no_margin(context.scope, rows.metric.name))
    margin = DEFAULT_MARGIN if margin is None else margin
    mine, other = predictions(context, candidate, rows), predictions(context, serving, rows)
    return Offline(
        metric=rows.metric.name,
        margin=margin,
        disagreement=disagreed(rows, mine, other),
        disagreement_margin=share_margin(rows.metric, margin),
        variance=target_variance(rows) or 0.0,
        rows=rows.rows,
    )


def margin_of(scope: Scope, own: float | None) -> float | None:
    """The task's own, else the rollback number, else none."""
    return own if own is not None else rollback_margin(scope)


def share_margin(metric: Metric, margin: float) -> float:
    """How much more often than offline answers may differ: the margin, where it is a share.

    A squared difference over the variance is what r2 is made of, so its margin has that unit too.
    """
    return margin if metric.bounded or metric.name == "r2" else DEFAULT_MARGIN


def no_margin(scope: Scope, metric: str) -> Mistake:
    """A metric without bounds, and nobody said how much worse is still good enough."""
    return scope.mistake(
        f"{metric} has no natural margin",
        "margin",
        fix="add `margin: …`, how much worse than production is still good enough",
    )
