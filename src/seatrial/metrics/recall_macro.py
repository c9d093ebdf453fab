"""Mean recall of the classes that occur or are called."""

from __future__ import annotations

from seatrial.metrics import Metric
from seatrial.metrics._averaging import macro, recall
from seatrial.metrics._labels import through

of_confusion = macro(recall)

RecallMacro = Metric(
    name="recall_macro",
    problem="classes",
    value=through(of_confusion, binary_only=False),
    method="confusion",
    of_confusion=of_confusion,
    least=0.0,
    most=1.0,
)
