"""What a check says: frozen values, shared by every layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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


def as_json_can_say(outcome: Outcome) -> Outcome:
    """The same without numbers that are not finite, which JSON does not have.

    A bound or limit that is infinite is none. A value is not dropped unsaid: a finding names it.

    >>> measures = (Measure(name="kl.delay", value=math.inf, low=0.5, high=math.inf),)
    >>> said = as_json_can_say(Outcome(verdict=Verdict.FAIL, reason="moved", measures=measures))
    >>> said.measures[0].value, said.measures[0].low, said.measures[0].high
    (None, 0.5, None)
    >>> said.findings[0].what
    'kl.delay is infinity, which cannot be kept as a number'
    """
    odd = [each for each in outcome.measures if not _is_finite(each.value)]
    said = tuple(
        Finding(what=f"{each.name} is {_word(each.value)}, which cannot be kept as a number")
        for each in odd
    )
    return replace(
        outcome,
        measures=tuple(
            replace(
                each,
                value=_finite(each.value),
                low=_finite(each.low),
                high=_finite(each.high),
                limit=_finite(each.limit),
            )
            for each in outcome.measures
        ),
        findings=(*outcome.findings, *said),
        facts={name: _sayable(value) for name, value in outcome.facts.items()},
    )


def _is_finite(value: float | None) -> bool:
    return value is None or math.isfinite(value)


def _finite(value: float | None) -> float | None:
    return value if _is_finite(value) else None


def _word(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "not a number"
    return "infinity" if value > 0 else "minus infinity"


def _sayable(value: object) -> object:
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, Mapping):
        return {key: _sayable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(each) for each in value]
    return value


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
