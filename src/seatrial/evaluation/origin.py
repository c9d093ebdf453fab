"""Where a version came from: the pipeline file of its run, and rows as that file reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from seatrial import metrics
from seatrial.data.opening import local, open_rows
from seatrial.data.roles import roles
from seatrial.errors import Mistake, StoreError
from seatrial.evaluation.labelled import labelled, metric_for
from seatrial.ledger import runs
from seatrial.pipeline.read import read
from seatrial.registry.opened import signature_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.dataset import Dataset
    from seatrial.evaluation.labelled import Labelled
    from seatrial.pipeline import Pipeline
    from seatrial.registry.registry import Registry, Version


def pipeline_of(registry: Registry, version: Version) -> Pipeline:
    """The pipeline as it was when its run registered the version.

    StoreError when no run is known; FileError when a word of it is gone.
    """
    if version.run is None:
        raise StoreError(Mistake(f"no run is known that registered {version}"))
    request = runs.get(registry.ledger, version.run).request
    changes = cast("Sequence[str]", request["changes"])
    return read(str(request["text"]), str(request["file"]), changes)


def judging_dataset(pipeline: Pipeline) -> str:
    """The dataset on which the pipeline judges its model in the end."""
    named = [
        task.parameters.get("dataset")
        for task in pipeline.tasks
        if task.word == "integration_tests"
    ]
    return str(next(filter(None, reversed(named)), "validation_data"))


def rows_for(
    registry: Registry,
    pipeline: Pipeline,
    dataset: Dataset,
    versions: Sequence[Version],
    metric: str | None = None,
) -> Labelled:
    """A dataset's rows as the pipeline reads them, to judge these versions on (the first leads).

    ``metric`` is a word; None means the pipeline's own. FormError when it cannot be opened or
    typed.
    """
    table = local(open_rows(dataset))
    word = metric or pipeline.metric
    fits = metrics.get(word).problem if word else None
    found = roles(table, pipeline.problem, fits)
    signatures = [signature_of(registry, version) for version in versions]
    return labelled(table, found, metric_for(found.problem, word), signatures)
