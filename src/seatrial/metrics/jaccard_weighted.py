"""Mean Jaccard index of the classes, each weighing as many rows as have it."""

from __future__ import annotations

from seatrial.metrics._averaging import averaged, jaccard, weighted

JaccardWeighted = averaged("jaccard_weighted", weighted(jaccard))
