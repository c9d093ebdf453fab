"""Which rows of two tables are equal? By hash first, then confirmed on the values themselves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from seatrial.data.table import Table

    Hashes = NDArray[np.uint64]

CONFIRMED = 2_000
"""So many hashes that meet are confirmed at a time; all of them once one was found to lie."""

WIDEST = 100_000
"""No more than so many values of one side are held at a time, unless 100 rows have more."""

_STEP = 100_000


@dataclass(frozen=True, slots=True)
class Side:
    """One of two tables, and SQL expressions over its rows that mean the same in the other."""

    table: Table
    values: tuple[str, ...]

    @property
    def hash(self) -> str:
        """An SQL expression: 63 bits of a row's values, never 0; 0 where the only one is NULL."""
        hashed = f"(hash({', '.join(self.values)}) >> 1) | 1"
        if len(self.values) == 1:
            return f"CASE WHEN {self.values[0]} IS NULL THEN 0::UBIGINT ELSE {hashed} END"
        return hashed

    def contents(self, hashes: Iterable[int]) -> dict[int, set[tuple[Any, ...]]]:
        """The values behind some hashes."""
        wanted = ", ".join(f"{text} AS v{i}" for i, text in enumerate(self.values))
        rows = self.table.sql(
            f"SELECT DISTINCT * FROM (SELECT {self.hash} AS h, {wanted} FROM rows) "  # noqa: S608
            "WHERE h IN (SELECT unnest(CAST(? AS UBIGINT[])))",
            list(hashes),
        )
        found: dict[int, set[tuple[Any, ...]]] = {}
        for key, *values in rows:
            # NaN is missing, and equal to nothing; None is equal to itself
            found.setdefault(key, set()).add(tuple(v if v == v else None for v in values))  # noqa: PLR0124
        return found


def hashes_of(one: Side, other: Side) -> tuple[Hashes, Hashes]:
    """The hash of each row of both tables, in their order ``[n]`` and ``[m]``, read at once."""
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(side.table.hashes, side.hash) for side in (one, other)]
        ours, theirs = (future.result() for future in begun)
    return ours, theirs


def places(known: Hashes, asked: Hashes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where in ``known`` (sorted, distinct) each asked hash stands, and whether it does at all.

    Fast when the asked ones are sorted too.
    """
    if not len(known):
        return np.zeros(len(asked), np.intp), np.zeros(len(asked), np.bool_)
    found = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return found, known[found] == asked


def unequal(one: Side, other: Side, meeting: Hashes) -> Hashes:
    """The hashes among ``meeting`` behind which no two rows are equal, by their values.

    Hashes are as good as random, so the first :data:`CONFIRMED` stand for all while none lies.
    """
    lying: list[int] = []
    step = min(CONFIRMED, max(100, WIDEST // len(one.values)))
    for start in range(0, len(meeting), step):
        asked = [int(each) for each in meeting[start : start + step]]
        ours, theirs = one.contents(asked), other.contents(asked)
        lying += [h for h in asked if ours.get(h, set()).isdisjoint(theirs.get(h, set()))]
        if not lying:
            break
    return np.array(lying, np.uint64)


def first_rows(rows: Hashes, meeting: Hashes, most: int) -> list[int]:
    """The first rows (from 0) whose hash is among ``meeting`` (sorted, distinct)."""
    found: list[int] = []
    for start in range(0, len(rows), _STEP):
        _, hit = places(meeting, rows[start : start + _STEP])
        found += [start + int(place) for place in np.flatnonzero(hit)[: most - len(found)]]
        if len(found) == most:
            break
    return found


def first_row(rows: Hashes, wanted: int) -> int:
    """The first row (from 0) with that hash."""
    return int(np.argmax(rows == np.uint64(wanted)))
