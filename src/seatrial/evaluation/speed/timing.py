"""The child that times: ``python -m seatrial.evaluation.speed.timing FOLDER``.

A fresh interpreter with one thread, like a worker of the gateway: what it times is what a worker
does for a request, from the bytes of the body to the bytes of the answer. Both versions answer
the same requests, one right after the other, a coin deciding who goes first: whatever else the
machine does hits both alike.
"""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path
from time import perf_counter, perf_counter_ns

import msgspec

from seatrial.errors import FormError, StoreError
from seatrial.evaluation.speed.asking import (
    QUESTION,
    REPLY,
    Body,
    Failed,
    Kind,
    Times,
    TimingQuestion,
    TimingReply,
)
from seatrial.evaluation.speed.waiting import Waiting, own_ns
from seatrial.inference import v2
from seatrial.inference.served import Served
from seatrial.ledger.blobs import Blobs

WARM_UP_S = 0.1
"""How long each version answers each kind of request before anything counts."""

MOST_WARM_UP = 50

TOO_LONG_S = 5.0
"""Larger requests are not asked when, by the smaller ones, one of them would take longer."""

ENOUGH_S = 60.0
"""No round begins later than this after the first."""


def main(folder: Path) -> None:
    """Answer the question in the folder."""
    question = msgspec.msgpack.decode((folder / QUESTION).read_bytes(), type=TimingQuestion)
    (folder / REPLY).write_bytes(msgspec.msgpack.encode(timed(question)))


def timed(question: TimingQuestion) -> TimingReply:
    """Open, warm up, ask."""
    read = Blobs(Path(question.blobs)).get
    try:
        versions = [
            Served.open(each.model, each.version, each.digest, read) for each in question.versions
        ]
    except (StoreError, FormError) as error:
        return TimingReply({}, waiting_known=False, blocked=str(error))
    kinds: list[Kind] = []
    per_row_s = 0.0
    for kind in question.kinds:
        if per_row_s * kind.rows > TOO_LONG_S:
            break
        per_row_s = 0.0
        for place, served in enumerate(versions):
            took_s = _warm_up(served, kind.bodies[place])
            if isinstance(took_s, str):
                return TimingReply({}, waiting_known=False, failed=Failed(place, took_s))
            per_row_s = max(per_row_s, took_s / kind.rows)
        kinds.append(kind)
    waiting = Waiting()
    times = _rounds(question, kinds, versions, waiting)
    return TimingReply(times, waiting_known=waiting.known)


def answer(served: Served, body: Body) -> None:
    """What a worker does for a request."""
    asked = v2.decode(body.content, body.json_length, served)
    v2.encode(asked, served, asked.id, served.answer(asked.features))


def tried(served: Served, body: Body) -> str:
    """What the version raised over a request, in a line; empty when it answered."""
    try:
        answer(served, body)
    except Exception as error:  # noqa: BLE001 - whatever a model raises: the gateway says 500
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ""


def _warm_up(served: Served, bodies: list[Body]) -> float | str:
    """How long the last answer took, in seconds; a sentence when there was none."""
    began = perf_counter()
    took_s = 0.0
    for count in range(MOST_WARM_UP):
        before = perf_counter()
        failed = tried(served, bodies[count % len(bodies)])
        if failed:
            return failed
        took_s = perf_counter() - before
        if perf_counter() - began > WARM_UP_S:
            break
    return took_s


def _rounds(
    question: TimingQuestion, kinds: list[Kind], versions: list[Served], waiting: Waiting
) -> dict[int, Times]:
    times = {kind.rows: Times([], [[] for _ in versions], [[] for _ in versions]) for kind in kinds}
    spent_s = dict.fromkeys(times, 0.0)
    coin = random.Random(question.seed)  # noqa: S311 - who goes first is no secret
    # What lives now lives as long as a worker; the rest is collected between rounds.
    gc.collect()
    gc.freeze()
    gc.disable()
    for number in range(question.rounds):
        for kind in kinds:
            share_s = kind.budget_s * (number + 1) / question.rounds
            for count in range(kind.most):
                if count >= kind.least and spent_s[kind.rows] >= share_s:
                    break
                began = perf_counter()
                _pair(versions, kind, times[kind.rows], number, waiting, coin)
                spent_s[kind.rows] += perf_counter() - began
        gc.collect()
        if sum(spent_s.values()) > ENOUGH_S:
            break
    return times


def _pair(
    versions: list[Served],
    kind: Kind,
    times: Times,
    number: int,
    waiting: Waiting,
    coin: random.Random,
) -> None:
    """Every version answers one request, in an order that is drawn."""
    which = len(times.round) % len(kind.bodies[0])
    for place in coin.sample(range(len(versions)), len(versions)):
        served, body = versions[place], kind.bodies[place][which]
        waited = waiting.total_ns()
        began = perf_counter_ns()
        answer(served, body)
        wall = perf_counter_ns() - began
        times.wall[place].append(wall)
        times.own[place].append(own_ns(wall, waiting.total_ns() - waited))
    times.round.append(number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
