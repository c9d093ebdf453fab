"""The candidate on traffic that was recorded: what a shadow test would have counted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evidence.agreement import Tally, agreement
from seatrial.evidence.course import Course, Moment
from seatrial.evidence.times import Times
from seatrial.inference.answer import Answer
from seatrial.inference.parity import parity
from seatrial.registry.opened import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from seatrial.inference.opening import Answers
    from seatrial.registry.registry import Registry, Version
    from seatrial.traffic.recorded import Recorded

    Columns = Mapping[str, NDArray[Any]]

TIMED_ROWS = 1000
"""Rows that are answered one by one by both versions, for their times and for the noise."""

REASON_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Scored:
    """Both versions of a test on recorded traffic; ``variance`` is that of the target."""

    candidate: Answers
    serving: Answers
    variance: float

    @classmethod
    def open(
        cls, registry: Registry, candidate: Version, serving: Version, variance: float
    ) -> Scored:
        """Open both; their files are verified."""
        return cls(opened(registry, candidate), opened(registry, serving), variance)

    def tally(
        self,
        batches: Iterable[Recorded],
        drawn: Callable[[str], bool],
        clock: Callable[[], float] = time.perf_counter,
    ) -> tuple[Tally, Course]:
        """Count over the whole log, and batch by batch; ``drawn`` says what the candidate answers.

        Every row counts as one request. ``clock`` is in seconds.
        """
        total, course, until_us = Tally(), Course(), 0
        for batch in batches:
            total += Tally(seen=len(batch.ids))
            chosen = np.array([drawn(identity) for identity in batch.ids], dtype=np.bool_)
            if not chosen.any():
                continue
            columns = {name: values[chosen] for name, values in batch.features.items()}
            total += Tally(sampled=int(chosen.sum()))
            served = _rows(batch.answer, chosen)
            timed = min(TIMED_ROWS - total.production_us.n, len(served.label))
            total += self._timed(columns, served, timed, clock)
            total += self._answered(columns, served)
            # the files of several gateways reach over each other
            until_us = max(until_us, int(batch.at_us.max()))
            course = course.later(Moment.of(until_us, total.to_json()))
        return total, course

    def _answered(self, columns: Columns, served: Answer) -> Tally:
        """All rows at once; when that fails, by halves, so that only the culprits are errors."""
        rows = len(served.label)
        try:
            mine = self.candidate.predict(columns)
        except Exception as error:  # noqa: BLE001 - whatever a candidate raises is what we came to count
            if rows == 1:
                said = " ".join(f"{type(error).__name__}: {error}".split())[:REASON_LENGTH]
                return Tally(reached=1, errors=1, reasons={said: 1})
            first = np.arange(rows) < rows // 2
            return self._part(columns, served, first) + self._part(columns, served, ~first)
        return self._compared(served, mine)

    def _part(self, columns: Columns, served: Answer, chosen: NDArray[np.bool_]) -> Tally:
        part = {name: values[chosen] for name, values in columns.items()}
        return self._answered(part, _rows(served, chosen))

    def _compared(self, served: Answer, mine: Answer) -> Tally:
        broken = served.finite & ~mine.finite
        nan, whole = int(broken.sum()), int((~broken).sum())
        if not whole:
            return Tally(reached=nan, nan=nan)
        agreed = agreement(
            _rows(served, ~broken),
            _rows(mine, ~broken),
            variance=self.variance,
            classes=self.serving.signature.classes,
            candidate_classes=self.candidate.signature.classes,
        )
        return Tally(
            reached=nan + whole,
            nan=nan,
            compared=whole,
            rows=whole,
            disagreed=agreed.disagreed * whole,
            difference=agreed.difference * whole,
        )

    def _timed(
        self, columns: Columns, served: Answer, rows: int, clock: Callable[[], float]
    ) -> Tally:
        """Row by row and in turn, as requests come."""
        total = Tally()
        for row in range(rows):
            given = {name: values[row : row + 1] for name, values in columns.items()}
            if row % 2 == 0:
                _, candidate_us = _answered(self.candidate, given, clock)
                again, production_us = _answered(self.serving, given, clock)
            else:
                again, production_us = _answered(self.serving, given, clock)
                _, candidate_us = _answered(self.candidate, given, clock)
            one = _rows(served, np.arange(len(served.label)) == row)
            total += Tally(
                unlike=int(again is None or not parity(one, again).ok),
                candidate_us=candidate_us,
                production_us=production_us,
            )
        return total


def _answered(
    model: Answers, given: Columns, clock: Callable[[], float]
) -> tuple[Answer | None, Times]:
    """One answer and its time; nothing when it fails, which is counted elsewhere."""
    began = clock()
    try:
        answer = model.predict(given)
    except Exception:  # noqa: BLE001 - whatever a candidate raises is what we came to count
        return None, Times()
    return answer, Times.of((clock() - began) * 1e6)


def _rows(answer: Answer, chosen: NDArray[np.bool_]) -> Answer:
    kept = None if answer.probabilities is None else answer.probabilities[chosen]
    return Answer(answer.label[chosen], kept)
