"""Labels brought together with what was asked: then any version can be judged on production's rows.

Pairing is lazy: nothing of another version is stored. When a label has come, the other version is
scored on that request's logged features, so what is paired is what was labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seatrial.errors import Mistake, StoreError
from seatrial.inference.answer import Answer, class_labels
from seatrial.traffic import files, labels, reading
from seatrial.traffic.arrow import label_type, prediction_type
from seatrial.traffic.recorded import answer_in, column_of, features_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Logged rows whose label has come, in the order of the log.

    ``labels`` are int64 or object strings ``[n]`` for classes, float64 for numbers. ``answer`` is
    what the version that served a row answered, ``versions`` int64 ``[n]`` which that was, and
    ``time`` int64 ``[n]`` when, in microseconds since 1970. ``features`` are columns ``[n]``, of
    the wanted signature; ``incomplete`` counts labelled rows that were left out because a wanted
    column was redacted while they were logged.
    """

    ids: NDArray[np.object_]
    features: dict[str, NDArray[Any]]
    labels: NDArray[Any]
    answer: Answer
    versions: NDArray[np.int64]
    time: NDArray[np.int64]
    incomplete: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Both versions' answers to the same labelled rows; ``incomplete`` as in :class:`Labelled`."""

    ids: NDArray[np.object_]
    labels: NDArray[Any]
    serving: Answer
    other: Answer
    incomplete: int = 0

    @property
    def rows(self) -> int:
        """How many rows are paired."""
        return len(self.labels)


def pair(
    traffic: Path,
    model: str,
    serving: int,
    other: Answers,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Pairs:
    """Score ``other`` on the labelled rows that version ``serving`` answered in the window.

    Raises StoreError when the log does not hold a column that ``other`` reads; it names them all.
    """
    found = labelled(traffic, model, [serving], since, until, other.signature)
    return Pairs(
        ids=found.ids,
        labels=found.labels,
        serving=found.answer,
        other=other.predict(found.features),
        incomplete=found.incomplete,
    )


def labelled(
    traffic: Path,
    model: str,
    versions: Iterable[int] | None,
    since: datetime | None,
    until: datetime | None,
    signature: Signature,
) -> Labelled:
    """The labelled rows that these versions (None: all) answered in ``[since, until)``.

    A label counts whenever it came; the last to arrive wins. ``signature`` says which columns are
    wanted, and of which kind labels and predictions are: versions that answer otherwise, or other
    classes of label, are left out. Raises StoreError when a column is in no file.
    """
    told = labels.read(traffic, model, label_type(signature))
    wanted = files.versions(traffic, model) if versions is None else versions
    folders = [files.version_folder(traffic, model, version) for version in wanted]
    kind = prediction_type(signature)
    parts = [
        found
        for found in ([] if told is None else _matched(folders, told, since, until))
        if found.schema.field("prediction").type == kind
    ]
    names = {each.name for each in signature.inputs}
    complete = [part for part in parts if names <= _held(part)]
    if parts and not complete:
        raise _absent(names - _held(parts[0]).intersection(*map(_held, parts)), folders)
    incomplete = sum(part.num_rows for part in parts) - sum(part.num_rows for part in complete)
    table = reading.together(complete)
    if table is None or not table.num_rows:
        return _nothing(signature, incomplete)
    given = features_in(table)
    return Labelled(
        ids=column_of(table["id"]),
        features={each.name: given[each.name] for each in signature.inputs},
        labels=column_of(table["label"]),
        answer=answer_in(table),
        versions=column_of(table["version"]).astype(np.int64),
        time=reading.microseconds(table),
        incomplete=incomplete,
    )


def _matched(
    folders: Sequence[Path], told: Any, since: datetime | None, until: datetime | None
) -> list[Any]:
    """The labelled rows of each file, with their label.

    First the keys of all files are read, and joined; then of each file only what was found in it.
    """
    keys, begins, places = [], [0], []
    for folder in folders:
        for file, table in reading.tables_in(folder, ["id", "row", "time"]):
            within = np.flatnonzero(reading.window(table, since, until))
            if len(within):
                keys.append(table.take(pa.array(within)))
                begins.append(begins[-1] + len(within))
                places.append((file, within))
    together = reading.together(keys)
    if together is None:
        return []
    asked, label = labels.match(together, told)
    found = []
    for number, (file, within) in enumerate(places):
        low, high = np.searchsorted(asked, [begins[number], begins[number + 1]])
        table = reading.table_in(file) if high > low else None
        if table is not None:
            rows = within[asked[low:high] - begins[number]]
            values = told["label"].take(pa.array(label[low:high]))
            found.append(table.take(pa.array(rows)).append_column("label", values))
    return found


def _held(table: Any) -> set[str]:
    """The feature columns of a table."""
    if "features" not in table.column_names:
        return set()
    return {each.name for each in table.schema.field("features").type}


def _absent(names: set[str], folders: Sequence[Path]) -> StoreError:
    columns = ", ".join(map(repr, sorted(names)))
    return StoreError(
        Mistake(
            f"the traffic log does not hold {columns}, which the version to judge reads",
            where=", ".join(map(str, folders)),
            fix="columns under serving.redact are never written, nor are those that production"
            " does not read: such a version is judged by its shadow test",
        )
    )


def _nothing(signature: Signature, incomplete: int) -> Labelled:
    classes = signature.problem == "classes"
    label = class_labels(signature.classes)[:0] if classes else np.empty(0, np.float32)
    probabilities = np.empty((0, len(signature.classes)), np.float32) if classes else None
    return Labelled(
        ids=np.empty(0, object),
        features={
            each.name: np.empty(0, np.float32 if each.datatype == "FP32" else object)
            for each in signature.inputs
        },
        labels=label if classes else label.astype(np.float64),
        answer=Answer(label, probabilities),
        versions=np.empty(0, np.int64),
        time=np.empty(0, np.int64),
        incomplete=incomplete,
    )
