"""What does the pipeline of a model demand of how its data are distributed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from seatrial.data.drift.limits import Limits
from seatrial.pipeline import Review
from seatrial.serve.pipelines import pipelines_of
from seatrial.tasks.check_distribution import CheckDistribution
from seatrial.watch.drifting import Demand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.pipeline import Pipeline

WORD = "check_distribution"


def demands_of(folder: Path) -> Callable[[str], Demand]:
    """By model: the demand of the first ``check_distribution`` of its pipeline.

    Without one, or while the file cannot be read, the defaults: ``kl`` at its usual threshold.
    """
    known: dict[str, Demand] = {}
    for pipeline in pipelines_of(folder).pipelines.values():
        known.setdefault(pipeline.model, _demand(pipeline))
    usual = Demand(Limits(), Review().hours)
    return lambda model: known.get(model, usual)


def _demand(pipeline: Pipeline) -> Demand:
    entries = (entry for entry in pipeline.tasks if entry.word == WORD)
    entry = next(entries, None)
    limits = Limits()
    if entry is not None:
        try:
            task = msgspec.convert(dict(entry.parameters), CheckDistribution)
        except msgspec.ValidationError:
            pass  # `seatrial check` tells what is wrong with it
        else:
            limits = Limits(  # slices are for data at rest: an hour is too short for them
                measure=task.measure,
                threshold=task.threshold,
                thresholds=task.thresholds,
                columns=task.columns,
                exclude=task.exclude,
            )
    return Demand(limits, pipeline.review.hours)
