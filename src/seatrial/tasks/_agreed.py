"""How far two versions agree on the evaluation rows, and how much the target varies there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evidence.agreement import agreement
from seatrial.inference.answer import Answer

if TYPE_CHECKING:
    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Predictions


def target_variance(rows: Labelled) -> float | None:
    """Variance of the target, in its unit squared; ``None`` where it is classes."""
    if rows.metric.problem != "numbers":
        return None
    return float(np.var(rows.labels.astype(np.float64)))


def disagreed(rows: Labelled, mine: Predictions, serving: Predictions) -> float:
    """The share of rows with another label; of numbers, the squared difference over the variance.

    See :class:`~seatrial.evidence.agreement.Agreement`.
    """
    found = agreement(
        Answer(serving.label, serving.probabilities),
        Answer(mine.label, mine.probabilities),
        variance=target_variance(rows) or 0.0,
        classes=_classes(serving),
        candidate_classes=_classes(mine),
    )
    return found.disagreed


def _classes(answers: Predictions) -> tuple[Any, ...]:
    return tuple(answers.classes)
