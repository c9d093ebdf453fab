"""A bound and a comparison, each said in one clause, and what would settle them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evidence import power
from seatrial.outcome import Direction, Finding, Measure, Verdict
from seatrial.tasks._bounds import proven

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.registry.registry import Version


def bound_said(measure: Measure) -> str:
    """A measure with its bounds and limit.

    >>> bound_said(Measure(name="r2", value=0.8, low=0.75, high=0.84, limit=0.7, n=500))
    'r2 0.8000 on 500 rows (between 0.7500 and 0.8400, limit 0.7)'

    A limit from above is said as such.

    >>> bound_said(Measure(name="expected_calibration_error", value=0.05, limit=0.06, n=500,
    ...                    direction=Direction.AT_MOST))
    'expected_calibration_error 0.0500 on 500 rows, limit at most 0.06'
    """
    most = "at most " if measure.direction is Direction.AT_MOST else ""
    limit = "" if measure.limit is None else f", limit {most}{measure.limit:g}"
    if measure.value is None:
        return f"{measure.name} has no value on {measure.n} rows{limit}"
    if measure.low is None or measure.high is None:
        return f"{measure.name} {measure.value:.4f} on {measure.n} rows{limit}"
    return (
        f"{measure.name} {measure.value:.4f} on {measure.n} rows"
        f" (between {measure.low:.4f} and {measure.high:.4f}{limit})"
    )


def comparison_said(measure: Measure, serving: Version) -> str:
    """A degradation beside the version that it is from, with the bound that decides.

    >>> from seatrial.registry.registry import Version
    >>> serving = Version(model="m", version=1, digest="sha256:0", label="1", created="")
    >>> comparison_said(Measure(name="degradation.r2", value=0.15, low=0.14, high=0.16,
    ...                         limit=0.05, verdict=Verdict.FAIL), serving)
    '0.1500 worse than version 1 on the same rows (at least 0.1400 worse, margin 0.05)'
    """
    if measure.value is None:
        return f"{measure.name} from version {serving.version} has no value on these rows"
    side = "worse" if measure.value > 0 else "better"
    said = f"{abs(measure.value):.4f} {side} than version {serving.version}"
    margin = "" if measure.limit is None else f"margin {measure.limit:g}"
    bound = f"{proven(measure, '.4f')}{margin}".removesuffix(", ")
    return f"{said} on the same rows" + (f" ({bound})" if bound else "")


def unsettled(measures: Iterable[Measure], dataset: str) -> Iterator[Finding]:
    """A finding for each measure that is not settled, with what would settle it."""
    for measure in measures:
        if measure.verdict is Verdict.INCONCLUSIVE:
            what, hint = f"{measure.name} is not settled", power.settles(measure)
            yield Finding(what=what, where=dataset, hint=hint)
