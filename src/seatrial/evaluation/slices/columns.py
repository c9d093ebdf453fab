"""What does each row hold in a column that rows are sliced by? Numbers, or places among words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.column import listed
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from seatrial.data.column import Kind
    from seatrial.data.table import Table

EXACT = 1e15
"""From here on not every whole number is a float."""


@dataclass(frozen=True, slots=True)
class Column:
    """What each row holds: ``places`` [n] float64, NaN where missing.

    They are the numbers (booleans as 0 and 1), or of text and times the place of each among
    ``words``, which are sorted.
    """

    name: str
    kind: Kind
    places: NDArray[np.float64]
    words: tuple[str, ...] = ()

    @property
    def is_ordered(self) -> bool:
        """Whether a range of its values makes sense."""
        return self.kind in {"number", "time"}

    def said(self, place: float) -> str:
        """A value as one would write it.

        >>> Column("late", "boolean", np.zeros(1)).said(1.0)
        'true'
        >>> temp = Column("temp", "number", np.zeros(1))
        >>> temp.said(80.125), temp.said(7.0)
        ('80.125', '7')
        """
        if self.words:
            return self.words[int(place)]
        if self.kind == "boolean":
            return "true" if place else "false"
        return f"{place:.6g}" if place != np.trunc(place) or abs(place) >= EXACT else f"{place:.0f}"

    def ranged(self, low: str | None, high: str | None) -> str:
        """A range in words: with its low end, without its high end; None is open.

        >>> Column("temp", "number", np.zeros(1)).ranged("80.1", None)
        'temp >= 80.1'
        """
        if low is None:
            return f"{self.name} < {high}"
        return f"{self.name} >= {low}" if high is None else f"{low} <= {self.name} < {high}"


def unfit(table: Table, names: Iterable[str]) -> Iterator[Mistake]:
    """What is wrong with names of columns to slice by: they are not there, or hold no values."""
    known = [column.name for column in table.columns]
    for name in names:
        if name not in table:
            yield Mistake(
                f"dataset {table.dataset.name!r} has no column {name!r} to slice by",
                where=table.dataset.place,
                nearest=nearest(name, known),
                fix=f"use one of: {listed(known)}",
            )
        elif table[name].kind == "other":
            yield Mistake(
                f"column {name!r} of {table.dataset.name!r} is nested or binary"
                f" ({table[name].type[:40]}): it makes no slices",
                where=table.dataset.place,
                fix="slice by a column of numbers, words, booleans or times",
            )


def from_table(table: Table, names: Iterable[str]) -> dict[str, Column]:
    """Columns of a dataset, also those that no model reads.

    Raises FormError with every column that is not there, or that is nested or binary.
    """
    wanted = [*dict.fromkeys(names)]
    mistakes = [*unfit(table, wanted)]
    if mistakes:
        raise FormError(*mistakes)
    kinds = {name: table[name].kind for name in wanted}
    numbers = [name for name, kind in kinds.items() if kind in {"number", "boolean"}]
    texts = [name for name, kind in kinds.items() if kind not in {"number", "boolean"}]
    found = table.many(numbers, texts)
    return {name: _column(name, kinds[name], found[name]) for name in wanted}


def from_features(
    features: Mapping[str, NDArray[Any]], booleans: Collection[str] = ()
) -> dict[str, Column]:
    """Columns as a model reads them: "" is missing text; ``booleans`` are those of 0 and 1.

    >>> features = {"carrier": np.array(["UA", "", "AA"], object), "temp": np.array([80.5, 70, 75])}
    >>> columns = from_features(features)
    >>> columns["carrier"].places.tolist(), columns["carrier"].words
    ([1.0, nan, 0.0], ('AA', 'UA'))
    """
    kinds: dict[str, Kind] = {
        name: "string" if values.dtype.kind in "OUS" else "number"
        for name, values in features.items()
    }
    kinds.update(dict.fromkeys((name for name in booleans if kinds[name] == "number"), "boolean"))
    return {name: _column(name, kinds[name], values) for name, values in features.items()}


def _column(name: str, kind: Kind, values: NDArray[Any]) -> Column:
    if kind in {"number", "boolean"}:
        return Column(name, kind, values.astype(np.float64) + 0.0)  # -0.0 is 0
    places, words = _encoded(values)
    return Column(name, kind, places, words)


def _encoded(values: NDArray[Any]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Places among the sorted distinct texts; None and "" are missing."""
    import pyarrow as pa  # noqa: PLC0415 - ten times as fast as sorting objects

    encoded = pa.array(values, pa.string()).dictionary_encode()
    found = np.array(encoded.dictionary.to_pylist(), dtype=object)
    order = np.argsort(found)
    words = [*found[order]]
    gone = words.count("")  # it sorts first
    rank = np.empty(len(found) + 1)
    rank[order] = np.arange(len(found)) - gone
    rank[rank < 0] = np.nan
    rank[-1] = np.nan  # where the index is null
    index = encoded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    return rank[index], tuple(words[gone:])
