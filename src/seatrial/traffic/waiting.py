"""Which labels have come and have not found their request yet? Each keeps its place in the log."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seatrial.traffic import reading
from seatrial.traffic.arrow import TIME, label_type
from seatrial.traffic.keys import keys
from seatrial.traffic.recorded import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

NOWHERE = -1


@dataclass(slots=True, eq=False)
class Waiting:
    """Labels side by side, in the order in which they came; each column is ``[n]``.

    ``stem`` and ``position`` say where in the log of labels one stands, ``since_s`` since when it
    waits, ``looked`` whether the older files were searched for its request. Where that was found,
    ``file`` and ``at`` say where it stands (else -1), and ``time_us`` when it was answered.
    """

    serial: NDArray[np.int64]
    stem: NDArray[np.object_]
    position: NDArray[np.int64]
    id: NDArray[np.object_]
    row: NDArray[np.int64]
    label: NDArray[Any]
    told_us: NDArray[np.int64]
    key: NDArray[np.uint64]
    since_s: NDArray[np.float64]
    looked: NDArray[np.bool_]
    file: NDArray[np.int64]
    at: NDArray[np.int64]

    @classmethod
    def of(
        cls, serial: int, stem: str, position: NDArray[np.int64], table: Any, now_s: float
    ) -> Waiting:
        """The labels of a table with id, row, label and time, which stand at these positions.

        ``serial`` is that of the first.
        """
        count = table.num_rows
        ids, row = column_of(table["id"]), table["row"].to_numpy().astype(np.int64)
        return cls(
            serial=np.arange(serial, serial + count),
            stem=np.full(count, stem, object),
            position=position,
            id=ids,
            row=row,
            label=column_of(table["label"]),
            told_us=reading.microseconds(table),
            key=keys(ids.tolist(), row),
            since_s=np.full(count, now_s),
            looked=np.zeros(count, np.bool_),
            file=np.full(count, NOWHERE),
            at=np.full(count, NOWHERE),
        )

    @classmethod
    def none(cls, signature: Signature) -> Waiting:
        """No labels, of the kind that a version with this signature gets."""
        schema = [("id", pa.string()), ("row", pa.int32()), ("label", label_type(signature))]
        table = pa.schema([*schema, ("time", TIME)]).empty_table()
        return cls.of(0, "", np.empty(0, np.int64), table, 0.0)

    def __len__(self) -> int:
        return len(self.key)

    def __add__(self, other: Waiting) -> Waiting:
        pairs = zip(self._columns(), other._columns(), strict=True)
        return Waiting(*map(np.concatenate, pairs)) if len(other) else self

    def __getitem__(self, chosen: NDArray[Any] | slice) -> Waiting:
        """Some of them, by index, mask or slice."""
        return Waiting(*(column[chosen] for column in self._columns()))

    def places(self, serial: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the labels of these serials are, -1 for those that wait no longer."""
        at = np.searchsorted(self.serial, serial)
        there = np.append(self.serial, NOWHERE)[at] == serial
        return np.where(there, at, NOWHERE)

    def state(self) -> dict[str, list[Any]]:
        """Where they stand in the log, compactly: for each stem the first position, and bits."""
        return {
            str(stem): _packed(self.position[self.stem == stem]) for stem in set(self.stem.tolist())
        }

    def _columns(self) -> list[NDArray[Any]]:
        return [getattr(self, name) for name in _COLUMNS]


_COLUMNS = tuple(each.name for each in fields(Waiting))


def positions(state: Mapping[str, list[Any]]) -> dict[str, NDArray[np.int64]]:
    """What :meth:`Waiting.state` told: the positions by stem, ascending."""
    return {stem: _unpacked(*told) for stem, told in state.items()}


def _packed(position: NDArray[np.int64]) -> list[Any]:
    """The first position and, from there on, a bit for each.

    >>> _unpacked(*_packed(np.array([5, 6, 9]))).tolist()
    [5, 6, 9]
    """
    first = int(position.min())
    bits = np.zeros(int(position.max()) - first + 1, np.bool_)
    bits[position - first] = True
    return [first, base64.b85encode(zlib.compress(np.packbits(bits).tobytes())).decode()]


def _unpacked(first: int, bits: str) -> NDArray[np.int64]:
    packed = np.frombuffer(zlib.decompress(base64.b85decode(bits)), np.uint8)
    return np.flatnonzero(np.unpackbits(packed)) + first
