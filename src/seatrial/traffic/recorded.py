"""The log once more, as requests: for tests of a candidate on traffic that was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from seatrial.inference.answer import Answer
from seatrial.traffic import files, reading
from seatrial.traffic.sampling import sampled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

BATCH_ROWS = 10_000


class Recorded(NamedTuple):
    """Rows of a version's log: request ids ``[n]``, columns ``[n]``, what it answered, and when.

    ``at_us`` ``[n]`` is in microseconds since 1970.
    """

    ids: NDArray[np.object_]
    features: dict[str, NDArray[Any]]
    answer: Answer
    at_us: NDArray[np.int64]


def recorded(
    traffic: Path,
    model: str,
    version: int,
    since: datetime | None = None,
    until: datetime | None = None,
    share_percent: float = 100.0,
) -> Iterator[Recorded]:
    """The sampled requests of ``[since, until)``, in batches of at most 10 000 rows.

    Oldest file first; memory holds a file and its predecessor's keys, not the log. Redacted
    columns are absent. Raises StoreError when a file is damaged.
    """
    before: dict[str, set[tuple[str, int, int]]] = {}
    for file, table in reading.tables_in(files.version_folder(traffic, model, version)):
        kept = reading.once(reading.between(table, since, until))
        kept = kept.filter(
            pa.array([sampled(each, share_percent) for each in kept["id"].to_pylist()], pa.bool_())
        )
        # What a killed writer wrote twice stands in neighbouring files of the same writer.
        writer = files.writer_of(file)
        keys = _keys(kept)
        again = before.get(writer, set())
        before[writer] = set(keys)
        fresh = kept.filter(pa.array([key not in again for key in keys], pa.bool_()))
        for start in range(0, fresh.num_rows, BATCH_ROWS):
            part = fresh.slice(start, BATCH_ROWS)
            ids = np.array(part["id"].to_pylist(), dtype=object)
            yield Recorded(ids, features_in(part), answer_in(part), reading.microseconds(part))


def features_in(table: Any) -> dict[str, NDArray[Any]]:
    """The feature columns ``[n]`` of a table: float32, or object strings (None: redacted there)."""
    if "features" not in table.column_names:
        return {}
    features = _whole(table["features"])
    names = [each.name for each in features.type]
    return dict(zip(names, map(column_of, features.flatten()), strict=True))


def answer_in(table: Any) -> Answer:
    """What was answered in the rows of a table.

    There are no probabilities when the rows are of versions with different numbers of classes.
    """
    label = column_of(table["prediction"])
    if "probabilities" not in table.column_names:
        return Answer(label)
    lists = _whole(table["probabilities"])
    classes = np.unique(column_of(lists.value_lengths()))
    if len(classes) > 1:
        return Answer(label)
    return Answer(label, column_of(lists.flatten()).reshape(len(label), classes.sum()))


def column_of(values: Any) -> NDArray[Any]:
    """An Arrow column as ``[n]``: strings as objects."""
    column: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return column


def _whole(column: Any) -> Any:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _keys(table: Any) -> list[tuple[str, int, int]]:
    ids, rows = table["id"].to_pylist(), table["row"].to_pylist()
    return [*zip(ids, rows, reading.microseconds(table).tolist(), strict=True)]
