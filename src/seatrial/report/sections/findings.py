"""What was found, and what can be done about it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.report.found import found
from seatrial.report.section import Facts, Folded, Section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_SHOWN = 12
"""So many are shown at once; more are folded."""


def section(sources: Sources) -> Section | None:
    """Every finding of every task."""
    every = [*found(sources.account)]
    if not every:
        return None
    return Section(anchor="findings", title="Findings", parts=told(every))


def told(findings: Sequence[tuple[str, Mapping[str, str], str]]) -> tuple[Part, ...]:
    """Each behind the task that found it, with where that is, and below it what to do."""
    parts: list[Part] = [_listed(findings[:_SHOWN])]
    if rest := findings[_SHOWN:]:
        parts.append(Folded(f"{len(rest)} more findings", (_listed(rest),)))
    return tuple(parts)


def _listed(findings: Sequence[tuple[str, Mapping[str, str], str]]) -> Facts:
    lines: list[tuple[str, Cell]] = []
    for address, each, hint in findings:
        where = f" ({each['where']})" if each["where"] else ""
        lines.append((address.rpartition(".")[2], f"{each['what']}{where}"))
        if hint:
            lines.append(("what to do", hint))
    return Facts(tuple(lines))
