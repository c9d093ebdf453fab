"""Recall over the rows of all classes at once, which is the share that is right."""

from __future__ import annotations

from seatrial.metrics import Metric
from seatrial.metrics._labels import right, share_right

RecallMicro = Metric(
    name="recall_micro",
    problem="classes",
    value=share_right,
    method="count",
    per_row=right,
    least=0.0,
    most=1.0,
)
