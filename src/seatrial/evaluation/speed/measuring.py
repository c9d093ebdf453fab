"""What does a version take to answer, beside another, and within which limits?"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError, nearest
from seatrial.evaluation.speed import measures as said
from seatrial.evaluation.speed.asking import MemoryReply, TimingReply
from seatrial.evaluation.speed.child import Died, asked
from seatrial.evaluation.speed.rivals import (
    ONE_ROW,
    memory_question,
    missing,
    rivals,
    timing_question,
)
from seatrial.evaluation.speed.settling import MORE, Timed, settled
from seatrial.ledger.bringing import bring
from seatrial.outcome import Direction, Finding, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.speed.limits import Speed
    from seatrial.evaluation.speed.rivals import Rival
    from seatrial.registry.registry import Registry, Version

TIMEOUT_S = 120.0
"""How long a child may take for all that it is asked."""

NEAR = 0.1
"""Memory that lies so near its limit, by share, is weighed again: it differs a little each time."""

AGAIN = 2
BUSY = 0.02
"""Interrupted requests, by share, that are worth a word."""

_TIMED_AGAIN = Finding(
    what=f"the first timing left something open; {MORE} more agree, and the last one is told",
    hint="other work on this machine can do that: the bounds are closer where nothing else runs",
)

_MB = 2**20
_CHILDREN = "seatrial.evaluation.speed"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A version did not answer, and why; ``place`` 0 is the candidate."""

    place: int
    why: str


def measure(
    registry: Registry,
    candidate: Version,
    production: Version | None,
    rows: Labelled,
    speed: Speed,
    *,
    seed: int,
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Latency, throughput, memory and size of ``candidate``, as the gateway would serve it.

    Beside ``production``, where there is one, in the same minute on the same requests, which are
    made of ``rows``. A candidate that does not answer fails. StoreError when production does not,
    or a file is damaged; and when the rows lack a column that production reads, if the limits ask
    for the comparison by themselves: else a finding tells that there was none.
    """
    told: list[Finding] = []
    if production is not None and (absent := missing(registry, production, rows)):
        told.append(_not_compared(production, absent, rows, speed))
        production = None
    versions = [candidate] if production is None else [candidate, production]
    asked_all = rivals(registry, versions, rows, seed)
    blobs = str(_lying_here(registry, versions))
    weights = _weights(blobs, asked_all, speed.memory_mb)
    reply = weights if isinstance(weights, Unanswered) else timed(blobs, asked_all, seed)
    if isinstance(reply, Unanswered):
        if reply.place:
            what = f"{versions[reply.place]} cannot be timed: {reply.why}"
            raise StoreError(Mistake(what, where=f"dataset {rows.dataset}"))
        return _unanswered(speed, candidate, reply.why, rows.dataset)
    assert not isinstance(weights, Unanswered)  # else there would be no reply
    first = Timed(reply, _judged(reply, speed))
    counts = settled(first, partial(_again, blobs, asked_all, speed, seed))
    if counts is not first:
        told.append(_TIMED_AGAIN)
    found = (*counts.measures, *_needs(weights, speed))
    return found, (*told, *_findings(counts.reply, found))


def _judged(reply: TimingReply, speed: Speed) -> tuple[Measure, ...]:
    compared = len(reply.times[ONE_ROW.rows].own) > 1
    return (
        *said.one_row(reply.times, speed.latency),
        *said.beside(reply.times, speed.latency, compared=compared),
        *said.batches(reply.times, speed.throughput.rows_per_s, compared=compared),
    )


def _again(blobs: str, asked_all: tuple[Rival, ...], speed: Speed, seed: int) -> Timed | None:
    """Another timing; None when this time there was no answer."""
    reply = timed(blobs, asked_all, seed)
    return None if isinstance(reply, Unanswered) else Timed(reply, _judged(reply, speed))


def _lying_here(registry: Registry, versions: list[Version]) -> Path:
    """The folder from which children open the versions: what they measure is not how they came."""
    for version in versions:
        bring(registry.blobs, version.digest, str(version))
    return registry.blobs.folder


def _weights(
    blobs: str, asked_all: tuple[Rival, ...], limit_mb: float | None
) -> list[list[MemoryReply]] | Unanswered:
    """What each version weighs; the candidate several times when it lies near its limit."""
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                asked(f"{_CHILDREN}.memory", memory_question(blobs, rival), TIMEOUT_S)
            )
            for rival in asked_all
        ]
        replies = [
            _weighed(child.reply(MemoryReply), place) for place, child in enumerate(children)
        ]
    weights: list[list[MemoryReply]] = []
    for reply in replies:
        if isinstance(reply, Unanswered):
            return reply
        weights.append([reply])
    if limit_mb is None or abs(weights[0][0].memory / _MB - limit_mb) > NEAR * limit_mb:
        return weights
    for _ in range(AGAIN):
        with asked(f"{_CHILDREN}.memory", memory_question(blobs, asked_all[0]), TIMEOUT_S) as child:
            again = _weighed(child.reply(MemoryReply), 0)
        if isinstance(again, Unanswered):
            return again
        weights[0].append(again)
    return weights


def _weighed(reply: MemoryReply | Died, place: int) -> MemoryReply | Unanswered:
    if isinstance(reply, Died):
        return Unanswered(place, reply.how)
    if reply.blocked:
        raise StoreError(Mistake(reply.blocked))
    return Unanswered(place, reply.failed) if reply.failed else reply


def timed(blobs: str, asked_all: tuple[Rival, ...], seed: int) -> TimingReply | Unanswered:
    """All of them in turn, in a child; StoreError when they cannot be opened."""
    question = timing_question(blobs, asked_all, seed)
    with asked(f"{_CHILDREN}.timing", question, TIMEOUT_S) as child:
        reply = child.reply(TimingReply)
    if isinstance(reply, Died):
        # Each has answered alone before: what killed both together is nobody's fault for sure.
        raise StoreError(Mistake(f"the answers could not be timed: {reply.how}"))
    if reply.blocked:
        raise StoreError(Mistake(reply.blocked))
    return Unanswered(reply.failed.place, reply.failed.why) if reply.failed else reply


def _needs(weights: list[list[MemoryReply]], speed: Speed) -> Iterator[Measure]:
    mine, *others = weights
    yield said.needed("memory_mb", [each.memory / _MB for each in mine], speed.memory_mb)
    yield said.needed("size_mb", [mine[0].size / _MB], speed.size_mb)
    for (theirs,) in others:
        yield said.needed("memory_mb.production", [theirs.memory / _MB], None)
        yield said.needed("size_mb.production", [theirs.size / _MB], None)


def _unanswered(
    speed: Speed, candidate: Version, why: str, dataset: str
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    failed = Measure(
        name="latency_ms.p95",
        value=None,
        limit=speed.latency.p95_ms,
        direction=Direction.AT_MOST,
        verdict=Verdict.FAIL,
    )
    finding = Finding(
        what=f"{candidate} does not answer: {why}",
        where=f"dataset {dataset}",
        hint="the gateway would answer such requests with an error",
    )
    return (failed,), (finding,)


def _not_compared(production: Version, absent: list[str], rows: Labelled, speed: Speed) -> Finding:
    where = f"dataset {rows.dataset}"
    what = f"{production} reads {absent[0]!r}, which {rows.dataset} does not have"
    fix = "add the column, so that both versions can be asked the same requests"
    if speed.latency.times is not None or speed.latency.plus_ms is not None:
        close = nearest(absent[0], rows.features)
        raise StoreError(Mistake(what, where=where, nearest=close, fix=fix))
    return Finding(what=f"times were not compared: {what}", where=where, hint=fix)


def _findings(reply: TimingReply, found: Iterable[Measure]) -> Iterator[Finding]:
    """What the machine did meanwhile, and what would settle what is open."""
    if not reply.waiting_known:
        yield Finding(
            what="this kernel does not tell when others had the processor: all times hold theirs",
            hint="time where /proc/thread-self/schedstat counts, or while nothing else runs",
        )
    share = said.interrupted(reply.times[ONE_ROW.rows])
    if share >= BUSY:
        yield Finding(
            what=f"others had the processor during {share:.0%} of the requests of one row; that"
            " time is not counted, but in latency_wall_ms",
            hint="where nothing else runs, the bounds are closer",
        )
    for each in found:
        if each.verdict is Verdict.INCONCLUSIVE:
            yield Finding(what=f"{each.name} is not settled: {_told(each)}", hint=_settles(each))


def _told(each: Measure) -> str:
    high = "unbounded" if each.high is None else f"{each.high:.3g}"
    return f"between {each.low or 0:.3g} and {high}, limit {each.limit:g}"


def _settles(each: Measure) -> str:
    if each.name == "memory_mb":
        return "it differs that much from time to time: set a limit that is farther away"
    if each.high is None:
        return "it answers so slowly that too few requests could be timed: raise or drop the limit"
    return "run again while the machine has less to do, or set a limit that is farther away"
