"""What a check says: frozen values, shared by every layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping  # noqa: TC003 - msgspec reads annotations at run time
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - likewise
from enum import StrEnum


class Verdict(StrEnum):
    """``fail`` is evidence of harm, ``pass`` evidence of none beyond the margin."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    SKIP = "skip"

    @property
    def lets_through(self) -> bool:
        """Whether the next task may run."""
        return self in {Verdict.PASS, Verdict.SKIP}


class Direction(StrEnum):
    """On which side of its limit a value must lie."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number that decides, with one-sided 95 % bounds and the limit that it is held against.

    ``value``, ``low``, ``high`` and ``limit`` share one unit; ``n`` counts the rows behind them.
    A measure that was skipped has no value.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    direction: Direction = Direction.AT_LEAST
    n: int = 0
    verdict: Verdict = Verdict.SKIP


def judge(low: float, high: float, limit: float, direction: Direction) -> Verdict:
    """Verdict of an interval against a limit: inconclusive while it straddles the limit.

    >>> judge(0.83, 0.86, 0.82, Direction.AT_LEAST)
    <Verdict.PASS: 'pass'>
    >>> judge(0.02, 0.07, 0.05, Direction.AT_MOST)
    <Verdict.INCONCLUSIVE: 'inconclusive'>
    """
    if direction is Direction.AT_MOST:
        low, high, limit = -high, -low, -limit
    if low >= limit:
        return Verdict.PASS
    return Verdict.FAIL if high < limit else Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found: what, where (dataset, column, row), and what to do about it."""

    what: str
    where: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a task said; ``facts`` are small values for later tasks, ``blobs`` kept evidence."""

    verdict: Verdict
    reason: str
    measures: tuple[Measure, ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    blobs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A task cannot say yet: come back at ``until`` (UTC). It holds no thread meanwhile."""

    until: datetime
    reason: str


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict over several: fail > inconclusive > pass; only skips give skip.

    >>> combine([Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.SKIP])
    <Verdict.INCONCLUSIVE: 'inconclusive'>
    """
    seen = set(verdicts)
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS):
        if verdict in seen:
            return verdict
    return Verdict.SKIP
