"""Arrow IPC: the file format (Feather) and the stream format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.data.sources import SMALL
from seatrial.data.sources.refusals import damaged, unique_names
from seatrial.data.sources.text_types import WIDE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.data.sources import Place

_ROWS = 100_000
"""Rows of a group in the Parquet file that a large Arrow file becomes."""


def read_arrow(place: Place, path: Path) -> int | None:
    """A small file in memory; a large one becomes Parquet, which is read in pieces."""
    import pyarrow as pa  # noqa: PLC0415 - only for this kind of file

    try:
        with pa.memory_map(str(path)) as mapped:
            schema, batches = _batches(mapped)
            unique_names(place.dataset, schema.names)
            if path.stat().st_size <= SMALL and len(schema) <= WIDE:
                place.connection.register("arriving", pa.Table.from_batches(batches, schema))
                place.connection.execute("CREATE TABLE rows AS FROM arriving")
                place.connection.unregister("arriving")
                return None
            return _rewritten(place, schema, batches)
    except pa.ArrowException as fault:
        raise damaged(place.dataset, fault) from fault


def _batches(mapped: Any) -> tuple[Any, Iterator[Any]]:
    """The schema of a file or a stream, and its batches.

    Each batch is looked through first: Arrow trusts what it maps, and a damaged length or place
    in it would end the program.
    """
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import ipc  # noqa: PLC0415

    try:
        file = ipc.open_file(mapped)
    except pa.ArrowInvalid:
        mapped.seek(0)
        stream = ipc.open_stream(mapped)
        return stream.schema, map(_sound, stream)
    return file.schema, (_sound(file.get_batch(i)) for i in range(file.num_record_batches))


def _sound(batch: Any) -> Any:
    batch.validate(full=True)
    return batch


def _rewritten(place: Place, schema: Any, batches: Iterator[Any]) -> int:
    from pyarrow import parquet  # noqa: PLC0415

    written = place.scratch.path / "arrow.parquet"
    rows = 0
    with parquet.ParquetWriter(written, schema, compression="zstd") as file:
        for batch in batches:
            file.write_batch(batch, row_group_size=_ROWS)
            rows += batch.num_rows
    place.connection.execute(f"CREATE VIEW rows AS FROM read_parquet('{written}')")
    return rows
