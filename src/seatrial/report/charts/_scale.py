"""Where a number lies in a picture, and which numbers are written beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HUGE = 1e300
"""Beyond it a number lies at the edge: differences of greater ones overflow."""
_STEPS = (1, 2, 5, 10)
_BULK, _AS_FAR, _WIDER = 10, 40, 4
"""In usual distances from the middle: what is still bulk, and what is a near limit. And by how much
a scale of all is wider than one of these before it is worth to cut."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers from ``low`` to ``high``, which differ, laid from ``start`` to ``end``."""

    low: float
    high: float
    start: float = 0.0
    end: float = 1.0

    def __call__(self, value: float) -> float:
        """Its place; of a number beyond the ends, the end."""
        share = (_bounded(value) - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def finite(values: Iterable[float | None]) -> list[float]:
    """Those that can be drawn."""
    return [float(each) for each in values if each is not None and math.isfinite(each)]


def over(values: Iterable[float | None], *, room: float = 0.0) -> tuple[float, float]:
    """Ends that hold all values, with that share of the whole as room on each side.

    >>> over([1.0, None, 3.0], room=0.5), over([2.0]), over([])
    ((0.0, 4.0), (1.9, 2.1), (0.0, 1.0))
    """
    known = [_bounded(each) for each in finite(values)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if low == high:
        beside = abs(low) / 20 or 0.5
        return (low - beside, low + beside) if low - beside < low + beside else (low, low + 1.0)
    beside = (high - low) * room
    return low - beside, high + beside


def near(
    values: Sequence[float], limits: Sequence[float], *, all_limits: bool = False
) -> tuple[float, float]:
    """Ends that hold the bulk of the values, and the limits: those that are near it, or all.

    What lies far off all the rest would leave of it a dot. Without such a value, the ends of all.

    >>> near([0.01, 0.02, 0.04], [0.1]), near([0.01, 0.02, 0.04, 900.0], [0.1])
    ((0.01, 0.1), (0.01, 0.1))
    >>> near([1.0, 1.1, 1.2], [200.0]), near([1.0, 1.1, 1.2], [200.0], all_limits=True)
    ((1.0, 1.2), (1.0, 200.0))
    """
    known, bars = map(_bounded, values), [_bounded(each) for each in limits]
    points = sorted(known)
    middle = (points or bars)[len(points or bars) // 2]
    apart = sorted(abs(each - middle) for each in [*points, *bars] if each != middle)
    if not apart:
        return middle, middle
    usual = apart[(len(apart) - 1) // 2]
    inside = [each for each in points if abs(each - middle) <= _BULK * usual]
    inside += [each for each in bars if all_limits or abs(each - middle) <= _AS_FAR * usual]
    whole, core = over([*points, *bars]), over([middle, *inside])
    return whole if whole[1] - whole[0] <= _WIDER * (core[1] - core[0]) else core


def ticks(low: float, high: float, most: int = 5) -> tuple[float, ...]:
    """Round numbers between two ends: multiples of 1, 2 or 5 times a power of ten.

    >>> ticks(0, 1), ticks(113, 142, 4)
    ((0.0, 0.5, 1.0), (120.0, 130.0, 140.0))
    """
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 0.0
    if not power:
        return (low, high)
    for factor in _STEPS:
        step = factor * power
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return tuple(dict.fromkeys(each * step for each in range(first, last + 1))) or (
                low,
                high,
            )
    return (low, high)


def _bounded(value: float) -> float:
    return min(max(value, -_HUGE), _HUGE)
