"""The rows of a dataset, as a test reads them: ``seatrial_dataset("validation_data")``."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial import metrics
from seatrial.data import dataset as datasets
from seatrial.data.opening import local, open_rows
from seatrial.data.roles import features, roles
from seatrial.errors import FormError, Mistake, UsageError, nearest
from seatrial.evaluation.labelled import labelled, metric_for
from seatrial.tasks import VALIDATED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from seatrial.data.roles import Roles
    from seatrial.data.table import Table
    from seatrial.evaluation.labelled import Labelled
    from seatrial.inference.signature import Signature
    from seatrial.testing.at_hand import AtHand

_FEW = 20
"""Different values of a column that are looked through for the one that was meant."""


@dataclass(frozen=True, slots=True)
class Source:
    """An opened dataset, and how the pipeline reads it.

    ``no_labels`` says why there are none, for a dataset without a usable target.
    """

    table: Table
    roles: Roles
    metric: str | None
    signature: Signature | None
    no_labels: FormError | None

    def read(self, metric: str | None, *signatures: Signature) -> Labelled:
        """All rows, to judge models by a metric; None is the pipeline's own, else the usual one."""
        if self.no_labels is not None:
            raise self.no_labels
        chosen = metric_for(self.roles.problem, metric, self.metric)
        if chosen.problem != self.roles.problem:
            name = self.table.dataset.name
            raise UsageError(
                Mistake(
                    f"{chosen.name} is a metric for {chosen.problem},"
                    f" and the target of {name} is {self.roles.problem}",
                    fix=f"leave `metric` out, which means {metrics.default(self.roles.problem)}",
                )
            )
        return labelled(self.table, self.roles, chosen, signatures)

    def features(self) -> Mapping[str, NDArray[Any]]:
        """All rows, of the kinds that the candidate reads; of their own kinds when there is none.

        They cannot be changed: every test sees the same rows.
        """
        if self.no_labels is None and self.signature is not None:
            found = self.read(None, self.signature).features
        else:
            found = features(self.table, self.roles)
        return MappingProxyType({name: _kept(values) for name, values in found.items()})


@dataclass(frozen=True, slots=True, repr=False)
class Rows:
    """Rows of a dataset. Arrays ``[n]`` cannot be changed: change a copy.

    ``features`` holds what models read, by column: float32 (NaN: missing) or text ("": missing).
    """

    name: str
    features: Mapping[str, NDArray[Any]]
    source: Source
    chosen: NDArray[np.int64]
    """The place of each row in the dataset, ``[n]``."""

    @property
    def labels(self) -> NDArray[Any]:
        """The target ``[n]``; FormError when the dataset has none that can be used."""
        return _kept(self.source.read(None).labels[self.chosen])

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.chosen)

    def __len__(self) -> int:
        return self.rows

    def __repr__(self) -> str:
        return f"Rows({self.name!r}, {self.rows} rows, columns {', '.join(self.features)})"

    def where(self, **columns: object) -> Rows:
        """The rows whose columns have these values; a list means any of them.

        Any column of the dataset will do, the target too. FormError when there is no such column
        or no such row: a test on no rows would prove nothing.
        """
        __tracebackhide__ = True
        found = np.ones(self.rows, dtype=np.bool_)
        for name, value in columns.items():
            column = self.source.table.column(name)[self.chosen]
            wanted = [*value] if isinstance(value, list | tuple | set | frozenset) else [value]
            matches = np.zeros(self.rows, dtype=np.bool_)
            for each in wanted:
                matches |= _equal(column, each)
            if not matches.any():
                raise FormError(self._none_has(name, value, wanted, column))
            found &= matches
        if not found.any():
            said = " and ".join(f"{name} = {value!r}" for name, value in columns.items())
            raise FormError(Mistake(f"no row of {self.name} has {said}"))
        return self.part(found)

    def part(self, mask: NDArray[Any]) -> Rows:
        """Some of the rows, by a mask ``[n]`` or by their places among these."""
        return replace(
            self,
            features=MappingProxyType(
                {name: _kept(values[mask]) for name, values in self.features.items()}
            ),
            chosen=self.chosen[mask],
        )

    def read_by(self, metric: str | None, *signatures: Signature) -> Labelled:
        """The rows as these models read them, to be judged."""
        return self.source.read(metric, *signatures).part(self.chosen)

    def to_pandas(self) -> Any:
        """Features, and the target if there is one, as a ``pandas.DataFrame`` of its own."""
        try:
            pandas = importlib.import_module("pandas")  # not everybody has it
        except ImportError as error:
            fix = "pip install pandas, or use `.features`, which are arrays by column"
            raise UsageError(Mistake("pandas is not installed", fix=fix)) from error
        columns = {name: values.copy() for name, values in self.features.items()}
        if self.source.no_labels is None:
            columns[self.source.roles.target] = self.labels.copy()
        return pandas.DataFrame(columns)

    def _none_has(
        self, name: str, value: object, wanted: list[object], column: NDArray[Any]
    ) -> Mistake:
        there = [str(each) for each in _different(column)]
        close = next(filter(None, (nearest(str(each), there) for each in wanted)), "")
        return Mistake(
            f"no row of {self.name} has {name} = {value!r}",
            where=f"dataset {self.name}, column {name}",
            nearest=close,
            fix=f"there are: {', '.join(there[:_FEW])}{', …' * (len(there) > _FEW)}",
        )


def rows_of(project: AtHand, name: str, signature: Signature | None) -> Rows:
    """A dataset as the pipeline declares it. FormError when it cannot be found, read or typed."""
    pipeline = project.pipeline
    declared = pipeline.datasets if pipeline is not None else {}
    plain = name.removeprefix(VALIDATED)
    table = local(open_rows(datasets.find(plain, project.folder, declared)))
    metric = pipeline.metric if pipeline is not None else None
    problem = pipeline.problem if pipeline is not None else None
    known, why = _roles(table, problem, metric)
    source = Source(table, known, metric, signature, why)
    return Rows(plain, source.features(), source, np.arange(table.rows))


def _roles(table: Table, problem: str | None, metric: str | None) -> tuple[Roles, FormError | None]:
    """The roles of the columns, and why there are no labels."""
    fits = metrics.get(metric).problem if metric else None
    try:
        return roles(table, problem, fits), None
    except FormError as error:
        return roles(table, problem, fits, need_target=False), error


def _kept(values: NDArray[Any]) -> NDArray[Any]:
    values = values.view()
    values.flags.writeable = False
    return values


def _equal(column: NDArray[Any], value: object) -> NDArray[np.bool_]:
    if column.dtype == object:
        same: Callable[[object], bool] = (
            value.__eq__ if isinstance(value, str) else str(value).__eq__
        )
        return np.fromiter((same(each) is True for each in column), np.bool_, len(column))
    if isinstance(value, int | float | np.number):
        return np.asarray(column == float(value))
    return np.zeros(len(column), dtype=np.bool_)


def _different(column: NDArray[Any]) -> list[object]:
    """The values of a column, the smallest first; whole numbers as such."""
    found = {each for each in column.tolist() if each is not None}
    whole = (int(v) if isinstance(v, float) and v.is_integer() else v for v in found)
    return sorted(whole, key=lambda each: (isinstance(each, str), each))
