"""The scheduler over a real ledger: real processes where processes matter, a moved clock else."""

from __future__ import annotations

import functools
import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import running
from seatrial import extend, workspace
from seatrial.engines._resume import resume
from seatrial.gateway.board import Board
from seatrial.ledger import firings, runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.registry.project import open_project
from seatrial.serve import jobs
from seatrial.serve.scheduler import Scheduler
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.ledger.runs import Run
    from seatrial.registry.project import Project

pytestmark = pytest.mark.slow  # processes of their own

# Jobs are niced: on a busy machine they come last.
until = functools.partial(running.until, within_s=300.0)
PROBE = Path(__file__).parents[1] / "engines" / "third_party"
IMPATIENT_MS = 50
LONG_S = 4_000_000_000
"""Of the machine's clock, by which jobs wait; longer than any clock of a test is moved."""


@dataclass(slots=True)
class Folder:
    """A project folder whose tasks are probes, and the schedulers that look after it."""

    path: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def write(self, script: str, more: str = "", schedule: str = "0 2 * * *") -> None:
        (self.path / "pipeline.yaml").write_text(
            f"name: probing\nschedule: '{schedule}'\n{more}"
            f"stages: [{{name: first, tasks: [probe: {{script: [{script}]}}]}}]\n"
        )

    def open(self) -> Project:
        return open_project(workspace.at(self.path))

    def note(self, time: datetime, state: firings.State = firings.State.FIRED) -> None:
        """What a scheduler noted before it was killed."""
        project = self.open()
        firings.seen(project.ledger, "probing", "0 2 * * *", "UTC")
        assert firings.fire(project.ledger, "probing", time, "a scheduler", state=state)
        project.ledger.close()

    def scheduler(self, *words: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        with (self.path / "scheduler.log").open("ab") as log:
            process = subprocess.Popen(
                (sys.executable, "-m", "seatrial.serve.scheduler", "--folder", self.path, *words),
                stderr=log,
                pass_fds=fds,
            )
        self.processes.append(process)
        return process

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def runs(self) -> list[Run]:
        """Oldest first; none before the ledger is there."""
        if not (self.path / ".seatrial" / "ledger.db").exists():
            return []
        project = self.open()
        try:
            return runs.latest(project.ledger)[::-1]
        finally:
            project.ledger.close()

    def firings(self) -> list[firings.Firing]:
        """The earliest first."""
        project = self.open()
        try:
            return firings.latest(project.ledger, "probing", limit=50)[::-1]
        finally:
            project.ledger.close()

    def finished(self, count: int = 1) -> bool:
        found = self.runs()
        return len(found) == count and all(run.state is State.FINISHED for run in found)

    def calls(self) -> int:
        file = self.path / "calls.txt"
        return len(file.read_text().split()) if file.exists() else 0

    def logged(self, event: str) -> list[dict[str, Any]]:
        file = self.path / "scheduler.log"
        lines = file.read_text().splitlines() if file.exists() else []
        return [told for told in map(json.loads, lines) if told["event"] == event]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        (self.path / "go").touch()  # whatever holds may end
        until(lambda: not jobs.at_work(self.path / ".seatrial"), "the jobs have ended")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    monkeypatch.setenv("PYTHONPATH", str(PROBE))
    made = Folder(tmp_path)
    yield made
    made.end()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(slots=True)
class Timed:
    """A scheduler inside this process, by the test's clock; its jobs are real processes."""

    folder: Folder
    clock: Clock
    scheduler: Scheduler
    said: list[tuple[str, dict[str, Any]]]

    def turn(self) -> float:
        return self.scheduler.turn()

    def settle(self) -> None:
        """Turn until nothing is noted any more and no job is at work."""
        until(lambda: self.turn() > 0 and not self.scheduler._jobs, "the jobs have ended")

    def events(self) -> list[str]:
        return [event for event, _ in self.said]

    def fates(self) -> list[str]:
        return [str(firing.state) for firing in self.folder.firings()]


@pytest.fixture
def timed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timed]:
    monkeypatch.syspath_prepend(str(PROBE))
    _forget_words()
    clock = Clock()
    said: list[tuple[str, dict[str, Any]]] = []
    project = open_project(Workspace(folder.path, folder.path / ".seatrial", clock))
    log = lambda event, **fields: said.append((event, fields))  # noqa: E731
    made = Timed(folder, clock, Scheduler(project, "here:1", log), said)
    yield made
    made.scheduler.end()
    project.ledger.close()
    monkeypatch.undo()
    _forget_words()


def _forget_words() -> None:
    """What was installed is looked up once a process; a test installs more."""
    for known in (extend.names, extend._built_in, extend._installed):
        known.cache_clear()


# times


def test_a_scheduled_run_starts_at_its_time_and_says_so(timed: Timed) -> None:
    timed.folder.write("pass", "timezone: Europe/Berlin\n")
    assert 0 < timed.turn() <= 1
    assert timed.scheduler.told()["next"] == {"probing": "2026-01-01T01:00:00+00:00"}
    timed.clock.move(minutes=59, seconds=59.5)
    assert timed.turn() == 0.5  # sleeps to the deadline, not past it
    timed.clock.move(seconds=0.5)
    timed.settle()
    (run,) = timed.folder.runs()
    (firing,) = timed.folder.firings()
    assert (run.state, run.verdict) == (State.FINISHED, Verdict.PASS)
    assert (firing.state, firing.run, firing.by) == (firings.State.FIRED, run.id, "here:1")
    assert timed.scheduler.told()["next"] == {"probing": "2026-01-02T01:00:00+00:00"}
    with closing(timed.folder.open().ledger) as ledger:
        verify(ledger)


def test_without_schedules_no_time_is_fired(timed: Timed) -> None:
    """Another engine has the schedule."""
    timed.folder.write("pass")
    timed.scheduler.schedules = False
    timed.settle()
    timed.clock.move(days=2)
    timed.settle()
    assert (timed.fates(), timed.folder.runs(), timed.scheduler.next) == ([], [], {})


def test_without_schedules_a_wait_that_is_over_is_gone_on_with(folder: Folder) -> None:
    folder.write("wait 1, pass", schedule="* * * * *")
    assert folder.command("seatrial", "run", "pipeline.yaml").returncode == 4
    folder.scheduler("--no-schedules")
    until(folder.finished, "the run has ended")


def test_a_run_of_the_same_data_is_a_run_of_its_own_each_night(timed: Timed) -> None:
    timed.folder.write("pass")
    for _ in range(3):
        timed.turn()
        timed.clock.move(days=1)
        timed.clock.time = timed.clock.time.replace(hour=2)
        timed.settle()
    assert timed.folder.finished(3)
    noted = [firing.run for firing in timed.folder.firings()]
    assert sorted(filter(None, noted)) == [run.id for run in timed.folder.runs()]


@pytest.mark.parametrize(
    ("catch_up", "fate", "count"), [("skip", "skipped", 0), ("once", "fired", 1)]
)
def test_missed_times(timed: Timed, catch_up: str, fate: str, count: int) -> None:
    timed.folder.write("pass", f"catch_up: {catch_up}\n")
    timed.turn()
    timed.clock.move(days=4, hours=12)
    timed.settle()
    assert timed.fates() == [fate]
    assert len(timed.folder.runs()) == count


def test_times_before_the_file_was_first_seen_are_not_caught_up(timed: Timed) -> None:
    timed.clock.move(hours=12)
    timed.folder.write("pass", "catch_up: once\n")
    timed.turn()
    timed.clock.move(hours=1)
    timed.turn()
    assert timed.fates() == []


def test_an_edited_schedule_does_not_catch_up_its_own_past(timed: Timed) -> None:
    timed.folder.write("pass", "catch_up: once\n", schedule="0 14 * * *")
    timed.turn()
    timed.clock.move(hours=12)
    timed.folder.write("pass", "catch_up: once\n", schedule="0 10 * * *")
    timed.turn()
    assert timed.fates() == []


def test_a_clock_that_goes_back_and_on_again_fires_nothing_twice(timed: Timed) -> None:
    timed.folder.write("pass", "catch_up: once\n", schedule="0 * * * *")
    timed.turn()
    for hours in (1, 1, -2, 1, 1, 1, -3, 3):
        timed.clock.move(hours=hours)
        timed.settle()
    assert [firing.time.hour for firing in timed.folder.firings()] == [1, 2, 3]
    assert timed.folder.finished(3)


# overlap


def _two_nights(timed: Timed, overlap: str) -> tuple[str, Run]:
    """The first run waits when the second night comes; its id, and itself then."""
    timed.folder.write(f"wait {LONG_S}, pass", f"overlap: {overlap}\n")
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    timed.settle()
    (first,) = timed.folder.runs()
    assert first.state is State.WAITING
    timed.clock.time = datetime(2026, 1, 2, 2, tzinfo=UTC)
    timed.settle()
    return first.id, timed.folder.runs()[0]


def test_skip_leaves_the_run_that_waits(timed: Timed) -> None:
    identity, first = _two_nights(timed, "skip")
    assert first.state is State.WAITING
    assert timed.fates() == ["fired", "skipped"]
    assert timed.folder.firings()[1].reason == f"run {identity} has not ended"
    assert len(timed.folder.runs()) == 1


def test_queue_starts_the_next_when_the_last_has_ended(timed: Timed) -> None:
    identity, _ = _two_nights(timed, "queue")
    assert timed.fates() == ["fired", "queued"]
    timed.clock.move(days=1)
    timed.settle()
    assert timed.fates() == ["fired", "queued", "skipped"]
    ledger = timed.scheduler.project.ledger
    runs.end(ledger, identity, State.CANCELLED, None, None)
    (timed.folder.path / "calls.txt").unlink()
    timed.folder.write("pass", "overlap: queue\n")
    timed.settle()
    assert timed.fates() == ["fired", "fired", "skipped"]
    second = timed.folder.runs()[1]
    assert (second.state, second.verdict) == (State.FINISHED, Verdict.PASS)
    assert timed.folder.firings()[1].run == second.id


def test_replace_cancels_the_run_that_waits(timed: Timed) -> None:
    identity, first = _two_nights(timed, "replace")
    assert first.state is State.CANCELLED
    assert first.errors == ("replaced by the scheduled run of 2026-01-02 02:00 UTC",)
    assert timed.fates() == ["replaced", "fired"]
    old, new = timed.folder.firings()
    assert old.run == identity
    assert new.run == timed.folder.runs()[1].id


def test_replace_ends_the_job_at_work(timed: Timed) -> None:
    timed.folder.write("hold", "overlap: replace\n")
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    until(lambda: timed.turn() and timed.folder.calls() == 1, "the first run holds")
    timed.clock.time = datetime(2026, 1, 2, 2, tzinfo=UTC)
    until(lambda: timed.turn() >= 0 and timed.folder.calls() == 2, "the second run holds")
    (timed.folder.path / "go").touch()
    timed.settle()
    assert [run.state for run in timed.folder.runs()] == [State.CANCELLED, State.FINISHED]
    assert timed.fates() == ["replaced", "fired"]


# waits


def test_a_wait_that_is_over_is_gone_on_with_and_not_before(folder: Folder) -> None:
    folder.write("wait 3, pass", schedule="0 0 1 1 *")
    ended = folder.command("seatrial", "run", "pipeline.yaml")
    assert ended.returncode == 4, ended.stderr
    # what runs is what was begun, not what the file says by then
    folder.write("fail", schedule="0 0 1 1 *")
    folder.scheduler()
    until(folder.finished, "the run has ended")
    (run,) = folder.runs()
    assert (run.verdict, folder.calls()) == (Verdict.PASS, 2)
    with closing(folder.open().ledger) as ledger:
        (waiting,) = ledger.events("step_waiting")
        began = [event.at for event in ledger.events("step_started")]
        assert began[1] >= str(waiting.body["until"])


def test_a_manual_run_that_waits_is_not_superseded_by_a_scheduled_one(timed: Timed) -> None:
    timed.folder.write(f"wait {LONG_S}, pass")
    assert timed.folder.command("seatrial", "run", "pipeline.yaml").returncode == 4
    timed.turn()
    timed.clock.move(hours=2)
    timed.settle()
    assert timed.fates() == ["skipped"]


def test_a_run_whose_words_are_gone_is_stopped_not_tried_for_ever(
    timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed.folder.write("wait 1, pass", schedule="0 0 1 2 *")
    assert timed.folder.command("seatrial", "run", "pipeline.yaml").returncode == 4
    timed.clock.time = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.delenv("PYTHONPATH")
    (timed.folder.path / "pipeline.yaml").unlink()
    timed.settle()
    (run,) = timed.folder.runs()
    assert run.state is State.STOPPED
    assert "probe" in run.errors[0]
    timed.turn()
    assert not timed.scheduler._jobs


def test_resuming_what_has_ended_or_never_was(timed: Timed) -> None:
    timed.folder.write("pass")
    assert timed.folder.command("seatrial", "run", "pipeline.yaml").returncode == 0
    (run,) = timed.folder.runs()
    events = len(list(timed.scheduler.project.ledger.events()))
    driven = resume(timed.scheduler.project, run.id)
    assert (driven.exit_code, driven.document["verdict"]) == (0, "pass")
    assert len(list(timed.scheduler.project.ledger.events())) == events
    refused = timed.folder.command("seatrial.serve.job", "resume", "NOPE")
    assert refused.returncode == 2
    assert "no run 'NOPE'" in json.loads(refused.stderr)["errors"][0]


# processes


def test_two_schedulers_on_one_ledger_fire_once(folder: Folder) -> None:
    folder.write("pass", schedule="* * * * *")
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    project = open_project(Workspace(folder.path, folder.path / ".seatrial", lambda: before))
    before = now - timedelta(minutes=1)
    # seen a minute ago, so that the minute that has just begun is due for both at once
    firings.seen(project.ledger, "probing", "* * * * *", "UTC")
    project.ledger.close()
    folder.scheduler(), folder.scheduler()
    until(lambda: folder.firings() and folder.finished(len(folder.firings())), "all have run")
    found = folder.firings()
    assert len({firing.time for firing in found}) == len(found)
    assert [firing.run for firing in found] == [run.id for run in folder.runs()]
    assert folder.calls() == len(found)


def test_fired_and_killed_before_the_start_is_taken_up_by_the_next(folder: Folder) -> None:
    folder.write("pass")
    time = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    folder.note(time)
    folder.scheduler(), folder.scheduler()
    until(folder.finished, "the run has ended")
    (run,) = folder.runs()
    assert [firing.run for firing in folder.firings()] == [run.id]
    assert folder.calls() == 1


def test_kill_9_of_the_job_in_a_step_resumes_that_run(folder: Folder) -> None:
    folder.write("hold")
    folder.note(datetime.now(UTC).replace(microsecond=0))
    folder.scheduler()
    until(lambda: folder.calls() == 1, "the run holds")
    (started,) = folder.logged("job_started")
    os.kill(started["job_pid"], signal.SIGKILL)
    (folder.path / "go").touch()
    until(folder.finished, "the run has ended")
    assert folder.calls() == 2
    _, resumed = folder.logged("job_started")
    assert resumed["subject"] == folder.runs()[0].id


def test_kill_9_of_the_scheduler_leaves_its_job_and_the_next_starts_no_other(
    folder: Folder,
) -> None:
    folder.write("hold")
    folder.note(datetime.now(UTC).replace(microsecond=0))
    first = folder.scheduler()
    until(lambda: folder.calls() == 1, "the run holds")
    first.kill()
    board = Board.create(2)
    folder.scheduler("--board", str(board.fd), "--cell", "1", fds=(board.fd,))
    until(lambda: (board.read(1) or {}).get("beat_us"), "the next looks")
    beat_us = (board.read(1) or {})["beat_us"]
    until(lambda: (board.read(1) or {})["beat_us"] > beat_us, "it looks again")
    (folder.path / "go").touch()
    until(folder.finished, "the run has ended")
    assert folder.calls() == 1
    assert len(folder.logged("job_started")) == 1
    told = board.read(1) or {}
    assert told["pid"] == folder.processes[1].pid
    assert datetime.fromisoformat(told["next"]["probing"]) > datetime.now(UTC)
    board.close()


def test_sigterm_ends_the_job_too_and_the_next_scheduler_resumes_it(folder: Folder) -> None:
    """A run that a person began: nothing but the dead job's note tells that it is owed."""
    folder.write("wait 0.1, hold", schedule="0 0 1 1 *")
    assert folder.command("seatrial", "run", "pipeline.yaml").returncode == 4
    first = folder.scheduler()
    until(lambda: folder.calls() == 2, "the run holds")
    first.terminate()
    assert first.wait(timeout=30) == 0
    until(lambda: not jobs.at_work(folder.path / ".seatrial"), "the job is gone")
    (run,) = folder.runs()
    assert run.state is State.RUNNING
    (folder.path / "go").touch()
    folder.scheduler()
    until(folder.finished, "the run has ended")
    assert folder.calls() == 3


def test_a_run_that_a_person_broke_off_is_left_alone(timed: Timed) -> None:
    timed.folder.write("hold", schedule="0 0 1 2 *")
    person = subprocess.Popen(
        [sys.executable, "-m", "seatrial", "run", "pipeline.yaml"],
        cwd=timed.folder.path,
        stdout=subprocess.DEVNULL,
    )
    until(lambda: timed.folder.calls() == 1, "the run holds")
    person.kill()
    person.wait()
    timed.clock.time = datetime.now(UTC) + timedelta(hours=1)
    timed.turn()
    assert not timed.scheduler._jobs
    (run,) = timed.folder.runs()
    assert run.state is State.RUNNING


def test_it_ends_when_its_parent_is_gone(folder: Folder) -> None:
    folder.write("pass")
    folder.open().ledger.close()
    program = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'seatrial.serve.scheduler',"
        f" '--folder', {str(folder.path)!r}], stderr=sys.stderr)\n"
        "time.sleep(60)\n"
    )
    reading, writing = os.pipe()
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=writing)
    os.close(writing)
    until(lambda: _seen(folder), "it has looked")
    parent.kill()
    parent.wait()
    with open(reading, "rb") as theirs:  # noqa: PTH123 - a pipe: at its end once they are gone
        assert theirs.read() == b""


def _seen(folder: Folder) -> bool:
    with closing(folder.open().ledger) as ledger:
        return any(ledger.events("schedule_seen"))


# what is in the way


def test_a_broken_file_is_told_once_and_the_others_go_on(timed: Timed) -> None:
    timed.folder.write("pass")
    (timed.folder.path / "other.yml").write_text("name: other\nstages: [\n")
    (timed.folder.path / "unrelated.yaml").write_text("a: 1\n")
    (timed.folder.path / "twin.yaml").write_text((timed.folder.path / "pipeline.yaml").read_text())
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    timed.settle()
    assert timed.folder.finished()
    told = [fields for event, fields in timed.said if event == "file_not_usable"]
    assert [Path(fields["file"]).name for fields in told] == ["other.yml", "twin.yaml"]
    assert "probing is also the name of" in told[1]["error"]


def test_a_file_that_cannot_be_planned_skips_its_time(timed: Timed) -> None:
    timed.folder.write("pass")
    text = (timed.folder.path / "pipeline.yaml").read_text()
    (timed.folder.path / "pipeline.yaml").write_text(text.replace("script:", "scirpt:"))
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    timed.settle()
    assert timed.fates() == ["skipped"]
    assert timed.folder.firings()[0].reason == "probe does not know the key 'scirpt'"


def test_a_locked_ledger_only_costs_time(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    timed.folder.write("pass")
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    monkeypatch.setattr("seatrial.ledger.store.BUSY_TIMEOUT_MS", IMPATIENT_MS)
    timed.scheduler.project.ledger.close()  # the next connection is as impatient as the test
    with closing(sqlite3.connect(timed.folder.path / ".seatrial" / "ledger.db")) as rival:
        rival.execute("BEGIN IMMEDIATE")
        assert timed.turn() == 1
        assert timed.events()[-1] == "ledger_unusable"
        rival.rollback()
    timed.settle()
    assert timed.folder.finished()


def test_a_job_that_dies_at_once_is_tried_again_ever_later(
    timed: Timed, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed.folder.write("pass")
    timed.turn()
    timed.clock.time = datetime(2026, 1, 1, 2, tzinfo=UTC)
    now_s = [0.0]
    timed.scheduler.monotonic = lambda: now_s[0]
    working = sys.executable
    monkeypatch.setattr(sys, "executable", "/bin/false")
    for _ in range(200):
        timed.turn()
        if job := timed.scheduler._jobs.get("probing"):
            job[1].wait()
        now_s[0] += 1.0
    pauses = [fields["pause_s"] for event, fields in timed.said if event == "job_ended"]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128]
    monkeypatch.setattr(sys, "executable", working)
    now_s[0] += 600
    timed.settle()
    assert timed.folder.finished()
