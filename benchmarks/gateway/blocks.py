"""Blocks in turn: each lane once a round, the other servers halted, medians over the rounds.

``BENCH_ROUNDS`` and ``BENCH_BLOCK_S`` in the environment shorten a trial: figures that are kept
need the defaults.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import load, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.bodies import Request
    from gateway.load import Sent
    from gateway.server import Server

    Send = Callable[[Server, Request], Sent]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
BLOCK_S = int(os.environ.get("BENCH_BLOCK_S", "2"))
WORKER = "seatrial.gateway.worker"
_WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Lane:
    """What is measured: a server and what it is asked."""

    name: str
    server: Server
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What one block came to; processor time is in microseconds a request.

    ``worker_us`` is the gateway worker alone (0 for others), ``tree_us`` every process of the
    server, its dead ones too.
    """

    sent: Sent
    worker_us: float
    tree_us: float

    @property
    def per_second(self) -> float:
        """Requests answered."""
        return (self.sent.requests - self.sent.failed) / self.sent.seconds


def full(server: Server, request: Request) -> Sent:
    """As many requests as it takes."""
    return load.full(server, request, BLOCK_S)


def in_turn(
    lanes: Sequence[Lane], send: Send = full, rounds: int = ROUNDS
) -> dict[str, list[Block]]:
    """The blocks of every lane, a round after the other."""
    servers = {id(lane.server): lane.server for lane in lanes}.values()
    found: dict[str, list[Block]] = {lane.name: [] for lane in lanes}
    for server in servers:
        tree.halt(server.tree())
    for number in range(rounds):
        # there and back again, so that a slow drift hits none more than the others
        for lane in lanes if number % 2 == 0 else lanes[::-1]:
            tree.proceed(lane.server.tree())
            found[lane.name].append(_block(lane, send))
            tree.halt(lane.server.tree())
    for server in servers:
        tree.proceed(server.tree())
    return found


def _block(lane: Lane, send: Send) -> Block:
    for _ in range(_WARM_UP):
        lane.server.ask(lane.request)
    before = lane.server.tree()
    sent = send(lane.server, lane.request)
    after = lane.server.tree()
    answered = max(sent.requests - sent.failed, 1)
    workers = [tree.cpu_s(tree.running(each, WORKER)) for each in (before, after)]
    return Block(
        sent=sent,
        worker_us=(workers[1] - workers[0]) / answered * 1e6,
        tree_us=(tree.cpu_s(after) - tree.cpu_s(before)) / answered * 1e6,
    )


def middle(blocks: Sequence[Block], of: Callable[[Block], float]) -> float:
    """The median."""
    return statistics.median(of(block) for block in blocks)


def ratio(
    these: Sequence[Block],
    those: Sequence[Block],
    of: Callable[[Block], float],
    of_those: Callable[[Block], float] | None = None,
) -> float:
    """The median of this round's by that round's: a busy minute has hit both."""
    pairs = zip(these, those, strict=True)
    return statistics.median(of(this) / (of_those or of)(that) for this, that in pairs)


def worker_us(block: Block) -> float:
    """Of the gateway worker alone."""
    return block.worker_us


def tree_us(block: Block) -> float:
    """Of all processes."""
    return block.tree_us


def per_second(block: Block) -> float:
    """Throughput."""
    return block.per_second


def failed(blocks: Sequence[Block]) -> int:
    """Requests without an answer."""
    return sum(block.sent.failed for block in blocks)
