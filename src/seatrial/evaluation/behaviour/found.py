"""What a check of behaviour found: its measure, and each fault with the rows that show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.outcome import Direction, Finding, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

TOLD = 20
"""Faults of one check that are told; the rest is counted."""

ROWS_TOLD = 5
"""Rows of one fault that are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that a model does wrong: ``rows`` show it (positions from 0), in ``column``.

    ``refused`` says that it gave no answer at all.
    """

    what: str
    column: str = ""
    rows: tuple[int, ...] = ()
    hint: str = ""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What checks found; ``ok`` when nothing speaks against the model."""

    measures: tuple[Measure, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every measure lets through; what is not settled does not."""
        return all(measure.verdict.lets_through for measure in self.measures)

    def __str__(self) -> str:
        """Each fault on a line of its own, so that ``assert found.ok, str(found)`` reads well."""
        return "\n".join(finding.what for finding in self.findings("")) or "nothing was found"

    def __add__(self, other: Found) -> Found:
        return Found(self.measures + other.measures, self.faults + other.faults)

    def findings(self, place: str, numbers: Sequence[int] | None = None) -> tuple[Finding, ...]:
        """The faults as findings at ``place``, such as ``dataset validation_data``.

        ``numbers`` are the numbers of the rows there, counted from 1, by position; without them
        the rows are numbered as they were given.
        """
        return tuple(_finding(fault, place, numbers) for fault in self.faults)


def counted(word: str, offending: int, n: int, faults: Iterable[Fault] = ()) -> Found:
    """A check that allows no offence: ``offending`` of ``n`` answers.

    >>> counted("finite", 0, 10).measures[0].verdict.value
    'pass'
    """
    return Found(
        (
            Measure(
                name=named(word),
                value=float(offending),
                limit=0.0,
                direction=Direction.AT_MOST,
                n=n,
                verdict=Verdict.FAIL if offending else Verdict.PASS,
            ),
        ),
        _first([*faults], word),
    )


def skipped(word: str, why: str = "", limit: float | None = 0.0) -> Found:
    """A check that does not apply; ``why`` is told when it is not plain to see."""
    measure = Measure(name=named(word), value=None, limit=limit, direction=Direction.AT_MOST)
    return Found((measure,), (Fault(what=why),) if why else ())


def named(word: str) -> str:
    """The name of a check's measure."""
    return f"behaviour.{word}"


def positions(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Where a mask ``[n]`` is true.

    >>> positions(np.array([False, True]))
    (1,)
    """
    return tuple(np.flatnonzero(mask).tolist())


def _first(faults: list[Fault], word: str) -> tuple[Fault, ...]:
    if len(faults) <= TOLD:
        return tuple(faults)
    rest = Fault(what=f"{word}: {len(faults) - TOLD} more like these")
    return (*faults[:TOLD], rest)


def _finding(fault: Fault, place: str, numbers: Sequence[int] | None) -> Finding:
    shown = fault.rows[:ROWS_TOLD]
    rows = ", ".join(str(numbers[row] if numbers is not None else row + 1) for row in shown)
    if rows:
        more = len(fault.rows) - len(shown)
        many = "s" if len(fault.rows) > 1 else ""
        rows = f" (row{many} {rows}{f' and {more} more' if more else ''})"
    column = f"column {fault.column}" if fault.column else ""
    where = ", ".join(part for part in (place, column) if part)
    return Finding(what=fault.what + rows, where=where, hint=fault.hint)
