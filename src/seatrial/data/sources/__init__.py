"""How does what a dataset names become rows? One file for each kind of source.

A source makes the relation ``rows`` in a duckdb connection, in the source's order, and tells the
fingerprint of what it read. What duckdb cannot read fast and in pieces as it lies (text, JSON, a
database, another machine) is first written into the scratch folder.

To add a kind of file, write a reader (``Reader`` below) and name its endings in
``sources/local.py`` and in :data:`seatrial.data.dataset.SUFFIXES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb

    from seatrial.data.dataset import Dataset
    from seatrial.data.sources.fingerprint import Files
    from seatrial.data.sources.scratch import Scratch

SMALL = 16 * 2**20
"""Files of so many bytes are read into memory at once; larger ones become Parquet first."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was opened. ``rows`` when it was counted on the way."""

    fingerprint: str
    files: Files | None = None
    """The files that it is of; while it is open they must stay as they are."""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader works."""

    dataset: Dataset
    connection: duckdb.DuckDBPyConnection
    scratch: Scratch


class Reader(Protocol):
    """Makes the relation ``rows`` from one file; the number of rows when it was counted."""

    def __call__(self, place: Place, path: Path, /) -> int | None:
        """Raises FormError, or lets duckdb's and pyarrow's errors pass for a damaged file."""


def open_source(place: Place) -> Opened:
    """Make the relation ``rows``.

    Raises FormError for what cannot be opened, read or typed; StoreError when a database, a
    store or the disk is in the way.
    """
    dataset = place.dataset
    if dataset.table or dataset.query:
        from seatrial.data.sources.sql import open_sql  # noqa: PLC0415 - loads SQLAlchemy

        return open_sql(place)
    if dataset.address:
        from seatrial.data.sources.remote import open_remote  # noqa: PLC0415 - loads fsspec

        return open_remote(place)
    from seatrial.data.sources.local import open_local  # noqa: PLC0415 - for both of the above too

    assert dataset.path is not None
    return open_local(place, dataset.path)
