"""Are the columns there that the pipeline expects?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.data.column import listed
from seatrial.errors import nearest
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.data import Rows


def check_schema(
    table: Rows,
    expected_columns: Sequence[str],
    strict: bool,  # noqa: FBT001 - the YAML's word
) -> tuple[Finding, ...]:
    """A finding for each expected column that is missing and, when strict, each extra one."""
    names = [column.name for column in table.columns]
    missing = [_missing(table, name, names) for name in expected_columns if name not in names]
    extra = [_extra(table, name) for name in names if strict and name not in expected_columns]
    return (*missing, *extra)


def _missing(table: Rows, name: str, names: list[str]) -> Finding:
    close = nearest(name, names)
    hint = f"nearest column: {close}" if close else f"it has: {listed(names)}"
    return Finding(what=f"expected column {name!r} is missing", where=_place(table), hint=hint)


def _extra(table: Rows, name: str) -> Finding:
    return Finding(
        what=f"column {name!r} is not expected",
        where=_place(table),
        hint="drop it, add it to `expected_columns`, or leave out `strict`",
    )


def _place(table: Rows) -> str:
    return f"{table.dataset.name} ({table.dataset.path.name})"
