"""In what do the machines differ that train and that serve, and do they answer alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.report._number import number
from seatrial.report.section import Badge, Code, Folded, Note, Section, Table
from seatrial.report.sections._kept import every

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.environment import table as machines
    from seatrial.report.section import Cell, Part
    from seatrial.report.sections import Sources

_HEADS = ("level", "field", "expected", "found", "why it matters", "what to do")
_GRAVE = frozenset({"error", "warn"})


class _Difference(msgspec.Struct, frozen=True):
    level: str
    field: str
    expected: str
    got: str
    why: str
    fix: str = ""


class _Proof(msgspec.Struct, frozen=True):
    ok: bool
    rows: int
    largest_difference: float | str | None = None
    said: str = ""


class _Machine(msgspec.Struct, frozen=True):
    name: str
    differences: tuple[_Difference, ...]
    proof: dict[str, _Proof] = {}
    trouble: str = ""


class Environments(msgspec.Struct, frozen=True):
    """What is read of what ``check_environment`` keeps."""

    machines: tuple[_Machine, ...]


def section(sources: Sources) -> Section | None:
    """Every machine of every ``check_environment``."""
    kept = every(sources, "environments", Environments, "The environments")
    parts = tuple(
        part
        for address, found in kept
        for part in ([found] if isinstance(found, Note) else _machines(address, found))
    )
    return Section(anchor="environment", title="Environment", parts=parts) if parts else None


def of_machines(found: machines.Table, caption: str) -> Section:
    """Machines side by side, as ``seatrial env compare`` holds them against the first."""
    rows = tuple(_side_by_side(row) for row in found.rows)
    heads = ("level", "field", *found.names)
    equal = Note(f"{found.equal} fields are the same on all of them.")
    table = Table(heads=heads, rows=rows, caption=caption)
    return Section(
        anchor="environment",
        title="Environment",
        parts=(table, equal) if rows else (Note(caption), equal),
    )


def _side_by_side(row: machines.Row) -> tuple[Cell, ...]:
    """What is not as on the first machine is marked by a sign, and not by a colour."""
    shown = ("-" if value is None else str(value) for value in row.values)
    marked = (
        f"≠ {said}" if differs else said for said, differs in zip(shown, row.differs, strict=True)
    )
    return (Badge(row.level), Code(row.field), *marked)


def _machines(address: str, found: Environments) -> Iterator[Part]:
    for machine in found.machines:
        yield Note(f"{machine.name} ({address}): {_answered(machine)}.")
        grave = [each for each in machine.differences if each.level in _GRAVE]
        others = [each for each in machine.differences if each.level not in _GRAVE]
        if grave:
            yield _table(grave)
        if others:
            many = f"{len(others)} difference{'s' * (len(others) != 1)} that change nothing"
            yield Folded(f"{machine.name}: {many}", (_table(others),))


def _answered(machine: _Machine) -> str:
    """What it has shown by the golden rows, in a clause."""
    if machine.trouble:
        return f"the golden rows could not be answered: {' '.join(machine.trouble.split())}"
    if not machine.proof:
        return _counted(machine)
    worst = max(machine.proof.values(), key=lambda each: not each.ok)
    if not worst.ok:
        return f"the golden rows are answered otherwise: {worst.said}; {_counted(machine)}"
    far = max(_as_number(each.largest_difference) for each in machine.proof.values())
    rows = f"the {worst.rows} golden rows are answered equally"
    return f"{rows} (largest difference {number(far)}); {_counted(machine)}"


def _as_number(value: Any) -> float:
    """A difference that is not finite is kept as its name."""
    return float(value or 0.0)


def _counted(machine: _Machine) -> str:
    many = len(machine.differences)
    return f"{many} difference{'s' * (many != 1)}" if many else "no difference"


def _table(differences: Sequence[_Difference]) -> Table:
    rows = tuple(
        (Badge(each.level), Code(each.field), each.expected, each.got, each.why, each.fix)
        for each in differences
    )
    return Table(heads=_HEADS, rows=rows)
