"""What a comparison of two versions says, in words: of every view the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.evaluation.side_by_side import SideBySide
    from seatrial.outcome import Measure
    from seatrial.registry.registry import Version

FOUR_DIGITS = 1000
"""From here on a number is shown whole."""


def heads(first: Version, second: Version) -> tuple[str, str]:
    """What the two are called: by their models too, where these differ."""
    if first.model == second.model:
        return f"version {first.version}", f"version {second.version}"
    return str(first), str(second)


def value(measure: Measure) -> str:
    """A metric with its bounds.

    >>> from seatrial.outcome import Measure
    >>> value(Measure(name="accuracy", value=0.91234, low=0.9, high=0.92))
    '0.9123 (0.9 to 0.92)'
    """
    if measure.value is None:
        return "no value"
    if measure.low is None or measure.high is None:
        return f"{measure.value:.4g}"
    return f"{measure.value:.4g} ({measure.low:.4g} to {measure.high:.4g})"


def difference(apart: Measure) -> str:
    """How much better or worse the first is, and between which ends that lies."""
    if apart.value is None:
        return "cannot be said"
    told = "the same" if not apart.value else f"{abs(apart.value):.4g} {_side(apart.value)}"
    if apart.low is None or apart.high is None:
        return told
    ends = [
        f"{abs(end):.4g} {_side(end)}" if end else "the same" for end in (apart.low, apart.high)
    ]
    return f"{told} (from {ends[0]} to {ends[1]})"


def _side(number: float) -> str:
    return "worse" if number > 0 else "better"


def disagreement(told: SideBySide) -> str:
    """How often their answers differ, and which is right there."""
    apart, named = told.found.disagreement, heads(told.first, told.second)
    share = apart.share.value or 0.0
    if told.first.digest == told.second.digest:
        return "both are the same version"
    if told.rows.metric.problem == "numbers":
        return (
            f"their answers differ by {100 * share:.2g} % of the target's variance; closer to the"
            f" truth is {named[0]} in {apart.only_first} rows, {named[1]} in {apart.only_second}"
        )
    return (
        f"{100 * share:.2g} % of the rows get two different answers: {named[0]} alone is right"
        f" in {apart.only_first}, {named[1]} alone in {apart.only_second}"
    )


def noise_floor(told: SideBySide) -> str | None:
    """How much of a difference is of the seed alone; ``None`` where nobody tried."""
    floor, name = told.found.noise_floor, told.rows.metric.name
    if floor is None or floor.value is None:
        return None
    moves = f"moves {name} by about {floor.value:.2g}" if floor.value else f"does not move {name}"
    return f"training {told.first} again with another seed {moves}"


def verdict(told: SideBySide) -> str | None:
    """The verdict by the margin; ``None`` where none was given."""
    if told.found.verdict == "skip":
        return None
    margin = told.found.metrics[0].degradation
    assert margin is not None
    return f"{told.found.verdict}: {difference(margin)}, margin {margin.limit:g}"


def span(measure: Measure) -> str:
    """A measure with its bounds, where there are any.

    >>> from seatrial.outcome import Measure
    >>> span(Measure(name="throughput.rows_per_s", value=106104.2, low=104600.3, high=108300.1))
    '106104 (104600 to 108300)'
    """
    if measure.value is None:
        return "-"
    ends = (measure.value, measure.low, measure.high)
    value_, low, high = (_rounded(end) for end in ends)
    if measure.low is None or measure.high is None or measure.low == measure.high:
        return value_
    return f"{value_} ({low} to {high})"


def _rounded(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:.0f}" if abs(number) >= FOUR_DIGITS else f"{number:.4g}"
