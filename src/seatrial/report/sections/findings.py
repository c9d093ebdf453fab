"""What was found, and what can be done about it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.found import found
from seatrial.report.section import Code, Folded, Section, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.report.section import Part
    from seatrial.report.sections import Sources

_SHOWN = 12
"""So many are shown at once; more are folded."""
_HEADS = ("task", "what was found", "where", "what to do")


def section(sources: Sources) -> Section | None:
    """Every finding of every task."""
    every = [*found(sources.account)]
    if not every:
        return None
    parts: list[Part] = [_table(every[:_SHOWN])]
    if rest := every[_SHOWN:]:
        parts.append(Folded(f"{len(rest)} more findings", (_table(rest),)))
    return Section(anchor="findings", title="Findings", parts=tuple(parts))


def _table(findings: Sequence[tuple[str, Mapping[str, str], str]]) -> Table:
    rows = [(Code(address), each["what"], each["where"], hint) for address, each, hint in findings]
    return Table(heads=_HEADS, rows=tuple(rows))
