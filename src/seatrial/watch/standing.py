"""How does the version that serves stand, by the guardrails of one gateway?"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import SeatrialError
from seatrial.watch.guardrails import MINUTE_S, Guard, Minute, Sample, looks_slow
from seatrial.watch.versions import answered, open_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.inference.served import Served
    from seatrial.registry.project import Project
    from seatrial.watch import Gauge
    from seatrial.watch.followed import Followed
    from seatrial.watch.sampling import Drawn, Sampling

ASIDE = 20
"""Drawn answers that are kept for measuring both versions side by side."""

ROUNDS = 3
"""How often each of them is answered by each version, in turn."""

FEWEST_REQUESTS = 100
"""What the version before must have answered, for its failures and its time to be known."""


@dataclass(slots=True)
class Standing:
    """One version in production, since this gateway's watcher first saw it there."""

    model: str
    version: int
    before: int | None
    guard: Guard
    sampling: Sampling
    before_us: float | None = None
    _before: Served | None = None
    _times: Sequence[int] = ()
    _minute_s: float | None = None
    _aside: deque[Drawn] = field(default_factory=lambda: deque(maxlen=ASIDE))

    @classmethod
    def begin(
        cls,
        gauge: Gauge,
        model: str,
        version: int,
        before: int | None,
        errors_percent: float,
        sampling: Sampling,
    ) -> Standing:
        """What the version before did at this gateway is what is usual."""
        guard, before_us = Guard(errors_percent), None
        if before is not None:
            usual = gauge.vitals(model, before)
            requests = usual.answered + usual.faults
            if requests >= FEWEST_REQUESTS:
                guard = Guard(errors_percent, 100 * usual.faults / requests)
                before_us = gauge.p99_us(gauge.times(model, before))
        standing = cls(model, version, before, guard, sampling, before_us)
        standing._times = gauge.times(model, version)
        return standing

    def look(
        self,
        project: Project,
        gauge: Gauge,
        now_s: float,
        followed: Followed | None,
        *,
        newest: bool = True,
    ) -> str:
        """Once a second: what is wrong, in one sentence; empty when nothing is.

        Workers serve all models, so that they died is only held against what is ``newest`` among
        those that serve.
        """
        vitals = gauge.vitals(self.model, self.version)
        return (
            self.guard.look(vitals if newest else replace(vitals, crashed=0))
            or self.guard.answers(self._sample(project, now_s, followed))
            or self._minute(project, gauge, now_s)
        )

    def _sample(self, project: Project, now_s: float, followed: Followed | None) -> Sample:
        """A few of the newest answers, and how many of them are broken."""
        rows = nan = nan_before = 0
        for drawn in self.sampling.draw():
            ours = ~drawn.answer.finite
            rows, nan = rows + len(ours), nan + int(ours.sum())
            if followed is not None:
                nan_before += int((ours & followed.beside(drawn)).sum())
            elif ours.any():
                nan_before += int((ours & self._beside(project, drawn)).sum())
            self._aside.append(drawn)
        return Sample(at_s=now_s, rows=rows, nan=nan, nan_before=nan_before)

    def _beside(self, project: Project, drawn: Drawn) -> NDArray[np.bool_]:
        """[n] where the version before gives a broken answer too; none when it gives none."""
        none = np.zeros(len(drawn.time_us), dtype=np.bool_)
        if self.before is None:
            return none
        try:
            if self._before is None:
                self._before = open_version(project, self.model, self.before)
        except SeatrialError:
            return none  # what cannot be opened excuses nothing
        theirs = answered(self._before.columns, drawn.features)
        return none if theirs is None else ~theirs.finite

    def _minute(self, project: Project, gauge: Gauge, now_s: float) -> str:
        """Once a minute: how long the answers took."""
        if self._minute_s is None:
            self._minute_s = now_s
        if now_s - self._minute_s < MINUTE_S:
            return ""
        self._minute_s = now_s
        seen = gauge.times(self.model, self.version)
        # while a worker that died is replaced, its counts may be missing
        times = [max(new, old) for new, old in zip(seen, self._times, strict=True)]
        passed = [new - old for new, old in zip(times, self._times, strict=True)]
        self._times = times
        p99_us = gauge.p99_us(passed)
        if p99_us is None:
            return ""
        ratio = None
        if looks_slow(p99_us, self.before_us):
            ratio = self._side_by_side(project)
        told = Minute(answers=sum(passed), p99_us=p99_us, before_us=self.before_us, ratio=ratio)
        return self.guard.minute(told)

    def _side_by_side(self, project: Project) -> float | None:
        """How many times as long this version takes as the one before, here and now."""
        if self.before is None or not self._aside:
            return None
        try:
            mine = open_version(project, self.model, self.version)
            theirs = open_version(project, self.model, self.before)
        except SeatrialError:
            return None  # what cannot be opened cannot be compared
        took: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(ROUNDS):
            for drawn in self._aside:
                for own, version in ((True, mine), (False, theirs)):
                    seconds = _seconds(version, drawn)
                    if seconds is None:
                        return None
                    took[own].append(seconds)
        return median(took[True]) / max(median(took[False]), 1e-9)


def _seconds(version: Served, drawn: Drawn) -> float | None:
    """How long a version takes for the first of some rows; None when it cannot answer it."""
    row = {name: column[:1] for name, column in drawn.features.items()}
    began = time.perf_counter()
    answer = answered(version.columns, row)
    return None if answer is None else time.perf_counter() - began
