"""One thing in which two environments differ, how grave that is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Level = Literal["error", "warn", "info"]

LEVELS: tuple[Level, ...] = ("error", "warn", "info")
"""The gravest first: an error stops a switch, a warning is recorded, an info is told."""

LONGEST = 200
"""Characters of a value on a line for people; JSON has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """``field`` is the place in a capture, such as ``dependencies.numpy`` or ``cpu.flags``.

    ``level`` counts as long as nobody has shown that the model answers equally; ``proven`` is the
    level once its golden rows have been answered equally on the very machine, where that settles
    anything. ``expected`` and ``got`` are texts for people, ``why`` says why it matters, ``fix``
    what to do.
    """

    level: Level
    proven: Level
    field: str
    expected: str
    got: str
    why: str
    fix: str = ""

    def __str__(self) -> str:
        """One line.

        >>> print(Difference(level="warn", proven="info", field="libc", expected="glibc 2.36",
        ...                  got="musl 1.2", why="another C library rounds otherwise"))
        warn libc: glibc 2.36 -> musl 1.2 (another C library rounds otherwise)
        """
        expected, got = _clipped(self.expected), _clipped(self.got)
        told = f"{self.level} {self.field}: {expected} -> {got} ({self.why})"
        return f"{told}; {self.fix}" if self.fix else told

    def to_json(self) -> dict[str, str]:
        """For ``--json`` and the ledger."""
        return {
            "level": self.level,
            "field": self.field,
            "expected": self.expected,
            "got": self.got,
            "why": self.why,
            "fix": self.fix,
        }


def settled(differences: Iterable[Difference], *, proven: bool) -> tuple[Difference, ...]:
    """The differences at the level that counts, the gravest first.

    ``proven`` says whether the model's golden rows were answered equally where the second
    environment was captured.
    """
    counted = [replace(each, level=each.proven) if proven else each for each in differences]
    return tuple(sorted(counted, key=lambda each: LEVELS.index(each.level)))


def _clipped(value: str) -> str:
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
