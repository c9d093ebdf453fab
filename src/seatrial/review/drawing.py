"""Which logged requests are looked at, in which order, and where do two versions differ?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seatrial.errors import Mistake, StoreError
from seatrial.traffic import files, reading
from seatrial.traffic.matched import lacking
from seatrial.traffic.recorded import answer_in, features_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers

MOST_REQUESTS = 5000
"""Requests that are looked at at once; whatever more would settle needs too many labels."""

MOST_LABELS = 200
"""Of these, requests that are put before people."""


class Place(NamedTuple):
    """A row of a request, and when it was answered (microseconds since 1970)."""

    id: str
    row: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Differing:
    """A row that two versions answer otherwise; None is an answer that is no class (NaN).

    ``alike`` requests were drawn before it, since the one before, that both answer alike.
    """

    place: Place
    served: int | str | None
    other: int | str | None
    alike: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn, in order; ``alike_after`` came after the last that differs.

    ``incomplete`` were left out because a column that the other version reads was not logged.
    """

    differing: tuple[Differing, ...]
    alike_after: int
    incomplete: int

    @property
    def requests(self) -> int:
        """How many count."""
        return len(self.differing) + sum(each.alike for each in self.differing) + self.alike_after


def draw(
    traffic: Path,
    model: str,
    served: int,
    other: Answers,
    since: datetime,
    until: datetime,
    seed: str,
) -> Drawn:
    """Unlabelled requests that version ``served`` answered in ``[since, until)``, in random order.

    The order is by a digest of ``seed`` and the request's id, so it is the same for everybody. Of
    a request of several rows one is drawn: they are alike, and would count as more evidence than
    they are. ``other`` answers each row too. At most :data:`MOST_REQUESTS` are drawn, up to
    :data:`MOST_LABELS` that differ. StoreError when no file holds a column that ``other`` reads.
    """
    folder = files.version_folder(traffic, model, served)
    chosen = _chosen(folder, _labelled(traffic, model), since, until, seed)
    table, incomplete = _rows(folder, chosen, other)
    if table is None:
        return Drawn((), 0, incomplete)
    names = [each.name for each in other.signature.inputs]
    given = features_in(table)
    mine = answers(answer_in(table))
    theirs = answers(other.predict({name: given[name] for name in names}))
    found: list[Differing] = []
    alike = 0
    places = _places(table)
    for place, one, two in zip(places, mine, theirs, strict=True):
        if one == two:
            alike += 1
            continue
        if len(found) == MOST_LABELS:
            return Drawn(tuple(found), alike, incomplete)
        found.append(Differing(place, one, two, alike))
        alike = 0
    return Drawn(tuple(found), alike, incomplete)


def features_of(
    traffic: Path, model: str, served: int, wanted: Sequence[Place]
) -> dict[Place, dict[str, float | str | None]]:
    """What was asked in each of these rows, as far as the log still holds them.

    None is a missing value. What is redacted was never written.
    """
    found: dict[Place, dict[str, float | str | None]] = {}
    if not wanted:
        return found
    ids = pa.array(sorted({place.id for place in wanted}), pa.string())
    sought = set(wanted)
    for _, table in reading.tables_in(files.version_folder(traffic, model, served)):
        near = table.filter(pc.is_in(table["id"], value_set=ids))
        columns = features_in(near)
        for at, place in enumerate(_places(near)):
            if place in sought:
                found[place] = {name: _shown(column[at]) for name, column in columns.items()}
    return found


def answers(answer: Answer) -> list[int | str | None]:
    """The labels of an answer; None where its probabilities are no numbers."""
    labels: list[int | str | None] = answer.label.tolist()
    if answer.probabilities is None:
        return labels
    sound = np.isfinite(answer.probabilities).all(axis=1).tolist()
    return [label if known else None for label, known in zip(labels, sound, strict=True)]


def _shown(value: np.float32 | str | None) -> float | str | None:
    """A value as it was sent: a float32 in its shortest spelling."""
    if isinstance(value, np.floating):
        return None if np.isnan(value) else float(str(value))
    return value or None


def _labelled(traffic: Path, model: str) -> set[str]:
    """Requests whose label has come. The watch counts them, and they may not be like the rest."""
    found: set[str] = set()
    for _, table in reading.tables_in(files.labels_folder(traffic, model), ["id"]):
        found.update(table["id"].to_pylist())
    return found


@dataclass(slots=True)
class _Chosen:
    """Rows of files, side by side ``[n]``: the order, the file's number, and the place in it."""

    keys: NDArray[np.uint64]
    time_us: NDArray[np.int64]
    row_keys: NDArray[np.uint64]
    file: NDArray[np.int64]
    at: NDArray[np.int64]

    def __add__(self, other: _Chosen) -> _Chosen:
        return _Chosen(*(np.concatenate(pair) for pair in zip(self._all, other._all, strict=True)))

    def first(self, count: int) -> _Chosen:
        """The first ``count`` requests, one row of each.

        When a client used an id twice, its last request counts, as it does for labels.
        """
        order = np.lexsort((self.row_keys, -self.time_us, self.keys))
        _, begins = np.unique(self.keys[order], return_index=True)
        kept = order[begins[:count]]
        return _Chosen(*(each[kept] for each in self._all))

    @property
    def _all(self) -> tuple[NDArray[Any], ...]:
        return (self.keys, self.time_us, self.row_keys, self.file, self.at)


def _chosen(
    folder: Path, labelled: set[str], since: datetime, until: datetime, seed: str
) -> dict[Path, list[tuple[int, int]]]:
    """By file: the order of each row that is drawn, and its position in the file."""
    names: list[Path] = []
    nothing = np.empty(0, np.int64)
    chosen = _Chosen(nothing.view(np.uint64), nothing, nothing.view(np.uint64), nothing, nothing)
    for file, table in reading.tables_in(folder, ["id", "row", "time"]):
        ids, rows = table["id"].to_pylist(), table["row"].to_pylist()
        within = reading.window(table, since, until)
        at = np.array([n for n in np.flatnonzero(within) if ids[n] not in labelled], np.int64)
        more = _Chosen(
            np.array([_digest(f"{seed}/{ids[n]}") for n in at], np.uint64),
            reading.microseconds(table)[at],
            np.array([_digest(f"{seed}/{ids[n]}/{rows[n]}") for n in at], np.uint64),
            np.full(len(at), len(names)),
            at,
        )
        names.append(file)
        chosen = (chosen + more).first(MOST_REQUESTS)
    found: dict[Path, list[tuple[int, int]]] = {}
    for order, (number, at_row) in enumerate(
        zip(chosen.file.tolist(), chosen.at.tolist(), strict=True)
    ):
        found.setdefault(names[number], []).append((order, at_row))
    return found


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _rows(
    folder: Path, chosen: Mapping[Path, Sequence[tuple[int, int]]], other: Answers
) -> tuple[Any | None, int]:
    """The chosen rows in their order, and how many lack a column."""
    tables: list[Any] = []
    orders: list[int] = []
    incomplete = 0
    absent: set[str] = set()
    for file, pairs in chosen.items():
        order, at = zip(*pairs, strict=True)
        table = reading.table_in(file)
        if table is None:
            continue
        lacks = lacking(table, other.signature)
        if lacks:
            absent |= lacks
            incomplete += len(at)
            continue
        tables.append(table.take(pa.array(at)))
        orders += order
    if absent and not tables:
        raise StoreError(_absent(absent, folder))
    table = reading.together(tables)
    if table is None:
        return None, incomplete
    return table.take(pa.array(np.argsort(orders))).combine_chunks(), incomplete


def _places(table: Any) -> Iterator[Place]:
    ids, rows = table["id"].to_pylist(), table["row"].to_pylist()
    times = reading.microseconds(table).tolist()
    return (Place(*each) for each in zip(ids, rows, times, strict=True))


def _absent(names: set[str], folder: Path) -> Mistake:
    return Mistake(
        f"the traffic log does not hold {', '.join(map(repr, sorted(names)))}, which the other"
        " version reads: nobody can say where the two differ",
        where=str(folder),
        fix="columns under serving.redact are never written, nor are those that the version in"
        " production does not read: approve or reject by other evidence",
    )
