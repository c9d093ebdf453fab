"""What following the log gives: rows of it, their labels, and how many of which kind there were."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seatrial.inference.answer import Answer, class_labels
from seatrial.traffic import reading
from seatrial.traffic.recorded import answer_in, column_of, features_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

_KINDS = {"FP32": pa.float32(), "BYTES": pa.string()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of rows.

    ``logged`` were answered by the version, of which ``matched`` have got a label. Other labels:
    ``repeated`` came for a row that had counted, ``other`` for what another version answered or
    this one before the watch, ``unknown`` for what is not in the log, ``misfit`` are no labels of
    this version's kind, ``untimely`` came long before their request by the clock (or the request
    is dated in the future), and ``incomplete`` are for rows without a column that is wanted.

    >>> (Counts(matched=2) + Counts(matched=1, other=4)).matched
    3
    """

    logged: int = 0
    matched: int = 0
    repeated: int = 0
    other: int = 0
    unknown: int = 0
    misfit: int = 0
    untimely: int = 0
    incomplete: int = 0

    def __add__(self, more: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(more, name) for name in _COUNTED})


_COUNTED = tuple(each.name for each in fields(Counts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """Rows of a version's log, side by side ``[n]``.

    ``time_us`` is when they were answered, int64 microseconds since 1970, ``answer`` what the
    version answered, ``features`` the wanted columns ``[n]``: float32, or object strings.
    """

    ids: NDArray[np.object_]
    row: NDArray[np.int64]
    time_us: NDArray[np.int64]
    features: dict[str, NDArray[Any]]
    answer: Answer

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.time_us)

    @classmethod
    def of(cls, tables: Sequence[Any], signature: Signature, wanted: Signature) -> Logged:
        """The rows of tables that lack nothing (see :func:`lacking`).

        ``signature`` is of the version that answered, ``wanted`` says which columns are given.
        """
        table = reading.together(tables)
        if table is None:
            return cls._none(signature, wanted)
        given = features_in(table)
        return cls(
            ids=column_of(table["id"]),
            row=table["row"].to_numpy().astype(np.int64),
            time_us=reading.microseconds(table),
            features={each.name: given[each.name] for each in wanted.inputs},
            answer=answer_in(table),
        )

    @classmethod
    def _none(cls, signature: Signature, wanted: Signature) -> Logged:
        classes = signature.problem == "classes"
        empty = {"FP32": np.empty(0, np.float32), "BYTES": np.empty(0, object)}
        label = class_labels(signature.classes)[:0] if classes else empty["FP32"]
        probabilities = np.empty((0, len(signature.classes)), np.float32) if classes else None
        return cls(
            ids=np.empty(0, object),
            row=np.empty(0, np.int64),
            time_us=np.empty(0, np.int64),
            features={each.name: empty[each.datatype] for each in wanted.inputs},
            answer=Answer(label, probabilities),
        )


def lacking(table: Any, wanted: Signature) -> set[str]:
    """The wanted columns that the rows of a table do not have, or have of another kind."""
    held = {}
    if "features" in table.column_names:
        held = {each.name: each.type for each in table.schema.field("features").type}
    return {each.name for each in wanted.inputs if held.get(each.name) != _KINDS[each.datatype]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """What a turn found: rows ``[n]`` with the first label that came for each.

    ``labels`` are int64 or object strings for classes, float64 for numbers. ``told_us`` is when
    they came, int64 microseconds since 1970: labels of one request that came together have one
    time. ``counts`` are of this turn. ``absent`` are the wanted columns that the ``incomplete``
    rows of this turn were without: they were redacted, or that version does not read them.
    """

    logged: Logged
    labels: NDArray[Any]
    told_us: NDArray[np.int64]
    counts: Counts
    absent: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.told_us)
