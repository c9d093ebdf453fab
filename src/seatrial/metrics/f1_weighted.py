"""Mean F1 of the classes, each weighing as many rows as have it."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, f1, weighted

F1Weighted = averaged("f1_weighted", weighted(f1))
