"""Where are the rows of a dataset counted: here, or on an engine of its own?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from seatrial.data import Rows
    from seatrial.data.dataset import Dataset
    from seatrial.data.table import Table


def open_rows(dataset: Dataset) -> Rows:
    """Open a dataset for counting, on the engine that it declares.

    Raises FormError when it cannot be opened, read or typed, or holds no rows; StoreError when a
    database, a store or the disk is in the way.
    """
    if dataset.engine == "spark":
        from seatrial.data.spark.rows import open_spark  # noqa: PLC0415 - only where it is asked for

        return open_spark(dataset)
    from seatrial.data.table import open_table  # noqa: PLC0415 - loads duckdb

    return open_table(dataset)


def local(rows: Rows) -> Table:
    """The rows themselves, to train or to score on. FormError when they are on another engine."""
    from seatrial.data.table import Table  # noqa: PLC0415 - loads duckdb

    if isinstance(rows, Table):
        return rows
    raise FormError(
        Mistake(
            f"dataset {rows.dataset.name!r} is on {rows.dataset.engine}, "
            "where rows are counted but not read one by one",
            where=rows.dataset.place,
            fix="train and judge on a dataset of this machine: leave out `engine:`",
        )
    )
