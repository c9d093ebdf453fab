"""A small line beside a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.charts import _svg as svg
from seatrial.report.charts._scale import Scale, finite, over

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _MOST = 100, 24, 60


def spark(values: Sequence[float | None], said: str) -> str:
    """How a number went, without axes: one ``<svg>`` element. ``said`` tells it in words.

    Of more than 60 values, 60 are drawn; ``None`` is a gap.
    """
    shown = [values[i] for i in svg.thinned(len(values), _MOST)]
    up = Scale(*over(shown), _HEIGHT - 3, 3)
    step = (_WIDTH - 6) / max(len(shown) - 1, 1)
    points = [
        (3 + i * step, up(value)) if value is not None and finite([value]) else None
        for i, value in enumerate(shown)
    ]
    content = [svg.path("line s0", drawn)] if (drawn := svg.polyline(points)) else []
    if points and points[-1] is not None:
        content.append(svg.path("points s0", svg.polyline(points[-1:])))
    return svg.picture("spark", said, "", content, width=_WIDTH, height=_HEIGHT)
