"""Reading the traffic log: Parquet, and streams that are still being written, as one.

A writer that was killed may have written its last records twice; here they are read once. Besides
these functions any program that reads Parquet will do, for example DuckDB::

    SELECT features.a, prediction FROM '.seatrial/traffic/m/v3/*.parquet'
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seatrial.errors import Mistake, StoreError
from seatrial.traffic import files
from seatrial.traffic.rolling import table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray


def read(
    traffic: Path,
    model: str,
    versions: Iterable[int] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> dict[int, Any]:
    """A pyarrow Table for each version that answered in ``[since, until)``; all versions if None.

    Columns: id, row, time, version, service_us, prediction, probabilities (classes only), features
    (a struct; what was redacted in some files is null there), gateway. Raises StoreError when a
    file is damaged.
    """
    found = {}
    for version in files.versions(traffic, model) if versions is None else versions:
        folder = files.version_folder(traffic, model, version)
        tables = [between(table, since, until) for _, table in tables_in(folder)]
        table = together([table for table in tables if table.num_rows])
        if table is not None:
            found[version] = once(table)
    return found


def tables_in(folder: Path, columns: Sequence[str] | None = None) -> Iterator[tuple[Path, Any]]:
    """Each file of a folder with all its rows in the order they were written, oldest file first."""
    for file in files.listed(folder):
        table = table_in(file, columns)
        if table is not None:
            yield file, table


def table_in(file: Path, columns: Sequence[str] | None = None) -> Any | None:
    """The rows of one file; None when it has none, or was removed meanwhile.

    Columns that it does not have are left out.
    """
    if file.suffix == files.STREAM:
        try:
            table = table_of(file)
        except FileNotFoundError:
            file = file.with_suffix(files.PARQUET)  # it was rolled meanwhile
        else:
            return table if table is None or columns is None else only(table, columns)
    try:
        with pq.ParquetFile(file) as opened:
            names = opened.schema_arrow.names
            wanted = None if columns is None else [name for name in columns if name in names]
            return opened.read(columns=wanted)
    except FileNotFoundError:
        return None
    except (pa.ArrowInvalid, OSError) as error:
        raise StoreError(
            Mistake(
                f"a file of the traffic log is damaged: {str(error)[:120]}",
                where=str(file),
                fix="remove it: nothing but its own rows is lost",
            )
        ) from error


def only(table: Any, columns: Sequence[str]) -> Any:
    """These columns of a table, as far as it has them."""
    return table.select([name for name in columns if name in table.column_names])


def together(tables: Sequence[Any]) -> Any | None:
    """Tables one after the other, whichever columns each was redacted of; None of none."""
    return pa.concat_tables(tables, promote_options="permissive") if tables else None


def between(table: Any, since: datetime | None, until: datetime | None) -> Any:
    """The rows in ``[since, until)``."""
    within = window(table, since, until)
    return table if within.all() else table.filter(pa.array(within))


def window(table: Any, since: datetime | None, until: datetime | None) -> NDArray[np.bool_]:
    """Which rows of a table are in ``[since, until)``, bool ``[n]``."""
    time = microseconds(table)
    within = np.ones(len(time), dtype=np.bool_)
    if since is not None:
        within &= time >= _us(since)
    if until is not None:
        within &= time < _us(until)
    return within


def microseconds(table: Any) -> NDArray[np.int64]:
    """The column ``time`` as microseconds since 1970."""
    times: NDArray[np.int64] = table["time"].cast(pa.int64()).to_numpy()
    return times


def _us(time: datetime) -> int:
    return int(np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


def once(table: Any) -> Any:
    """The rows without those that were written twice: the same id, row and time."""
    repeated = written_twice(table)
    return table if not repeated.any() else table.filter(pa.array(~repeated))


def written_twice(table: Any) -> NDArray[np.bool_]:
    """Which rows repeat an earlier one, bool ``[n]``."""
    time, row = microseconds(table), table["row"].to_numpy()
    order = np.lexsort((row, time))
    same = (np.diff(time[order]) == 0) & (np.diff(row[order]) == 0)
    repeated = np.zeros(len(time), np.bool_)
    # Only what falls into the same microsecond can be the same: of these few, look at the ids.
    suspects = np.union1d(order[1:][same], order[:-1][same])
    seen = set()
    ids = table["id"].take(pa.array(suspects)).to_pylist()
    for position, identity in zip(suspects.tolist(), ids, strict=True):
        key = identity, int(row[position]), int(time[position])
        repeated[position] = key in seen
        seen.add(key)
    return repeated
