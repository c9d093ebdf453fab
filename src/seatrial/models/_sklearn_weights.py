"""A linear model as its weights: answers made column by column, and to JSON and back.

The sums are made in float64, one column after the other, so that an answer depends neither on
threads nor on the rows beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.models._columns_words import places
from seatrial.models._sklearn_design import Design, Number, Text, width

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Weights:
    """``table`` is float64 ``[width of the design, outputs]``, ``intercept`` ``[outputs]``."""

    design: Design
    table: np.ndarray
    intercept: np.ndarray

    def parts(self) -> Iterator[tuple[Number | Text, np.ndarray]]:
        """Each column with its own rows of the table."""
        start = 0
        for each in self.design.columns:
            yield each, self.table[start : start + width(each)]
            start += width(each)

    def averaged(self, counts: np.ndarray) -> Weights:
        """The same, where a word that no training row was like weighs what words do on average.

        ``counts`` are the sums of the training matrix ``[width of the design]``.
        """
        table, start = self.table.copy(), 0
        for column, own in self.parts():
            end = start + len(own)
            rows = counts[start:end, np.newaxis]
            if isinstance(column, Text) and not rows[-1]:
                table[end - 1] = (rows * own).sum(axis=0) / rows.sum()
            start = end
        return Weights(self.design, table, self.intercept)

    def sums(self, read: Mapping[str, np.ndarray]) -> np.ndarray:
        """Float64 ``[n, outputs]`` for columns ``[n]``."""
        rows = len(next(iter(read.values())))
        total = np.tile(self.intercept, (rows, 1))
        for column, own in self.parts():
            values = read[column.name]
            if isinstance(column, Text):
                total += own.take(places(values, column.words), axis=0)
                continue
            total += column.standardised(values)[:, np.newaxis] * own[0]
            if column.gaps:
                total[np.isnan(values)] += own[1]
        return total

    def to_json(self) -> dict[str, Any]:
        """A plain dict, which :func:`from_json` reads back to the last bit."""
        return {
            "columns": [
                {
                    "name": column.name,
                    "weights": own.tolist(),
                    **(
                        {"words": column.words}
                        if isinstance(column, Text)
                        else {
                            "filling": column.filling,
                            "centre": column.centre,
                            "spread": column.spread,
                            "gaps": column.gaps,
                        }
                    ),
                }
                for column, own in self.parts()
            ],
            "intercept": self.intercept.tolist(),
        }


def from_json(document: Mapping[str, Any]) -> Weights:
    """What :meth:`Weights.to_json` wrote; KeyError, TypeError or ValueError for anything else."""
    columns = document["columns"]
    design = Design(tuple(_column(each) for each in columns))
    intercept = np.array(document["intercept"], dtype=np.float64)
    tables = [np.array(each["weights"], dtype=np.float64) for each in columns]
    shapes = [(width(each), len(intercept)) for each in design.columns]
    if [table.shape for table in tables] != shapes:
        raise ValueError("a column has another number of weights than it needs")
    return Weights(design, np.concatenate(tables), intercept)


def _column(document: Mapping[str, Any]) -> Number | Text:
    if "words" in document:
        return Text(str(document["name"]), tuple(map(str, document["words"])))
    filling, centre, spread = (float(document[key]) for key in ("filling", "centre", "spread"))
    if not (np.isfinite([filling, centre, spread]).all() and spread > 0):
        raise ValueError("a column is not standardised by finite numbers")
    return Number(str(document["name"]), filling, centre, spread, bool(document["gaps"]))
