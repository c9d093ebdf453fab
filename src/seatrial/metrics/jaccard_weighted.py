"""Mean Jaccard index of the classes, each weighing as many rows as have it."""

from __future__ import annotations

from seatrial.metrics import Metric
from seatrial.metrics._averaging import jaccard, weighted
from seatrial.metrics._labels import through

of_confusion = weighted(jaccard)

JaccardWeighted = Metric(
    name="jaccard_weighted",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    least=0.0,
    most=1.0,
)
