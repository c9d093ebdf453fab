"""Packages that nobody expected, in one line where they are many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.environment.changes.packages import ABSENT, NAMED
from seatrial.environment.difference import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGE = "dependencies."


def gathered(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences as people read them: more than six unexpected packages become one.

    A machine that builds has a hundred packages beside those of a lock file; what else differs
    would drown among them. Each stays by itself where it is counted, kept or printed as JSON.

    >>> many = [
    ...     Difference(level="warn", proven="warn", field=f"dependencies.p{n}",
    ...                expected="not installed", got=f"1.{n}", why="it may replace another")
    ...     for n in range(9)
    ... ]
    >>> print(*gathered(many))
    warn dependencies: not installed -> p0 1.0, p1 1.1, p2 1.2, p3 1.3, p4 1.4, p5 1.5 and 3 more \
(9 packages: it may replace another); uninstall them, or say `package.extra: ignore` in the policy
    """
    found = [*differences]
    groups: dict[tuple[str, str], list[Difference]] = {}
    for each in found:
        if each.field.startswith(_PACKAGE) and each.expected == ABSENT:
            groups.setdefault((each.level, each.why), []).append(each)
    ones = {group[0]: _one(group) for group in groups.values() if len(group) > NAMED}
    rest = {each for group in groups.values() if len(group) > NAMED for each in group[1:]}
    return tuple(ones.get(each, each) for each in found if each not in rest)


def _one(group: Sequence[Difference]) -> Difference:
    told = [f"{each.field.removeprefix(_PACKAGE)} {each.got}" for each in group[:NAMED]]
    return Difference(
        level=group[0].level,
        proven=group[0].proven,
        field="dependencies",
        expected=ABSENT,
        got=f"{', '.join(told)} and {len(group) - NAMED} more",
        why=f"{len(group)} packages: {group[0].why}",
        fix="uninstall them, or say `package.extra: ignore` in the policy",
    )
