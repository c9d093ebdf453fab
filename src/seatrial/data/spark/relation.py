"""What are queries asked of? A view of a session, and the columns it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.data.spark.expressions import is_text
from seatrial.data.spark.faults import told
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from seatrial.data.dataset import Dataset
    from seatrial.data.shape import Within
    from seatrial.data.spark.types import Field


@dataclass(frozen=True, slots=True)
class Relation:
    """The rows of a dataset, under the ``name`` of a view."""

    dataset: Dataset
    session: SparkSession
    name: str
    fields: Mapping[str, Field]

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query: counts, never the rows of the dataset."""
        with told(self.dataset):
            return [tuple(row) for row in self.session.sql(query).collect()]

    def field(self, name: str) -> Field:
        """A column. Raises FormError, with the nearest name, when there is none."""
        if name in self.fields:
            return self.fields[name]
        what = f"dataset {self.dataset.name!r} has no column {name!r}"
        near = nearest(name, self.fields)
        raise FormError(Mistake(what, where=self.dataset.place, nearest=near))

    def cells(self, cells: Sequence[str], together: int, where: str = "") -> str:
        """A relation of one column ``c``: each row gives each cell, but for those that are NULL.

        Only so many cells are made ``together``: Java compiles no method that is too long, and
        columnar files are read a few columns at a time for nothing.
        """
        parts = [cells[start : start + together] for start in range(0, len(cells), together)]
        source = f"FROM {self.name}{where}"
        selects = [f"SELECT explode(array({', '.join(part)})) AS c {source}" for part in parts]
        return f"(SELECT c FROM ({' UNION ALL '.join(selects)}) WHERE c IS NOT NULL)"  # noqa: S608

    def within(self, within: Within | None) -> str:
        """The condition that keeps the rows of a slice."""
        if within is None:
            return ""
        return f" WHERE {is_text(self.field(within.column), within.value)}"
