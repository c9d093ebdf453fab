"""What one request says about the candidate: both versions answer it, in turn, in one process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evidence.agreement import Tally, agreement
from seatrial.evidence.times import Times
from seatrial.inference.answer import Answer
from seatrial.inference.parity import parity
from seatrial.traffic import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.served import Served
    from seatrial.inference.signature import Signature
    from seatrial.traffic.record import Prediction

REASON_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Rivals:
    """The version in production and the candidate; ``variance`` is that of the target."""

    production: Served
    candidate: Served
    variance: float

    def score(self, asked: Prediction, *, candidate_first: bool) -> Tally:
        """What to add to the tally for one request that production answered.

        Whoever goes second finds the caches warm, so they take turns at going first.
        """
        columns = record.features_of(asked, self.production.signature)
        served = record.answer_of(asked, self.production.signature)
        if candidate_first:
            mine = _answer(self.candidate, columns, asked.rows)
            again = _answer(self.production, columns, asked.rows)
        else:
            again = _answer(self.production, columns, asked.rows)
            mine = _answer(self.candidate, columns, asked.rows)
        noise = Tally(
            unlike=int(again.answer is None or not parity(served, again.answer).ok),
            production_us=Times() if again.answer is None else Times.of(again.took_us),
        )
        return noise + self._judged(served, mine, asked.rows)

    def _judged(self, served: Answer, mine: _Said, rows: int) -> Tally:
        if mine.answer is None:
            return failed(mine.reason)
        agreed = agreement(
            served,
            mine.answer,
            variance=self.variance,
            classes=self.production.signature.classes,
            candidate_classes=self.candidate.signature.classes,
        )
        times = Times.of(mine.took_us)
        if agreed.nan:
            return Tally(reached=1, nan=1, candidate_us=times)
        return Tally(
            reached=1,
            compared=1,
            rows=rows,
            disagreed=agreed.disagreed,
            difference=agreed.difference,
            candidate_us=times,
        )


def failed(reason: str) -> Tally:
    """A request that the candidate failed."""
    return Tally(reached=1, errors=1, reasons={reason: 1})


@dataclass(frozen=True, slots=True)
class _Said:
    """An answer and its time, or why there is none."""

    answer: Answer | None
    took_us: float = 0.0
    reason: str = ""


def _answer(version: Served, columns: Mapping[str, NDArray[Any]], rows: int) -> _Said:
    try:
        given = _given(version, columns)
        began = time.perf_counter_ns()
        answer = version.answer(given)
        took_us = (time.perf_counter_ns() - began) / 1000
        wrong = _wrong(answer, version.signature, rows)
    except Exception as error:  # noqa: BLE001 - whatever a candidate raises is what we came to count
        return _Said(None, reason=reason_of(error))
    return _Said(None, reason=wrong) if wrong else _Said(answer, took_us)


def reason_of(error: BaseException) -> str:
    """What was raised, in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:REASON_LENGTH]


def _given(version: Served, columns: Mapping[str, NDArray[Any]]) -> Any:
    """The request's columns as this version reads them, which may be in another order, or fewer.

    A column that production was not asked with is missing: the candidate cannot answer today's
    requests, which is an error of its own.
    """
    names = [each.name for each in version.signature.inputs]
    if absent := [name for name in names if name not in columns]:
        told = ", ".join(map(repr, absent))
        raise LookupError(f"it reads {told}, which production's requests do not have")
    if not version.numbers_only:
        return {name: columns[name] for name in names}
    stacked = np.column_stack([columns[name] for name in names])
    return np.ascontiguousarray(stacked, dtype=np.float32)


def _wrong(answer: object, signature: Signature, rows: int) -> str:
    """What is wrong with the form of an answer; empty when nothing is."""
    if not isinstance(answer, Answer):
        return f"answered a {type(answer).__name__}"
    label, table = answer.label, answer.probabilities
    if label.shape != (rows,):
        return f"answered labels of the shape {list(label.shape)} to {rows} rows"
    if signature.problem == "numbers":
        return "" if label.dtype.kind == "f" else f"answered {label.dtype} instead of numbers"
    wanted = (rows, len(signature.classes))
    if table is None or table.shape != wanted or table.dtype.kind != "f":
        found = "none" if table is None else f"{table.dtype} of the shape {list(table.shape)}"
        return f"answered probabilities of the shape {list(wanted)} by {found}"
    return ""
