"""Many machines side by side: in which fields do they differ from the first?"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from seatrial.environment.changes.fields import fields
from seatrial.environment.compare import BY_DEFAULT, NO_MODEL, compare
from seatrial.environment.difference import LEVELS, settled
from seatrial.environment.document import upgraded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from seatrial.environment.changes.recorded import Capture
    from seatrial.environment.difference import Difference, Level
    from seatrial.environment.needs import Needs
    from seatrial.environment.policy import Policy

FLAGS = "cpu.flags"
"""The field whose values are shown without what all machines share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field: the ``values`` machine by machine, None where it is not known.

    ``differs`` says of each machine whether it is not as the first; ``level`` is the gravest of
    these differences, "same" when there is none.
    """

    field: str
    values: tuple[str | None, ...]
    differs: tuple[bool, ...]
    level: Level | Literal["same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The machines by ``names``, the fields by ``rows``; ``equal`` fields are the same for all."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    equal: int

    def to_json(self) -> dict[str, Any]:
        """For ``--json``: lists instead of tuples, in the order of ``names``."""
        return {
            "names": [*self.names],
            "rows": [asdict(row) for row in self.rows],
            "equal": self.equal,
        }


def table(
    captures: Mapping[str, Capture],
    needs: Needs = NO_MODEL,
    policy: Policy = BY_DEFAULT,
    *,
    proven: Collection[str] = (),
    everything: bool = False,
) -> Table:
    """The fields in which machines differ, the gravest first; with ``everything`` all of them.

    The first machine is the one that the levels are taken against, as
    :func:`~seatrial.environment.compare.compare` does. Those whose names are ``proven`` answered
    the model's golden rows as they must.

    >>> found = table({"build": {"libc": "glibc 2.36"}, "pi": {"libc": "musl 1.2"}})
    >>> [(row.field, row.values, row.level) for row in found.rows]
    [('libc', ('glibc 2.36', 'musl 1.2'), 'error')]
    """
    machines = [upgraded(dict(each)) for each in captures.values()]
    known = fields(machines)
    found = [
        _found(machines[0], each, needs, policy, proven=name in proven)
        for name, each in zip(captures, machines, strict=True)
    ]
    every = {field for each in known for field in each} | {
        field for each in found for field in each
    }
    missed = policy.judged("unknown", needs.form)
    rows = [_row(field, known, found, missed and missed[0]) for field in sorted(every)]
    alike = [row for row in rows if row.level == "same"]
    differing = [_without_shared(row) for level in LEVELS for row in rows if row.level == level]
    return Table(
        names=tuple(captures), rows=(*differing, *(alike if everything else ())), equal=len(alike)
    )


def _found(
    first: Capture, other: Capture, needs: Needs, policy: Policy, *, proven: bool
) -> dict[str, Difference]:
    """The differences of a machine from the first, by field."""
    differences = compare(first, other, needs, policy, together=False)
    found = settled(differences, proven=proven)
    return {each.field: each for each in found if each.field != "unknown"}


def _row(
    field: str,
    known: Sequence[Mapping[str, str]],
    found: Sequence[Mapping[str, Difference]],
    missed: Level | None,
) -> Row:
    """One field; ``missed`` is the level of what only some machines know, None to ignore it."""
    judged = next((each[field] for each in found if field in each), None)
    otherwise = judged.expected if judged else None
    values = tuple(
        each[field].got if field in each and field not in said else said.get(field, otherwise)
        for said, each in zip(known, found, strict=True)
    )
    # A digest says nothing where the versions differ already.
    missing = missed if not field.startswith("records.") else None
    differs = tuple(
        field in each or (missing is not None and (value is None) != (values[0] is None))
        for value, each in zip(values, found, strict=True)
    )
    levels = {each[field].level for each in found if field in each}
    if any(differs) and missing is not None and not levels:
        levels.add(missing)
    gravest = next((level for level in LEVELS if level in levels), None)
    return Row(field=field, values=values, differs=differs, level=gravest or "same")


def _without_shared(row: Row) -> Row:
    """Instruction sets without those that every machine has: what is left is what differs."""
    if row.field != FLAGS:
        return row
    sets = [value.split(", ") if value else [] for value in row.values]
    shared = frozenset(sets[0]).intersection(*(each for each in sets if each))
    values = tuple(
        None if value is None else ", ".join(each for each in had if each not in shared) or "-"
        for value, had in zip(row.values, sets, strict=True)
    )
    return replace(row, values=values)
