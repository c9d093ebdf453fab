"""Latency bounds on a busy machine: the same file beside itself, and beside slower ones.

A version is judged beside itself while programs that never rest keep one processor busy, or all
but none free; then versions that make more multiplications are, and how much slower they are is
measured while nothing else runs.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.latency import Yard, busy, interrupted, judged
from measuring import Figure
from seatrial.evaluation.speed.beside import ALIKE
from seatrial.evaluation.speed.limits import Latency
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.evaluation.speed.asking import TimingReply
    from seatrial.registry.registry import Version

REPETITIONS = 50
STEPS = 60
"""Multiplications of the version that is in production: about half of the time of a request."""

MORE = (1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)
"""How many times as many the slower ones make."""

TRIES = 10
LIMITS = (1.1, 1.5)
"""Of ``times``: times production's own, at p50 and p95."""

ROOM = 1.5
"""How many times the quiet p95 the absolute limit is."""

MOST_OPEN = 0.1


def figures() -> list[Figure]:
    """Flips and open verdicts under load, then the slowdowns that are found."""
    with tempfile.TemporaryDirectory() as scratch:
        yard = Yard.at(Path(scratch))
        usual = yard.version(STEPS)
        quiet = [yard.timed(usual, usual, seed) for seed in range(5)]
        p95_ms = statistics.median(_value(reply, "latency_ms.p95") for reply in quiet)
        found: list[Figure] = []
        processors = os.cpu_count() or 1
        for programs, called in (
            (processors - 1, "all processors but one busy"),
            (processors, "all processors busy"),
        ):
            with busy(programs):
                replies = [yard.timed(usual, usual, seed) for seed in range(REPETITIONS)]
            found += _same_file(replies, called, p95_ms)
        with busy(processors - 1):
            found += _slower(yard, usual)
        return found


def _same_file(replies: list[TimingReply], called: str, p95_ms: float) -> Iterator[Figure]:
    share = statistics.median(interrupted(reply) for reply in replies)
    detail = f"{called}; {len(replies)} repetitions; {share:.1%} of the requests interrupted"
    for times in LIMITS:
        verdicts = [
            _worst(reply, Latency(times=times), "latency_ratio.p50", "latency_ratio.p95")
            for reply in replies
        ]
        name = f"the same file, at most {times:g} times"
        yield from _counted(verdicts, name, detail, usual=times == LIMITS[-1])
    limited = Latency(p95_ms=ROOM * p95_ms)
    verdicts = [_worst(reply, limited, "latency_ms.p95") for reply in replies]
    room = f"{detail}; the limit is {ROOM:g} times its quiet p95, {p95_ms:.3f} ms"
    yield from _counted(verdicts, "the same file, p95 in ms", room, usual=True)
    apart = max(abs(_value(reply, "latency_ratio.p50") - 1) for reply in replies)
    yield Figure(
        name=f"the same file beside itself, p50, {called}",
        value=100 * apart,
        unit="% apart at most",
        goal=f"within the {ALIKE:.0%} that no bound claims",
        met=apart <= ALIKE,
        detail=detail,
    )


def _counted(verdicts: list[Verdict], name: str, detail: str, *, usual: bool) -> Iterator[Figure]:
    """Those that failed, and those that were left open; ``usual`` limits leave few open."""
    failed = verdicts.count(Verdict.FAIL)
    unsettled = verdicts.count(Verdict.INCONCLUSIVE) / len(verdicts)
    yield Figure(
        name=f"{name}: fails",
        value=failed,
        unit="of the repetitions",
        goal="0",
        met=failed == 0,
        detail=detail,
    )
    yield Figure(
        name=f"{name}: not settled",
        value=100 * unsettled,
        unit="%",
        goal="at most 10 %" if usual else "",
        met=unsettled <= MOST_OPEN if usual else None,
        detail=detail,
    )


def _slower(yard: Yard, usual: Version) -> Iterator[Figure]:
    """Each slowdown beside each limit, with one processor left free."""
    for more in MORE:
        slow = yard.version(round(STEPS * more))
        replies = [yard.timed(slow, usual, seed) for seed in range(TRIES)]
        ratio = statistics.median(_value(reply, "latency_ratio.p50") for reply in replies)
        for times in LIMITS:
            verdicts = [
                _worst(reply, Latency(times=times), "latency_ratio.p50", "latency_ratio.p95")
                for reply in replies
            ]
            passed = verdicts.count(Verdict.PASS)
            beyond = ratio > times
            yield Figure(
                name=f"{ratio:.2f} times as slow, at most {times:g} times: found",
                value=100 * verdicts.count(Verdict.FAIL) / TRIES,
                unit="%",
                goal="never passed" if beyond else "",
                met=passed == 0 if beyond else None,
                detail=f"all processors but one busy; {TRIES} tries; passed {passed}",
            )


def _worst(reply: TimingReply, latency: Latency, *names: str) -> Verdict:
    measures = judged(reply, latency)
    verdicts = [measures[name].verdict for name in names]
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    return next(verdict for verdict in order if verdict in verdicts)


def _value(reply: TimingReply, name: str) -> float:
    value = judged(reply, Latency())[name].value
    assert value is not None
    return value


if __name__ == "__main__":
    for figure in figures():
        mark = {True: "met", False: "NOT MET", None: ""}[figure.met]
        print(f"{figure.name}: {figure.value:.3g} {figure.unit} {figure.goal} {mark}")
        print(f"  {figure.detail}")
