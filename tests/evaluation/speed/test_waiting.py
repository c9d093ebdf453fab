"""The kernel says how long a process wanted a processor that others had."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from seatrial.evaluation.speed.waiting import Waiting, children, own_ns


@pytest.mark.parametrize(
    ("wall", "waited", "own"),
    [
        (100, 0, 100),
        (100, 40, 60),
        (100, 100, 0),
        (100, 101, 100),  # it waited beside the clock, not within
        (100, -5, 100),  # a process that was counted is gone
    ],
)
def test_what_was_waited_within_the_time_is_taken_off(wall: int, waited: int, own: int) -> None:
    assert own_ns(wall, waited) == own


def test_two_on_one_processor_wait_for_each_other() -> None:
    waiting = Waiting()
    if not waiting.known:
        pytest.skip("this kernel does not count it")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as rival:
            before, ends = waiting.total_ns(), time.monotonic() + 10
            while waiting.total_ns() == before and time.monotonic() < ends:
                sum(range(10_000))
            rival.kill()
        assert waiting.total_ns() > before
    finally:
        os.sched_setaffinity(0, allowed)
        waiting.close()


def test_a_process_that_answers_for_a_version_counts_too() -> None:
    waiting = Waiting()
    if not waiting.known:
        pytest.skip("this kernel does not count it")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children()
        waiting.follow()
        assert waiting.total_ns() >= 0
        child.communicate(b"\n")
    # it is gone: what it waited is no longer told, and nothing breaks
    assert waiting.total_ns() >= 0
    waiting.close()
