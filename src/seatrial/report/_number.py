"""A number as people read it, and how far it is from its limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIGITS = 4
"""Significant digits, unless more are needed to tell a number from its limit."""
_MOST = 17
_WHOLE = 1e9


def number(value: float | None, limit: float | None = None) -> str:
    """Four significant digits; more where they would put a number on its limit, or beyond it.

    >>> number(0.123456), number(12345.6), number(0.82), number(412), number(None)
    ('0.1235', '12346', '0.82', '412', '-')
    >>> number(0.819996, limit=0.82)
    '0.819996'
    """
    if value is None:
        return "-"
    if not math.isfinite(value):
        return str(value)
    if limit is None:
        return _digits(value, DIGITS)
    said = (_digits(value, digits) for digits in range(DIGITS, _MOST))
    right = (text for text in said if _side(float(text), limit) == _side(value, limit))
    return next(right, repr(value))


def as_given(limit: float, *held: float | None) -> str:
    """A limit: four significant digits, more where those put what is ``held`` on another side.

    >>> as_given(62.88769858), as_given(200.0), as_given(0.82345, 0.82347)
    ('62.89', '200', '0.82345')
    """
    beside = [each for each in held if each is not None and math.isfinite(each)]
    sides = [_side(each, limit) for each in beside]
    said = (_digits(limit, digits) for digits in range(DIGITS, _MOST))
    right = (text for text in said if [_side(each, float(text)) for each in beside] == sides)
    return next(right, repr(limit))


def room(measure: Mapping[str, Any]) -> float:
    """How far its bound is from its limit, in widths of its interval: the least was narrowest.

    Without an interval it is infinite.

    >>> room({"low": 0.8, "high": 0.9, "limit": 0.75, "direction": "at_least"})
    0.5
    """
    low, high, limit = measure["low"], measure["high"], measure["limit"]
    if low is None or high is None or not math.isfinite(high - low) or high <= low:
        return math.inf
    distance = low - limit if measure["direction"] == "at_least" else limit - high
    return round(float(distance / (high - low)), 9)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)


def _digits(value: float, digits: int) -> str:
    value += 0.0  # what is 0 below zero is 0
    whole = abs(value) < _WHOLE and (float(value).is_integer() or abs(value) >= 10**digits)
    return f"{value:.0f}" if whole else f"{value:.{digits}g}"


def told_apart(values: Sequence[float]) -> tuple[str, ...]:
    """Numbers side by side, as on an axis: as few digits as tell all of them apart.

    >>> told_apart([0.0, 0.5, 1.0]), told_apart([1000.01, 1000.02])
    (('0', '0.5', '1'), ('1000.01', '1000.02'))
    """
    apart = len(set(values))
    said = (tuple(_digits(each, digits) for each in values) for digits in range(DIGITS, _MOST))
    enough = (texts for texts in said if len(set(texts)) == apart)
    return next(enough, tuple(repr(each) for each in values))
