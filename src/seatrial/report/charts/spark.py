"""A small line beside a number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, over

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _MOST = 100, 24, 60


def spark(values: Sequence[float | None], said: str) -> str:
    """How a number went, without axes: one ``<svg>`` element. ``said`` tells it in words.

    ``None`` is a gap. Of many values the least and the greatest of each stretch are drawn, and its
    gap: no peak is lost.
    """
    up = Scale(*over(values), _HEIGHT - 3, 3)
    step = (_WIDTH - 6) / max(len(values) - 1, 1)
    points = [
        (3 + i * step, up(value)) if (value := values[i]) is not None and finite([value]) else None
        for i in _shown(values)
    ]
    content = [svg.path("line s0", drawn)] if (drawn := svg.polyline(points)) else []
    if points and points[-1] is not None:
        content.append(svg.path("points s0", svg.polyline(points[-1:])))
    return svg.picture("spark", said, "", content, width=_WIDTH, height=_HEIGHT)


def _shown(values: Sequence[float | None]) -> Sequence[int]:
    """The places that are drawn: the first and the last, and what stands out between them."""
    count = len(values)
    if count <= _MOST:
        return range(count)
    each = math.ceil(2 * count / _MOST)
    kept = {0, count - 1}
    for begin in range(0, count, each):
        stretch = range(begin, min(begin + each, count))
        known = [i for i in stretch if finite([values[i]])]
        if known:
            ranked = sorted(known, key=lambda i: values[i] or 0.0)
            kept |= {ranked[0], ranked[-1]}
        kept.update([i for i in stretch if not finite([values[i]])][:1])
    return sorted(kept)
