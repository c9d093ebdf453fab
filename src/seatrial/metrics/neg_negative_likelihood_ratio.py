"""Minus how much likelier a positive row is called negative than a negative one is."""

from __future__ import annotations

import math

from seatrial.metrics._likelihood import likelihood, ratio

NegNegativeLikelihoodRatio = likelihood(
    "neg_negative_likelihood_ratio",
    lambda found, alarms: -ratio(1 - found, 1 - alarms),
    "negative",
    least=-math.inf,
    most=0.0,
)
