"""A bound and a comparison, each said in one clause, and what would settle them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evidence import power
from seatrial.outcome import Finding, Measure, Verdict
from seatrial.tasks._bounds import worst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.registry.registry import Version


def bound_said(measure: Measure) -> str:
    """A measure with its bounds and limit.

    >>> bound_said(Measure(name="r2", value=0.8, low=0.75, high=0.84, limit=0.7, n=500))
    'r2 0.8000 on 500 rows (between 0.7500 and 0.8400, limit 0.7)'
    """
    limit = "" if measure.limit is None else f", limit {measure.limit:g}"
    if measure.value is None:
        return f"{measure.name} has no value on {measure.n} rows{limit}"
    if measure.low is None or measure.high is None:
        return f"{measure.name} {measure.value:.4f} on {measure.n} rows{limit}"
    return (
        f"{measure.name} {measure.value:.4f} on {measure.n} rows"
        f" (between {measure.low:.4f} and {measure.high:.4f}{limit})"
    )


def comparison_said(measure: Measure, serving: Version) -> str:
    """A degradation beside the version that it is from."""
    if measure.value is None:
        return f"{measure.name} from version {serving.version} has no value on these rows"
    side = "worse" if measure.value > 0 else "better"
    said = f"{abs(measure.value):.4f} {side} than version {serving.version}"
    margin = "" if measure.limit is None else f"margin {measure.limit:g}"
    bound = f"{worst(measure.high, '.4f')}{margin}".removesuffix(", ")
    return f"{said} on the same rows" + (f" ({bound})" if bound else "")


def unsettled(measures: Iterable[Measure], dataset: str) -> Iterator[Finding]:
    """A finding for each measure that is not settled, with what would settle it."""
    for measure in measures:
        if measure.verdict is Verdict.INCONCLUSIVE:
            what, hint = f"{measure.name} is not settled", power.settles(measure)
            yield Finding(what=what, where=dataset, hint=hint)
