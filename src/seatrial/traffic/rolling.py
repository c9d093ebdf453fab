"""Streams that nobody writes any more become Parquet: aside, then by one rename."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from seatrial.traffic import files
from seatrial.traffic.segment import is_at, lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def roll(stream: Path) -> bool:
    """Turn one stream into Parquet; False when its writer lives, or when it is gone.

    Killed at any point, it can be done again. OSError when the disk refuses: the stream stays.
    """
    try:
        handle = os.open(stream, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        if not lock(handle) or not is_at(stream, handle):
            return False
        target = stream.with_suffix(files.PARQUET)
        if not target.exists():  # else it was killed after the rename
            table = table_of(stream)
            if table is not None:
                _write(table, target)
        stream.unlink()
    finally:
        os.close(handle)
    return True


def leftovers(traffic: Path) -> Iterator[Path]:
    """Every stream, its writer alive or dead; oldest first in each folder."""
    for folder in sorted(traffic.glob("*/*/")):
        streams = (path for path in folder.glob(f"*{files.STREAM}") if files.is_ours(path))
        yield from sorted(streams)


def table_of(stream: Path) -> Any | None:
    """The whole batches of a stream as a table; None when there are none."""
    # Read, not mapped: its writer may truncate it, which would kill whoever looks at the mapping.
    content = pa.py_buffer(stream.read_bytes())
    try:
        reader = pa.ipc.open_stream(content)
    except (pa.ArrowInvalid, OSError):
        return None  # killed before the schema was whole
    batches = [*_whole(reader)]
    return pa.Table.from_batches(batches, reader.schema) if batches else None


def _whole(reader: Any) -> Iterator[Any]:
    while True:
        try:
            batch = reader.read_next_batch()
        except (StopIteration, pa.ArrowInvalid, OSError):
            return  # the end, or a torn batch
        yield batch


def _write(table: Any, target: Path) -> None:
    aside = target.with_suffix(files.ASIDE)
    try:
        with aside.open("wb") as file:
            # Dictionaries of what hardly repeats (ids, numbers) cost three times the processor.
            words = [name for name, kind in _leaves(table.schema) if kind == pa.string()]
            dictionaries = [name for name in words if name != "id"]
            pq.write_table(table, file, compression="zstd", use_dictionary=dictionaries)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(target)
    except OSError:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def _leaves(schema: Any) -> Iterator[tuple[str, Any]]:
    for field in schema:
        if pa.types.is_struct(field.type):
            yield from ((f"{field.name}.{each.name}", each.type) for each in field.type)
        else:
            yield field.name, field.type
