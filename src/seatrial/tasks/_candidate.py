"""The run's version, the version it is compared with, and what they predict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seatrial import metrics
from seatrial.data.roles import features, labels
from seatrial.errors import FileError, Mistake, StoreError, nearest
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature
from seatrial.metrics import Metric, Predictions
from seatrial.tasks import Scope, roles_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from seatrial.data.column import Column
    from seatrial.data.roles import Roles
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
    files = [context.registry.manifest(version)["files"] for version in (one, other)]
    return bool(files[0]["model.onnx"] == files[1]["model.onnx"])  # type: ignore[index]


def demand_register(scope: Scope) -> Iterator[Mistake]:
    """A test needs a version: a mistake when no earlier task registers one."""
    if not any(type(task).__name__ == "Register" for _, task in scope.earlier()):
        yield Mistake(
            f"{scope.entry.word} has no model to test: no earlier task registers one",
            where=str(scope.entry.place),
            fix="put `- train: …` and `- register: {}` in an earlier stage",
        )


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows to judge on: features by column ``[n]``, labels ``[n]``, the metric, the entities."""

    dataset: str
    features: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    metric: Metric
    groups: NDArray[Any] | None

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.labels)

    def drawn(self, count: int, seed: int) -> Labelled:
        """``count`` rows without replacement, or all when there are fewer."""
        if count >= self.rows:
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(self.rows, count, replace=False))
        return Labelled(
            self.dataset,
            {name: values[chosen] for name, values in self.features.items()},
            self.labels[chosen],
            self.metric,
            None if self.groups is None else self.groups[chosen],
        )


def labelled(context: Context, dataset: str, own_metric: str | None) -> Labelled:
    """A dataset's features, labels and the metric that judges them."""
    table = context.table(dataset)
    roles = roles_of(context.scope.pipeline, table, own_metric)
    metric = metric_for(context.scope, roles.problem, own_metric)
    if metric.binary_only and len(roles.classes) != 2:  # noqa: PLR2004
        raise FileError(
            Mistake(
                f"{metric.name} needs two classes, {dataset} has {len(roles.classes)}",
                where=str(context.scope.entry.where("metric")),
                fix="choose `metric: accuracy`, `f1_macro` or `neg_log_loss`",
            )
        )
    return Labelled(
        dataset,
        features(table, _as_trained(context, roles)),
        labels(table, roles),
        metric,
        table.column(roles.key) if roles.key else None,
    )


def _as_trained(context: Context, roles: Roles) -> list[Column]:
    """The features, of the kinds that the training rows had: a column may look otherwise here."""
    columns = {column.name: column for column in roles.features}
    trained_on = context.fact("trained_on")
    if trained_on is not None:
        trained = roles_of(context.scope.pipeline, context.table(str(trained_on)))
        columns |= {column.name: column for column in trained.features}
    return [*columns.values()]


def metric_for(scope: Scope, problem: str, own_metric: str | None) -> Metric:
    """The task's metric, else the pipeline's, else the problem's default."""
    name = own_metric or scope.pipeline.metric or metrics.default(problem)
    return metrics.get(name)


def predictions(context: Context, version: Version, rows: Labelled) -> Predictions:
    """What a version answers; its files are verified before they are used."""
    registry = context.registry
    manifest = registry.manifest(version)
    signature = Signature.from_json(cast("dict[str, Any]", manifest["signature"]))
    model = Model.load(registry.file(version, "model.onnx"), signature)
    _demand_features(rows, signature, version)
    answer = model.predict(rows.features)
    return Predictions(answer.label, answer.probabilities, signature.classes)


def _demand_features(rows: Labelled, signature: Signature, version: Version) -> None:
    """The rows have every column that the version reads; else it cannot be scored."""
    missing = [each.name for each in signature.inputs if each.name not in rows.features]
    if missing:
        raise StoreError(
            *(
                Mistake(
                    f"{version} cannot be scored: {rows.dataset} has no column {name!r}",
                    where=f"dataset {rows.dataset}",
                    nearest=nearest(name, rows.features),
                    fix="add the column, so that both versions can be judged on the same rows",
                )
                for name in missing
            )
        )
