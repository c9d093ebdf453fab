"""Labels that came back, and which prediction each belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from seatrial.traffic import files, reading

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray


def read(
    traffic: Path,
    model: str,
    kind: Any = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Any:
    """The labels that arrived in ``[since, until)``: id, row, label, time; all, as they came.

    ``kind`` is the wanted type of ``label`` (see ``arrow.label_type``): labels of another type,
    which came for a version with other classes, are left out. None when there are none.
    """
    tables = []
    for _, table in reading.tables_in(files.labels_folder(traffic, model)):
        if kind is None or table.schema.field("label").type == kind:
            within = reading.between(table, since, until)
            tables += [within] if within.num_rows else []
    return reading.together(tables)


def match(predictions: Any, labels: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in ``predictions`` and, side by side, in ``labels``: each label's prediction.

    Both are tables with id, row and time. Of several labels for one prediction the last to arrive
    counts; when a client used an id twice, its last request does.
    """
    with duckdb.connect(":memory:") as connection:
        connection.register("predictions", _keys(predictions))
        connection.register("labels", _keys(labels))
        found = connection.execute(_MATCH).fetchnumpy()
    return found["prediction"].astype(np.int64), found["label"].astype(np.int64)


# The time decides, then the order in which they were written: max of a pair compares both.
_MATCH = """
WITH asked AS (
    SELECT id, "row", max_by(position, (time, position)) AS prediction
    FROM predictions GROUP BY id, "row"
), told AS (
    SELECT id, "row", max_by(position, (time, position)) AS label FROM labels GROUP BY id, "row"
)
SELECT prediction, label FROM asked JOIN told USING (id, "row") ORDER BY prediction
"""


def _keys(table: Any) -> Any:
    position = pa.array(np.arange(table.num_rows))
    time = pa.array(reading.microseconds(table))
    return pa.table({"id": table["id"], "row": table["row"], "time": time, "position": position})
