"""An opened dataset whose rows Spark counts."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING

from seatrial.data.sources.refusals import has_no_rows, unique_names
from seatrial.data.spark import counting, violations
from seatrial.data.spark.expressions import row_hash
from seatrial.data.spark.faults import told
from seatrial.data.spark.outline import outline
from seatrial.data.spark.reading import files_beside, read_frame, tables_of
from seatrial.data.spark.relation import Relation
from seatrial.data.spark.session import session_of
from seatrial.data.spark.types import fields_of
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.column import Column
    from seatrial.data.dataset import Dataset
    from seatrial.data.schema.rules import Rule, Violation
    from seatrial.data.shape import ColumnProfile, Shape, Within

_numbers = itertools.count(1)


def open_spark(dataset: Dataset) -> SparkRows:
    """Open a dataset on Spark: type its columns, count its rows, take its fingerprint.

    Raises FormError when it cannot be opened, read or typed, or holds no rows; StoreError when
    Spark is not there, PassingError when it does not answer.
    """
    session = session_of(dataset)

    def known() -> list[str]:
        if dataset.table:
            return tables_of(session, dataset.table)
        return files_beside(dataset.path)

    name = f"seatrial_rows_{next(_numbers)}"
    with told(dataset, known):
        frame = read_frame(dataset, session)
        unique_names(dataset, frame.columns)
        frame.createOrReplaceTempView(name)
        fields = {field.column.name: field for field in fields_of(frame.schema)}
    return SparkRows(Relation(dataset, session, name, fields))


class SparkRows:
    """An opened dataset. ``rows`` counts its rows, which have no order.

    ``fingerprint`` is a digest of the columns, the number of rows and the sum of their hashes: the
    same rows in any order, in however many files, have the same one.
    """

    def __init__(self, relation: Relation) -> None:
        self.dataset = relation.dataset
        self.columns = tuple(field.column for field in relation.fields.values())
        self._relation = relation
        hashed = row_hash(relation.fields.values())
        self.rows, total = relation.sql(
            f"SELECT count(*), sum(CAST({hashed} AS DECIMAL(38,0))) FROM {relation.name}"  # noqa: S608
        )[0]
        if not self.rows:
            raise FormError(has_no_rows(self.dataset))
        typed = [(column.name, column.type) for column in self.columns]
        digest = hashlib.sha256(repr((typed, self.rows, int(total))).encode()).hexdigest()
        self.fingerprint = f"spark:sha256:{digest}"

    def __repr__(self) -> str:
        return f"SparkRows({self.dataset.name!r}, {self.rows} rows, {len(self.columns)} columns)"

    def outline(self, columns: Sequence[Column]) -> tuple[Shape, ...]:
        """Edges and values to count each column on; the same rows give the same ones."""
        return outline(self._relation, columns, self.rows)

    def tally(
        self, shapes: Sequence[Shape], within: Within | None = None
    ) -> tuple[ColumnProfile, ...]:
        """The columns of ``shapes`` counted on their edges and values, in their order."""
        return counting.tally(self._relation, shapes, within)

    def unlisted(
        self, name: str, values: Sequence[str], most: int = 3
    ) -> tuple[tuple[str, int], ...]:
        """The most frequent texts of a column that are not among ``values``, with their counts."""
        return counting.unlisted(self._relation, name, values, most)

    def violations(self, rules: Sequence[Rule]) -> tuple[Violation, ...]:
        """What breaks the rules, in their order; a rule that holds gives none."""
        return violations.found(self._relation, rules)
