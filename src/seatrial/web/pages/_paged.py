"""A long list in pages: as many rows as one looks at, and where the others are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

Row = TypeVar("Row")
Row_co = TypeVar("Row_co", covariant=True)

ROWS = 50
"""Of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """The rows of a page; ``newer`` and ``older`` lead to its neighbours, where there are any."""

    rows: tuple[Row, ...]
    number: int
    pages: int
    total: int
    newer: str | None
    older: str | None


class Rows(Protocol[Row_co]):
    """A list, or what reads from the ledger only the rows that are asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, of: slice, /) -> Sequence[Row_co]: ...


def paged(request: Request, rows: Rows[Row], word: str = "page", anchor: str = "") -> Page[Row]:
    """The page that ``?page=N`` asks for (from 1); the nearest there is, for any other text.

    ``word`` is the name of the parameter where a page has two lists; the others are kept.
    """
    total = len(rows)
    pages = max(1, -(-total // ROWS))
    asked = request.query_params.get(word, "1")
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 1  # noqa: PLR2004
    number = min(max(number, 1), pages)

    def to(other: int) -> str | None:
        if not 1 <= other <= pages:
            return None
        kept = {**dict(request.query_params), word: str(other)}
        return f"?{urlencode(kept)}{anchor and f'#{anchor}'}"

    return Page(
        rows=tuple(rows[(number - 1) * ROWS : number * ROWS]),
        number=number,
        pages=pages,
        total=total,
        newer=to(number - 1),
        older=to(number + 1),
    )
