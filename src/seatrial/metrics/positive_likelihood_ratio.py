"""How much likelier a positive row is called positive than a negative one is."""

from __future__ import annotations

import math

from seatrial.metrics._likelihood import likelihood, ratio

PositiveLikelihoodRatio = likelihood(
    "positive_likelihood_ratio",
    ratio,
    "positive",
    least=0.0,
    most=math.inf,
)
