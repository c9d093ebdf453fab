"""Rows to judge a model on: what it reads, what is true, and by which metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial import metrics
from seatrial.data.column import Column
from seatrial.data.roles import features, labels
from seatrial.errors import FileError, Mistake, StoreError, nearest
from seatrial.metrics import Metric, Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Input, Signature


@dataclass(frozen=True, slots=True)
class Labelled:
    """Features by column ``[n]``, labels ``[n]``, the metric, and whom each row is about.

    ``groups`` ``[n]`` is the dataset's key; None where it declares none.
    """

    dataset: str
    features: Mapping[str, NDArray[Any]]
    labels: NDArray[Any]
    metric: Metric
    groups: NDArray[Any] | None

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.labels)

    def part(self, chosen: NDArray[Any]) -> Labelled:
        """Some of the rows, ``chosen`` by index or mask ``[n]``."""
        return Labelled(
            self.dataset,
            {name: values[chosen] for name, values in self.features.items()},
            self.labels[chosen],
            self.metric,
            None if self.groups is None else self.groups[chosen],
        )

    def drawn(self, count: int, seed: int) -> Labelled:
        """``count`` rows without replacement, or all when there are fewer."""
        if count >= self.rows:
            return self
        return self.part(
            np.sort(np.random.default_rng(seed).choice(self.rows, count, replace=False))
        )


def labelled(
    table: Table, roles: Roles, metric: Metric, signatures: Sequence[Signature], where: str = ""
) -> Labelled:
    """A dataset's rows, each column of the kind that the first model reads it as.

    ``signatures`` are those of the models to be judged; a column that none of them reads keeps
    its own kind, and without any model all do. FormError when the rows lack a column that the
    first reads; FileError, at ``where``, when the metric does not fit the number of classes.
    """
    demand_classes(metric, len(roles.classes), table.dataset.name, where)
    columns = {column.name: column for column in roles.features}
    for signature in reversed(signatures):
        for each in signature.inputs:
            if each.name in columns or signature is signatures[0]:
                columns[each.name] = _read_as(each)
    return Labelled(
        table.dataset.name,
        features(table, columns.values()),
        labels(table, roles),
        metric,
        table.column(roles.key) if roles.key else None,
    )


def _read_as(column: Input) -> Column:
    return (
        Column(column.name, "number", "FLOAT")
        if column.datatype == "FP32"
        else Column(column.name, "string", "VARCHAR")
    )


def demand_classes(metric: Metric, classes: int, dataset: str, where: str = "") -> None:
    """Refuse a metric of two classes where there are more, or fewer."""
    if metric.binary_only and classes != 2:  # noqa: PLR2004
        raise FileError(
            Mistake(
                f"{metric.name} needs two classes, {dataset} has {classes}",
                where=where,
                fix="choose `metric: accuracy`, `f1_macro` or `neg_log_loss`",
            )
        )


def metric_for(problem: str, *words: str | None) -> Metric:
    """The first metric that is named, else the problem's default."""
    named = next(filter(None, words), None)
    return metrics.get(named or metrics.default(problem))


def predictions(model: Answers, rows: Labelled, whose: str) -> Predictions:
    """What a model answers; StoreError when the rows lack a column that it reads."""
    signature = model.signature
    missing = [each.name for each in signature.inputs if each.name not in rows.features]
    if missing:
        raise StoreError(
            *(
                Mistake(
                    f"{whose} cannot be scored: {rows.dataset} has no column {name!r}",
                    where=f"dataset {rows.dataset}",
                    nearest=nearest(name, rows.features),
                    fix="add the column, so that both versions can be judged on the same rows",
                )
                for name in missing
            )
        )
    answer = model.predict(rows.features)
    return Predictions(answer.label, answer.probabilities, signature.classes)
