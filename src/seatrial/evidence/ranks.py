"""Bounds of the area under the ROC curve, and of the difference between two on the same rows.

``Placements`` are, for each positive row, the share of negatives below it, and for each negative
that of positives above it. Variances by DeLong, DeLong and Clarke-Pearson (1988), "Comparing the
areas under two or more correlated receiver operating characteristic curves", Biometrics 44.
"""

from __future__ import annotations

import math

import numpy as np

from seatrial.evidence import logits, means
from seatrial.evidence.rates import Z

Placements = tuple[np.ndarray, np.ndarray]


def of_one(placements: Placements, *, effect: float = 1.0) -> tuple[float, float]:
    """(low, high) of the area, by its logit.

    A perfect area shows no variance at all: then the score-type interval of Newcombe.
    ``effect`` is how many rows prove as much as one: the variance of Obuchowski (1997),
    "Nonparametric analysis of clustered ROC curve data", Biometrics 53, over DeLong's.

    >>> low, high = of_one((np.ones(20), np.ones(30)))
    >>> round(low, 3), high
    (0.941, 1.0)
    """
    positives, negatives = placements
    if min(len(positives), len(negatives)) < 2:
        return 0.0, 1.0
    area = float(np.mean(positives))
    if not 0 < area < 1:
        return newcombe(area, len(positives) / effect, len(negatives) / effect)
    reach = _quantile(placements) * _deviation(placements, off=0.5)
    return logits.of_one(area, reach * math.sqrt(effect))


def of_difference(
    first: Placements, second: Placements, *, effect: float = 1.0
) -> tuple[float, float]:
    """(low, high) of area(first) - area(second), by the paired variance.

    >>> same = (np.array([1.0, 0.5, 1.0]), np.array([1.0, 0.75, 0.75]))
    >>> low, high = of_difference(same, same)
    >>> low < 0 < high
    True
    """
    if min(len(part) for part in first) < 2:
        return -1.0, 1.0
    quantile = _quantile(first) * math.sqrt(effect)
    errors = [_deviation(placements) for placements in (first, second)]
    joint = sum(
        float(np.cov(*pair)[0, 1]) / len(pair[0]) for pair in zip(first, second, strict=True)
    )
    apart = (first[0] - second[0], first[1] - second[1])
    return logits.of_difference(
        (float(np.mean(first[0])), quantile * errors[0]),
        (float(np.mean(second[0])), quantile * errors[1]),
        joint / (errors[0] * errors[1]) if all(errors) else 0.0,
        quantile * _deviation(apart, off=0.25),
    )


def influence(placements: Placements, is_positive: np.ndarray) -> np.ndarray:
    """[n] the area plus what each row does to it, to first order; ``is_positive`` is [n].

    >>> influence((np.array([1.0, 0.5]), np.array([1.0, 0.5])), np.array([0, 1, 0, 1]) == 1)
    array([1.25, 1.25, 0.25, 0.25])
    """
    rows = np.empty(len(is_positive))
    for part, chosen in zip(placements, (is_positive, ~is_positive), strict=True):
        if not len(part):
            return np.full(len(is_positive), 0.5)
        area = float(np.mean(part))
        rows[chosen] = area + (part - area) * (len(rows) / len(part))
    return rows


def newcombe(area: float, positives: float, negatives: float) -> tuple[float, float]:
    """(low, high): the areas from which ``area`` is no further than 1.645 of their own errors.

    Newcombe (2006), "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2", Statistics in Medicine 25, method 5: the error that Hanley and McNeil
    (1982) give for an area, with (m + n) / 2 - 1 in the place of both counts less one.

    >>> [round(bound, 3) for bound in newcombe(0.9, 50, 50)]
    [0.832, 0.941]
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
        bounds.append(outside)
    return bounds[0], bounds[1]


def _quantile(placements: Placements) -> float:
    return means.student(min(len(part) for part in placements) - 1)


def _deviation(placements: Placements, *, off: float = 0.0) -> float:
    # Rows that show no spread are taken to hide one whose place is ``off`` by that much.
    return math.hypot(*(means.deviation(part, one_row=off) for part in placements))
