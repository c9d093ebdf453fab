"""Mean precision of the classes, each weighing as many rows as have it."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, precision, weighted

PrecisionWeighted = averaged("precision_weighted", weighted(precision))
