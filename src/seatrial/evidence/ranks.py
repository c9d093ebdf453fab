"""Bounds of the area under the ROC curve, and of the difference between two on the same rows."""

from __future__ import annotations

import math

import numpy as np

from seatrial.evidence.means import student
from seatrial.evidence.rates import Z

Placements = tuple[np.ndarray, np.ndarray]


def of_one(placements: Placements) -> tuple[float, float]:
    """(low, high) of the area, on the logit scale, which keeps them inside (0, 1).

    Variance by DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44. A perfect area shows no
    variance at all: then the score-type interval of Newcombe (2006), Statistics in Medicine 25.

    >>> low, high = of_one((np.ones(20), np.ones(30)))
    >>> round(low, 3), high
    (0.908, 1.0)
    """
    positives, negatives = placements
    if min(len(positives), len(negatives)) < 2:
        return 0.0, 1.0
    area = float(np.mean(positives))
    if not 0 < area < 1:
        return newcombe(area, len(positives), len(negatives))
    return on_logit(area, *_reach(placements, HALF))


def of_difference(first: Placements, second: Placements) -> tuple[float, float]:
    """(low, high) of area(first) - area(second) by the paired DeLong variance.

    >>> same = (np.array([1.0, 0.5, 1.0]), np.array([1.0, 0.75, 0.75]))
    >>> low, high = of_difference(same, same)
    >>> low == -high
    True
    """
    positives, negatives = first[0] - second[0], first[1] - second[1]
    if min(len(positives), len(negatives)) < 2:
        return -1.0, 1.0
    difference = float(np.mean(positives))
    below, above = _reach((positives, negatives), QUARTER)
    return difference - below, difference + above


def newcombe(area: float, positives: float, negatives: float) -> tuple[float, float]:
    """(low, high): the areas from which ``area`` is no further than 1.645 of their own errors.

    Standard error of an area A by Hanley and McNeil (1982), with (m + n) / 2 - 1 in the place of
    both counts less one, as Newcombe advises (method 5).

    >>> [round(bound, 3) for bound in newcombe(0.9, 50, 50)]
    [0.834, 0.942]
    """
    half = (positives + negatives) / 2 - 1

    def plausible(true: float) -> bool:
        spread = true * (1 - true) * (1 + half * (1 - true) / (2 - true) + half * true / (1 + true))
        return (area - true) ** 2 <= Z**2 * spread / (positives * negatives)

    bounds = []
    for end in (0.0, 1.0):
        inside, outside = area, end
        for _ in range(60):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if plausible(middle) else (inside, middle)
        bounds.append(outside if inside != area else area)
    return bounds[0], bounds[1]


def _reach(placements: Placements, off: float) -> tuple[float, float]:
    # How far below and above. Rows that show no spread are taken to hide one that is ``off``.
    freedom = min(len(part) for part in placements) - 1
    variance = sum(max(float(np.var(part, ddof=1)), off**2 / len(part)) / len(part) for part in placements)
    third = sum(float(np.mean((part - part.mean()) ** 3)) / len(part) ** 2 for part in placements)
    return means.reach(variance, third, freedom)


def _expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
