"""Has something gone wrong with a version that needs no statistics? Faults, NaN, crashes, delay."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE_S = 60.0
CRASHES = 3
CRASHES_WITHIN_S = 180.0
"""So many workers that died within so long are no accident."""

FEWEST = 5
"""Fewer faults or missing answers in a minute are told by the counts, and move nothing."""

SLOW_MINUTES = 3
"""Minutes in a row that must all have been slow."""

TIMES = 2.0
PLUS_US = 5_000
"""A minute is slow when 99 % of the answers took more than so many times as long as the version
before did, and so much longer."""

SIDE_BY_SIDE = 1.5
"""And when the version also takes so many times as long on the same rows in the same process: a
slow machine is not a slow version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What a version has done so far, all workers together; the counts only grow.

    ``at_s`` is monotonic. ``crashed`` are workers that died; ``faults`` requests that the version
    failed (those refused for what the client sent are no faults).
    """

    at_s: float
    answered: int
    faults: int
    crashed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The newest logged answers: how many, and how many of them are NaN.

    ``at_s`` is monotonic. ``nan_before`` says on how many of those the version before answers NaN
    too.
    """

    at_s: float
    rows: int
    nan: int
    nan_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """One minute's answers: their 99 % quantile in microseconds, and how many they were.

    ``before_us`` is that of the version before, while it served; None where it is not known.
    ``ratio`` is how many times as long the version takes as the one before on the same rows, side
    by side; None when that was not measured.
    """

    answers: int
    p99_us: float
    before_us: float | None
    ratio: float | None


@dataclass(slots=True)
class Guard:
    """The last minutes of one version; ``errors_percent`` is what it may fail.

    ``usual_percent`` is what the version before failed: requests that nobody can answer are not
    held against its successor.
    """

    errors_percent: float
    usual_percent: float = 0.0
    _vitals: deque[Vitals] = field(default_factory=deque)
    _samples: deque[Sample] = field(default_factory=deque)
    _slow: int = 0

    @property
    def limit_percent(self) -> float:
        """The most failed requests in a minute: what is allowed beside what was usual."""
        return self.errors_percent + self.usual_percent

    def look(self, vitals: Vitals) -> str:
        """What is wrong by the counts, in one sentence; empty when nothing is.

        >>> guard = Guard(errors_percent=1)
        >>> guard.look(Vitals(at_s=0, answered=500, faults=0, crashed=0))
        ''
        >>> guard.look(Vitals(at_s=1, answered=590, faults=10, crashed=0))
        '10 of 100 requests failed within a minute (at most 1 %)'
        """
        known = self._vitals
        if known:
            vitals = _grown(known[-1], vitals)
        known.append(vitals)
        while known[0].at_s < vitals.at_s - CRASHES_WITHIN_S:
            known.popleft()
        crashed = vitals.crashed - known[0].crashed
        if crashed >= CRASHES:
            return f"{crashed} workers died within {CRASHES_WITHIN_S:g} s"
        since = next(each for each in known if each.at_s >= vitals.at_s - MINUTE_S)
        faults = vitals.faults - since.faults
        requests = vitals.answered - since.answered + faults
        return self._beyond(faults, requests, "requests failed within a minute")

    def answers(self, sample: Sample) -> str:
        """What is wrong with the answers of the last minute; empty when nothing is.

        >>> guard = Guard(errors_percent=1)
        >>> guard.answers(Sample(at_s=0, rows=3, nan=3, nan_before=0))
        ''
        >>> guard.answers(Sample(at_s=1, rows=3, nan=3, nan_before=0))
        '6 of 6 answers within a minute were NaN or infinite (at most 1 %)'
        """
        known = self._samples
        known.append(sample)
        while known[0].at_s < sample.at_s - MINUTE_S:
            known.popleft()
        own = sum(each.nan - each.nan_before for each in known)
        rows = sum(each.rows for each in known)
        return self._beyond(own, rows, "answers within a minute were NaN or infinite")

    def minute(self, minute: Minute) -> str:
        """What is wrong with the time of the last minutes; empty when nothing is.

        >>> slow = Minute(answers=100, p99_us=90_000, before_us=2_000, ratio=40)
        >>> guard = Guard(errors_percent=1)
        >>> guard.minute(slow), guard.minute(slow)
        ('', '')
        >>> guard.minute(slow)
        '99 % of the answers took up to 90 ms for 3 minutes (2 ms before, 40 times side by side)'
        """
        if not minute.answers:
            return ""  # nobody asked: neither slow nor quick
        self._slow = self._slow + 1 if is_slow(minute) else 0
        if self._slow < SLOW_MINUTES:
            return ""
        before = "" if minute.before_us is None else f"{minute.before_us / 1000:.3g} ms before, "
        return (
            f"99 % of the answers took up to {minute.p99_us / 1000:.3g} ms for {self._slow}"
            f" minutes ({before}{minute.ratio:.3g} times side by side)"
        )

    def _beyond(self, bad: int, total: int, what: str) -> str:
        limit = self.limit_percent
        if bad < FEWEST or 100 * bad <= limit * total:
            return ""
        return f"{bad} of {total} {what} (at most {limit:.3g} %)"


def _grown(before: Vitals, now: Vitals) -> Vitals:
    """Counts that seem to shrink, while a worker that died is replaced, have not grown."""
    return Vitals(
        at_s=max(before.at_s, now.at_s),
        answered=max(before.answered, now.answered),
        faults=max(before.faults, now.faults),
        crashed=max(before.crashed, now.crashed),
    )


def looks_slow(p99_us: float, before_us: float | None) -> bool:
    """Whether it is worth measuring both versions side by side."""
    return before_us is None or p99_us > TIMES * before_us + PLUS_US


def is_slow(minute: Minute) -> bool:
    """Whether a minute was slow, and not for the machine's sake alone."""
    needed = TIMES if minute.before_us is None else SIDE_BY_SIDE
    slower = minute.ratio is not None and minute.ratio > needed
    return slower and looks_slow(minute.p99_us, minute.before_us)


def quantile_us(bounds_us: Iterable[int], counts: Iterable[int], share: float) -> float | None:
    """The time that this share of the answers did not exceed, by a histogram; None of none.

    ``bounds_us`` are the upper ends of all bins but the last, ``counts`` the answers in each;
    within a bin the answers are taken to be spread evenly.

    >>> quantile_us((100, 200), (90, 10, 0), 0.99)
    190.0
    """
    numbers = list(counts)
    wanted, seen, low = share * sum(numbers), 0.0, 0
    if not wanted:
        return None
    for high, count in zip((*bounds_us, None), numbers, strict=True):
        if count and seen + count >= wanted:
            return float(low if high is None else low + (high - low) * (wanted - seen) / count)
        seen += count
        low = low if high is None else high
    return float(low)
