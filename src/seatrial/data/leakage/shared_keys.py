"""Is one thing (a customer, a flight) on both sides, told by the declared key?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.leakage.alike import as_name
from seatrial.data.leakage.meeting import Side, first_row, first_rows, hashes_of, places, unequal
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.table import Table

EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKeys:
    """``values`` of the column ``key`` are on both sides, in so many evaluation ``rows``.

    ``examples`` are values, each with a row of the evaluation set and of the training set that
    has it, counted from 1.
    """

    key: str
    values: int
    rows: int
    examples: tuple[tuple[str, int, int], ...]


def shared_keys(training: Table, evaluation: Table) -> SharedKeys | None:
    """The keys that both sides have; ``None`` when neither side declares one.

    Each side's key is the column that it declares, else the one that the other declares. Missing
    keys name nothing. Raises FormError when a side has no such column, or no value in it.
    """
    ours = training.dataset.key or evaluation.dataset.key
    theirs = evaluation.dataset.key or training.dataset.key
    if ours is None or theirs is None:
        return None
    one, other = _side(training, ours, evaluation), _side(evaluation, theirs, training)
    known, asked = hashes_of(one, other)
    for side, key, hashes in ((one, ours, known), (other, theirs, asked)):
        if not hashes.any():
            raise FormError(_empty(side.table, key))
    distinct = _distinct(asked)
    meeting = distinct[places(_distinct(known), distinct)[1]]
    meeting = np.setdiff1d(meeting, unequal(one, other, meeting), assume_unique=True)
    examples = _examples(asked, meeting)
    texts = other.contents(int(asked[row]) for row in examples) if examples else {}
    return SharedKeys(
        key=theirs,
        values=len(meeting),
        rows=_rows(asked, meeting),
        examples=tuple(
            (
                str(next(iter(texts[int(asked[row])]))[0]),
                row + 1,
                first_row(known, int(asked[row])) + 1,
            )
            for row in examples
        ),
    )


def _side(table: Table, key: str, other: Table) -> Side:
    if key in table:
        return Side(table, (as_name(table[key]),))
    raise FormError(
        Mistake(
            f"dataset {table.dataset.name!r} has no column {key!r}, which is the key of"
            f" {other.dataset.name!r}: nobody can tell whether one {key} is on both sides",
            where=table.dataset.place,
            nearest=nearest(key, [column.name for column in table.columns]),
            fix=f"add the column, or name it: `datasets: {{{table.dataset.name}: {{key: …}}}}`",
        )
    )


def _empty(table: Table, key: str) -> Mistake:
    return Mistake(
        f"dataset {table.dataset.name!r}: the key {key!r} has no value in any row",
        where=table.dataset.place,
        fix="fill it in, or take out `key:` under `datasets:`",
    )


def _distinct(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sorted, each once; the 0 of a missing key names nothing."""
    ordered = np.sort(hashes)
    return ordered[np.r_[ordered[0] != 0, (ordered[1:] != ordered[:-1])]]


def _rows(hashes: NDArray[np.uint64], meeting: NDArray[np.uint64]) -> int:
    return int(places(meeting, np.sort(hashes))[1].sum())


def _examples(asked: NDArray[np.uint64], meeting: NDArray[np.uint64]) -> list[int]:
    """The first rows of different keys, from 0."""
    found: list[int] = []
    while len(found) < EXAMPLES and len(meeting):
        (row,) = first_rows(asked, meeting, 1)
        found.append(row)
        meeting = meeting[meeting != asked[row]]
    return found
