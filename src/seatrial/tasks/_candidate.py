"""The run's version, the version it is compared with, and what they predict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake
from seatrial.evaluation import labelled as rows_to_judge
from seatrial.evaluation.labelled import Labelled, metric_for
from seatrial.registry.opened import digest_of, opened, signature_of
from seatrial.tasks import Scope, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.metrics import Predictions
    from seatrial.registry.registry import Version
    from seatrial.tasks import Context


def candidate(context: Context) -> Version:
    """The version that this run registered."""
    return context.registry.version(context.run.model, int(str(context.fact("version"))))


def production(context: Context) -> Version | None:
    """The version that was in production when the run began."""
    if context.run.pinned is None:
        return None
    return context.registry.version(context.run.model, context.run.pinned)


def same_model(context: Context, one: Version, other: Version) -> bool:
    """Whether two versions serve the same model, byte for byte."""
    return digest_of(context.registry, one) == digest_of(context.registry, other)


def demand_register(scope: Scope) -> Iterator[Mistake]:
    """A test needs a version: a mistake when no earlier task registers one."""
    if not scope.follows("register"):
        yield Mistake(
            f"{scope.entry.word} has no model to test: no earlier task registers one",
            where=str(scope.entry.place),
            fix="put `- train: …` and `- register: {}` in an earlier stage",
        )


def labelled(context: Context, dataset: str, own_metric: str | None) -> Labelled:
    """A dataset's features, of the kinds that the candidate reads, labels, and the metric."""
    table = context.table(dataset)
    pipeline = context.scope.pipeline
    roles = roles_of(pipeline, table, own_metric)
    return rows_to_judge.labelled(
        table,
        roles,
        metric_for(roles.problem, own_metric, pipeline.metric),
        [signature_of(context.registry, candidate(context))],
        where=str(context.scope.entry.where("metric")),
    )


def predictions(context: Context, version: Version, rows: Labelled) -> Predictions:
    """What a version answers; its files are verified before they are used."""
    return rows_to_judge.predictions(opened(context.registry, version), rows, str(version))
