"""Mean recall, each class weighing as many rows as have it: the share that is right."""

from __future__ import annotations

from seatrial.metrics import Metric
from seatrial.metrics._labels import right, share_right

RecallWeighted = Metric(
    name="recall_weighted",
    problem="classes",
    value=share_right,
    method="count",
    per_row=right,
    least=0.0,
    most=1.0,
)
