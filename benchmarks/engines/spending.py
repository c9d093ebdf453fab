"""What a run costs on an engine: wall, the processor time of all that takes part, memory."""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import tree
from measuring import Cost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SETTLED_S = 0.5
IDLE_S = 3.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Rival:
    """``run`` performs one run, and tells what its own processes cost; ``servers`` take part.

    Where a process makes several runs and tells of one, ``runs`` says how many. One that is
    ``long`` is measured once.
    """

    name: str
    run: Callable[[], Cost]
    servers: tuple[int, ...] = ()
    runs: int = 1
    long: bool = False


def halt(servers: Iterable[int]) -> None:
    """Let the servers of others use nothing while one engine is measured."""
    for server in servers:
        tree.halt(tree.of(server))


def one_run(rival: Rival) -> Cost:
    """A run; its servers work meanwhile, and are halted again afterwards."""
    _awake(rival.servers)
    before = _cpu_s(rival.servers)
    own = rival.run()
    served_s = (_cpu_s(rival.servers) - before) / rival.runs
    halt(rival.servers)
    return Cost(wall_s=own.wall_s, cpu_s=own.cpu_s + served_s)


def peak_mb(rival: Rival, servers: Iterable[int]) -> float:
    """The most memory that everything of a run had at a time; ``servers`` are everybody's.

    Looking takes processor time itself: such a run is not timed.
    """
    found: list[float] = [0.0]
    over = threading.Event()
    others = set(servers) - set(rival.servers)

    def look() -> None:
        while not over.wait(LOOK_S):
            found.append(_mb(others))

    _awake(rival.servers)
    looking = threading.Thread(target=look)
    looking.start()
    try:
        rival.run()
    finally:
        over.set()
        looking.join()
        halt(rival.servers)
    return max(found)


def idle_share(servers: Sequence[int]) -> float:
    """The share of one core that an engine's servers use while there is nothing to do."""
    _awake(servers)
    before = _cpu_s(servers)
    time.sleep(IDLE_S)
    used_s = _cpu_s(servers) - before
    halt(servers)
    return used_s / IDLE_S


def median(costs: Sequence[Cost]) -> Cost:
    """The middle of each."""
    return Cost(
        wall_s=statistics.median(each.wall_s for each in costs),
        cpu_s=statistics.median(each.cpu_s for each in costs),
    )


def _awake(servers: Sequence[int]) -> None:
    for server in servers:
        tree.proceed(tree.of(server))
    if servers:
        time.sleep(SETTLED_S)  # what they do at once because they were halted is not the run's


def _cpu_s(servers: Iterable[int]) -> float:
    return sum(tree.cpu_s(tree.of(server)) for server in servers)


def _mb(others: Iterable[int]) -> float:
    me = os.getpid()
    strangers = {each.pid for other in others for each in tree.of(other)} | {me}
    total = 0.0
    for each in tree.of(me):
        if each.pid not in strangers:
            total += _pss_mb(each)
    return total


def _pss_mb(process: tree.Process) -> float:
    try:
        return tree.pss_mb(process)
    except OSError:  # it ended just now
        return 0.0
