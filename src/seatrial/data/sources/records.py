"""JSON: a list of records, or one record a line."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from seatrial.data.sources.connection import WIDE_MB, allow
from seatrial.data.sources.refusals import unique_names

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.data.sources import Place


def read_json(place: Place, path: Path) -> None:
    """A list of records; records one after another are taken too."""
    _read(place, path, "auto")


def read_lines(place: Place, path: Path) -> None:
    """One record a line."""
    _read(place, path, "newline_delimited")


def _read(place: Place, path: Path, form: str) -> None:
    """Types come from all records; as Parquet they are read in pieces."""
    pattern = glob.escape(str(path.absolute())).replace("'", "''")
    # Without the threshold, records of many like columns would be taken for one mapping.
    records = (
        f"read_json('{pattern}', format = '{form}', records = true, sample_size = -1, "
        "map_inference_threshold = -1)"
    )
    written = place.scratch.path / "records.parquet"
    allow(place.connection, WIDE_MB)
    place.connection.execute(f"COPY (FROM {records}) TO '{written}' (FORMAT parquet)")
    place.connection.execute(f"CREATE VIEW rows AS FROM read_parquet('{written}')")
    names = [name for name, *_ in place.connection.execute("DESCRIBE rows").fetchall()]
    unique_names(place.dataset, names)
