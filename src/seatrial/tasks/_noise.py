"""The noise floor beside a comparison: what another seed alone would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evaluation import noise
from seatrial.tasks._candidate import candidate, predictions

if TYPE_CHECKING:
    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Predictions
    from seatrial.outcome import Measure
    from seatrial.tasks import Context


def noise_floor(
    context: Context, rows: Labelled, own: Predictions | None = None
) -> tuple[Measure, ...]:
    """``noise_floor.<metric>`` of the candidate on these rows; nothing without other seeds.

    ``own`` is what the candidate answers to these rows, where it is known already.
    """
    version = candidate(context)
    others = noise.answers_of_others(context.registry, version, rows)
    if not others:
        return ()
    if own is None:
        own = predictions(context, version, rows)
    return (noise.between_seeds(rows, own, others),)


def said(floor: Measure, comparison: Measure | None = None) -> str:
    """One clause about the noise floor, and about a comparison (positive: worse) beside it.

    >>> from seatrial.outcome import Measure
    >>> floor = Measure(name="noise_floor.accuracy", value=0.004, low=0.002, high=0.018)
    >>> said(floor, Measure(name="degradation.accuracy", value=-0.002))
    'training again with another seed moves accuracy by about 0.004, so 0.002 better is noise'
    """
    metric = floor.name.removeprefix("noise_floor.")
    if floor.value is None:
        return f"what another seed would change is not known: {metric} has no value here"
    if not floor.value:
        return f"training again with another seed does not move {metric}"
    told = f"training again with another seed moves {metric} by about {floor.value:.2g}"
    if comparison is None or not comparison.value:
        return told
    difference = f"{abs(comparison.value):.2g} {'worse' if comparison.value > 0 else 'better'}"
    if abs(comparison.value) <= floor.value:
        return f"{told}, so {difference} is noise"
    if floor.high is not None and abs(comparison.value) <= floor.high:
        return f"{told} (up to {floor.high:.2g} with so few seeds), so {difference} may be noise"
    return f"{told}, so {difference} is more than that"
