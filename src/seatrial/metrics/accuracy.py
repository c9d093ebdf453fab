"""Share of rows whose class is right."""

from __future__ import annotations

from seatrial.metrics import Metric
from seatrial.metrics._labels import right, share_right

Accuracy = Metric(
    name="accuracy",
    problem="classes",
    value=share_right,
    method="count",
    per_row=right,
    least=0.0,
    most=1.0,
)
