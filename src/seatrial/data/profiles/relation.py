"""What can be asked of the relation ``rows`` that is to be counted?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from seatrial.data.column import Column


class Relation(Protocol):
    """Something to ask: SQL over the relation ``rows``, whose columns are known."""

    columns: tuple[Column, ...]

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query; ``?`` takes the parameters."""

    def batches(self, query: str, *parameters: object, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a query in their order, about so many at once."""
