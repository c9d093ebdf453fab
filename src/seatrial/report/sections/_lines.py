"""A measure of the document as a line of a forest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.report.charts.forest import Interval

if TYPE_CHECKING:
    from collections.abc import Mapping


def line(label: str, measure: Mapping[str, Any]) -> Interval:
    """What was held against no limit has no verdict."""
    return Interval(
        label=label,
        value=measure["value"],
        low=measure["low"],
        high=measure["high"],
        limit=measure["limit"],
        at_least=measure["direction"] == "at_least",
        n=measure.get("n"),
        verdict="" if measure["limit"] is None else str(measure["verdict"]),
    )
