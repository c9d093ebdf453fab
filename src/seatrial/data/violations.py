"""Which rows break a rule? Asked of duckdb in few scans."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from seatrial.data.rules import Rule, Violation


def found(
    sql: Callable[..., list[tuple[Any, ...]]], rules: Sequence[Rule]
) -> tuple[Violation, ...]:
    """What breaks the rules among the relation ``rows``, in the order of the rules."""
    raise NotImplementedError
