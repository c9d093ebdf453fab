"""Which rows that a version answered have just got their label? Asked again and again.

Labels are followed as they reach the log, and each is brought together with the newest request of
its id that was answered before it came. What came lately is found at once. What is older is looked
for in the files, in batches and with a bounded share of one processor. Whoever keeps
:meth:`Following.state` together with what was made of the rows goes on exactly there, after any
end: no row counts twice, and none whose label is in the log is left out.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seatrial.errors import Mistake, PassingError, StoreError
from seatrial.traffic import files, marks, reading, waiting
from seatrial.traffic.answered import Answered
from seatrial.traffic.arrow import label_type
from seatrial.traffic.credit import Credit
from seatrial.traffic.marks import Marks
from seatrial.traffic.matched import Counts, Logged, Matched, lacking
from seatrial.traffic.matching import Matching
from seatrial.traffic.recorded import column_of
from seatrial.traffic.tail import Tail, told_of
from seatrial.traffic.waiting import NOWHERE, Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature
    from seatrial.traffic.keys import File

BATCH_ROWS = 10_000
"""Rows that a turn gives, at most: whoever scores them shall not be long."""

WAITING_ROWS = 200_000
"""Labels that may wait; while there are more, no further ones are read."""

_BEFORE = timedelta(minutes=10)
"""A file that was begun in an hour may hold what came so long after its end."""

_LABEL = ("id", "row", "label", "time")


class Following:
    """The labelled rows that ``version`` of ``model`` answered at or after ``since``.

    ``signature`` is the version's, ``wanted`` that of the version that is to be scored on the same
    rows: its columns are given. ``state`` is what :meth:`state` told; without it the watch begins.
    ``timer`` gives seconds that never go back. Only one process at a time may follow for a watch.
    Raises PassingError when the disk refuses.
    """

    def __init__(
        self,
        traffic: Path,
        model: str,
        version: int,
        signature: Signature,
        wanted: Signature,
        since: datetime,
        state: Mapping[str, Any] | None = None,
        *,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        told: Mapping[str, Any] = state or {}
        self._traffic, self._model, self._version = traffic, model, version
        self._signature, self._wanted = signature, wanted
        self._timer = timer
        self._since_us, self._now_us = _us(since), int(told.get("now_us", 0))
        path = marks.path_of(traffic, model, version, self._since_us)
        with _disk(path):
            self._marks = Marks.begin(path, told.get("marks", 0))
        if self._marks.lost:
            # Nobody knows any more which rows counted: none that was answered until then may.
            self._since_us = max(self._since_us, self._now_us + 1)
        begun, counted = since - _BEFORE, dict(told.get("logged", {}))
        self._begun = begun
        self._answered = Answered(traffic, model, version, begun, self._since_us, counted)
        folder = files.labels_folder(traffic, model)
        self._labels = Tail(folder, dict(told.get("labels", {})), begun)
        self.counts = Counts(**told.get("counts", {}))
        """All that was counted since the watch began."""
        self._absent = set[str]()
        self._nothing = Logged.of([], signature, wanted)
        self._credit, self._serial = Credit(timer), 0
        self._matching = Matching(self._answered, Waiting.none(signature), self._credit)
        self._restore(waiting.positions(told.get("waiting", {})))

    def turn(self, now: datetime) -> Matched:
        """What has got its label since the last turn; cheap when nothing has come.

        At most 10 000 rows, and the next turn has the others. Raises StoreError when the log cannot
        be read at all; a damaged file is left out (see :attr:`damaged`).
        """
        self._now_us = _us(now)
        now_s = self._timer()
        self._credit.earn(now_s)
        logged, arrived = self._answered.follow()
        self._matching.count(logged=logged)
        self._follow_labels(now_s)
        self._matching.match(arrived, self._now_us, now_s)
        return self._give()

    def state(self) -> dict[str, Any]:
        """What is to be kept, as JSON, together with what was made of all rows given so far.

        A few kilobytes; which rows counted lies beside the log, and is safely on the disk now.
        Raises PassingError when the disk refuses: nothing may be kept then, and it may be asked
        again.
        """
        with _disk(self._marks.path):
            count = self._marks.keep()
        return {
            "labels": dict(self._labels.done),
            "waiting": self._matching.waiting.state(),
            "logged": self._answered.kept(),
            "marks": count,
            "counts": asdict(self.counts),
            "now_us": self._now_us,
        }

    def forget(self) -> None:
        """Remove what lies beside the log, once the watch is over."""
        with _disk(self._marks.path):
            self._marks.forget()

    @property
    def waiting(self) -> int:
        """How many labels have not found their request yet, or wait to be given."""
        return len(self._matching.waiting)

    @property
    def damaged(self) -> tuple[str, ...]:
        """Files of the log that cannot be read, and why: their rows are left out."""
        return tuple(sorted({*self._labels.damaged.values(), *self._answered.all_damaged}))

    def _restore(self, left: Mapping[str, NDArray[np.int64]]) -> None:
        """Let the labels wait again that waited when the state was told."""
        folder = files.labels_folder(self._traffic, self._model)
        for stem, position in left.items():
            try:
                table = reading.table_in(folder / (stem + files.STREAM), _LABEL)
            except StoreError as error:
                self._labels.damaged[stem] = told_of(error)
                table = None
            rows = 0 if table is None else table.num_rows
            there = position[position < rows]
            self._matching.count(unknown=len(position) - len(there))
            if table is not None:
                self._wait(stem, there, table.take(pa.array(there)), self._timer())

    def _follow_labels(self, now_s: float) -> None:
        if len(self._matching.waiting) >= WAITING_ROWS:
            return
        for part in self._labels.read():
            try:
                table = part.table(_LABEL)
            except StoreError as error:
                self._labels.damaged[part.stem] = told_of(error)
                continue
            if table is not None:
                position = np.arange(part.first_row, part.first_row + part.rows)
                self._wait(part.stem, position, table, now_s)
            if len(self._matching.waiting) >= WAITING_ROWS:
                return

    def _wait(self, stem: str, position: NDArray[np.int64], table: Any, now_s: float) -> None:
        """Labels of the version's kind wait for their requests; others are no labels of its own."""
        if table.schema.field("label").type != label_type(self._signature):
            self._matching.count(misfit=table.num_rows)
            return
        came = Waiting.of(self._serial, stem, position, table, now_s)
        self._serial += len(came)
        fit = _fit(came.label, self._signature)
        self._matching.count(misfit=len(came) - int(np.count_nonzero(fit)))
        self._matching.waiting += came if fit.all() else came[fit]

    def _give(self) -> Matched:
        """The rows whose label came, each once; those that are not at hand as long as credit is."""
        logged, labels = self._nothing, self._matching.waiting[:0]
        if len(self._matching.waiting):
            taken, gone = self._rows()
            logged, labels, counted = self._once(taken)
            # From here on nothing fails: what is counted is given.
            self._marks.add(counted)
            if gone.any():
                self._matching.waiting = self._matching.waiting[~gone]
        counts, absent = self._matching.tally, tuple(sorted(self._absent))
        self._matching.tally, self._absent = Counts(), set()
        self.counts += counts
        return Matched(
            logged=logged,
            labels=labels.label,
            told_us=labels.told_us,
            counts=counts,
            absent=absent,
        )

    def _rows(self) -> tuple[list[tuple[Waiting, Any]], NDArray[np.bool_]]:
        """Labels with the table of their rows; and which of those that waited are done with."""
        labels, taken = self._matching.waiting, list[tuple[Waiting, Any]]()
        gone = np.zeros(len(labels), np.bool_)
        recent, keys = self._answered.recent, self._answered.keys
        found = np.flatnonzero(labels.file != NOWHERE)
        at_hand = recent.holds(labels.file[found], labels.at[found])
        near, far = _up_to(BATCH_ROWS, labels, found[at_hand]), found[~at_hand]
        for number in np.unique(labels.file[near]).tolist():
            of_file = near[labels.file[near] == number]
            for within, table in recent.take(number, labels.at[of_file]):
                taken.append((labels[of_file[within]], table))
        gone[near] = True
        room = BATCH_ROWS - len(near)
        while len(far) and room > 0 and self._credit.left:
            same = labels.file[far] == labels.file[far[0]]
            of_file, far = _up_to(room, labels, far[same]), far[~same]
            with self._credit.spending():
                table = self._read(keys.file(int(labels.file[of_file[0]])))
            gone[of_file] = True
            there = of_file[labels.at[of_file] < (0 if table is None else table.num_rows)]
            self._matching.count(unknown=len(of_file) - len(there))
            if table is not None:
                taken.append((labels[there], table.take(pa.array(labels.at[there]))))
            room -= len(of_file)
        return taken, gone

    def _read(self, file: File) -> Any | None:
        try:
            return self._answered.rows_of(file)
        except StoreError as error:
            self._answered.damaged[file.stem] = told_of(error)
            return None

    def _once(self, taken: list[tuple[Waiting, Any]]) -> tuple[Logged, Waiting, NDArray[np.uint64]]:
        """The rows that have not counted and lack nothing, their labels, and all new marks."""
        told = [
            marks.of(labels.id, labels.row, reading.microseconds(table)) for labels, table in taken
        ]
        every = np.concatenate([*told, np.empty(0, np.uint64)])
        fresh = self._marks.fresh(every)
        tables, kept, tally, end = [], self._matching.waiting[:0], Counts(), 0
        for labels, table in taken:
            same = _same(labels, table)
            begin, end = end, end + len(labels)
            fresh[begin:end] &= same
            chosen = fresh[begin:end]
            count, there = int(np.count_nonzero(chosen)), int(np.count_nonzero(same))
            tally += Counts(repeated=there - count, unknown=len(labels) - there)
            absent = lacking(table, self._wanted)
            if absent:
                self._absent |= absent
                tally += Counts(incomplete=count)
            elif count:
                tally += Counts(matched=count)
                tables.append(table.filter(pa.array(chosen)))
                kept += labels[chosen]
        logged = Logged.of(tables, self._signature, self._wanted) if tables else self._nothing
        self._matching.tally += tally
        return logged, kept, every[fresh]


def _up_to(limit: int, labels: Waiting, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first places, about ``limit``: labels of one request that came together stay together."""
    end = min(limit, len(places))
    while 0 < end < len(places):
        last, following = places[end - 1], places[end]
        if (labels.id[last], labels.told_us[last]) != (
            labels.id[following],
            labels.told_us[following],
        ):
            break
        end += 1
    return places[:end]


def _same(labels: Waiting, table: Any) -> NDArray[np.bool_]:
    """Which rows ``[n]`` are those that the labels are for: their keys were equal, by chance?"""
    same = column_of(table["id"]) == labels.id
    return np.asarray(same & (table["row"].to_numpy() == labels.row), np.bool_)


def _fit(label: NDArray[Any], signature: Signature) -> NDArray[np.bool_]:
    """Which labels ``[n]`` the version could have answered: a class of it, or any finite number."""
    if signature.problem == "numbers":
        return np.asarray(np.isfinite(label))
    known = set(signature.classes)
    return np.fromiter((each in known for each in label.tolist()), np.bool_, len(label))


def _us(moment: datetime) -> int:
    return int(np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PassingError(
            Mistake(
                f"what a watch has counted cannot be kept: {error.strerror or error}",
                where=str(path),
                fix="make room on the disk, or let the folder be written",
            )
        ) from error
