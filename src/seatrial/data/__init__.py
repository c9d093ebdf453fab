"""Datasets: where they are, what is in them, how they are distributed, what they share.

``Rows`` is an opened dataset, wherever its rows are: the checks ask it for counts and know no
engine. To add an engine, write ``data/NAME.py`` (or a folder) with a class that has these members,
and open it in ``data/opening.py``; counts must agree with duckdb's to the last one, which
``tests/data`` asks of every engine. What training and scoring need is row by row, in order, on
this machine: that is :class:`~seatrial.data.table.Table` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data.column import Column
    from seatrial.data.dataset import Dataset
    from seatrial.data.schema.rules import Rule, Violation
    from seatrial.data.shape import ColumnProfile, Shape, Within


class Rows(Protocol):
    """An opened dataset. ``fingerprint`` names its content, ``rows`` counts it."""

    dataset: Dataset
    columns: tuple[Column, ...]
    rows: int
    fingerprint: str

    def outline(self, columns: Sequence[Column]) -> tuple[Shape, ...]:
        """Edges and values to count each column on; the same rows give the same ones."""

    def tally(
        self, shapes: Sequence[Shape], within: Within | None = None
    ) -> tuple[ColumnProfile, ...]:
        """The columns of ``shapes`` counted on their edges and values, in their order."""

    def unlisted(
        self, name: str, values: Sequence[str], most: int = 3
    ) -> tuple[tuple[str, int], ...]:
        """The most frequent texts of a column that are not among ``values``, with their counts."""

    def violations(self, rules: Sequence[Rule]) -> tuple[Violation, ...]:
        """What breaks the rules, in their order; a rule that holds gives none."""
