"""Several processes on one project: one performs, the others wait and say for whom."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.ledger import claims, runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify

THIRD_PARTY = Path(__file__).parent / "third_party"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .conftest import Probing

pytestmark = pytest.mark.slow  # processes of their own


@pytest.fixture
def start(probing: Probing) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `seatrial run` in a process of its own; none outlives its test."""
    started: list[subprocess.Popen[str]] = []

    def run(*more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "seatrial", "run", "pipeline.yaml", *more],
            cwd=probing.folder,
            env={**os.environ, "PYTHONPATH": str(THIRD_PARTY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def _line(process: subprocess.Popen[str], beginning: str) -> str:
    """The next line of a process that begins so."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return line.strip()
    raise AssertionError(f"{beginning!r} was never said")


def test_a_second_run_waits_for_the_running_step_and_says_for_whom(
    probing: Probing, start: Callable[..., subprocess.Popen[str]]
) -> None:
    probing.write("first: hold", "second: pass")
    one = start()
    _until(probing.calls)
    two = start()
    (run,) = runs.latest(probing.open().ledger)
    told = _line(two, "waiting for")
    assert told == (f"waiting for run {run.id} of probing, step first.probe (pid {one.pid})")
    (probing.folder / "go").touch()
    for process in (one, two):
        output, _ = process.communicate(timeout=30)
        assert process.returncode == 0, output
    assert probing.calls() == ["first.probe", "second.probe"]
    ledger = probing.open().ledger
    assert [r.id for r in runs.latest(ledger)] == [run.id]
    assert len(list(ledger.events("run_ended"))) == 1
    verify(ledger)


def test_other_settings_wait_too_and_then_take_over(
    probing: Probing, start: Callable[..., subprocess.Popen[str]]
) -> None:
    probing.write("first: hold", "second: pass")
    one = start()
    _until(probing.calls)
    two = start("--set", "second.probe.note=other")
    _line(two, "waiting for")
    (probing.folder / "go").touch()
    output, _ = one.communicate(timeout=30)
    assert (one.returncode, "superseded by run" in output) == (5, True), output
    output, _ = two.communicate(timeout=30)
    assert two.returncode == 0, output
    ledger = probing.open().ledger
    assert [r.state for r in runs.latest(ledger)] == [State.FINISHED, State.SUPERSEDED]
    verify(ledger)


def test_a_killed_owner_frees_the_lock_at_once(
    probing: Probing, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """The second goes on with the very step, without waiting for a lease."""
    probing.write("first: pass; hold", "second: pass")
    one = start()
    _until(lambda: len(probing.calls()) == 2)
    two = start()
    _line(two, "waiting for")
    killed = time.monotonic()
    one.kill()
    _until(lambda: len(probing.calls()) == 3)
    assert time.monotonic() - killed < claims.LEASE_S / 4
    (probing.folder / "go").touch()
    output, _ = two.communicate(timeout=30)
    assert two.returncode == 0, output
    assert probing.calls().count("first.probe") == 1
    assert one.wait() == -signal.SIGKILL
    ledger = probing.open().ledger
    finished = [event.body["step"] for event in ledger.events("step_finished")]
    assert finished == ["first.probe", "first.probe-2", "second.probe"]
    verify(ledger)


def test_a_killed_waiter_takes_nothing_with_it(
    probing: Probing, start: Callable[..., subprocess.Popen[str]]
) -> None:
    probing.write("first: hold", "second: pass")
    one = start()
    _until(probing.calls)
    two = start()
    _line(two, "waiting for")
    two.kill()
    assert two.wait() == -signal.SIGKILL
    (probing.folder / "go").touch()
    output, _ = one.communicate(timeout=30)
    assert one.returncode == 0, output
    assert probing.calls() == ["first.probe", "second.probe"]
    with (probing.folder / ".seatrial" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free at once
    verify(probing.open().ledger)


def test_nothing_is_held_during_a_wait(
    probing: Probing, start: Callable[..., subprocess.Popen[str]]
) -> None:
    probing.write("first: wait 3600, pass")
    one = start("--wait")
    assert "traffic is collected" in _line(one, "first.probe: waits until")
    with (probing.folder / ".seatrial" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    two = start()
    output, _ = two.communicate(timeout=30)
    assert (two.returncode, "waiting until" in output) == (4, True), output
    assert one.poll() is None
