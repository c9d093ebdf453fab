"""Many runs of ten steps that do nothing, and the workers that share them; some are killed."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import ROOT
from seatrial import plan as plans
from seatrial import workspace
from seatrial.engines import Work
from seatrial.engines._begin import begin
from seatrial.ledger import runs
from seatrial.ledger.verify import verify
from seatrial.pipeline.read import read_file
from seatrial.registry.project import open_project
from seatrial.workspace import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.registry.project import Project

STEPS = 10
KILL_EVERY_S = (2.0, 3.0)
WORKER = Path(__file__).with_name("worker.py")
WORDS = ROOT / "tests" / "faults" / "fleet"
"""What knows the word ``toil``, each call of which is noted in a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How it went: what was lost or doubled, and what it took.

    ``wrong`` counts runs that did not pass and steps that were not recorded just once; ``calls``
    is how often a step was begun, which a killed worker may do in vain.
    """

    wrong: int
    steps: int
    calls: int
    kills: int
    wall_s: float
    cpu_s: float


def share(folder: Path, count: int, workers: int, seed: int | None) -> Shared:
    """Begin the runs, have the workers perform them, look what became of them.

    With a ``seed`` one worker is killed every two or three seconds, and started again at once.
    The environment says where the ledger is.
    """
    project = _made(folder, count)
    began = time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    kills = _performed(folder, workers, seed)
    wall_s = time.perf_counter() - began
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        verify(project.ledger)
        return Shared(
            wrong=_wrong(project, count),
            steps=count * STEPS,
            calls=(folder / "calls.txt").read_text(encoding="utf-8").count(" begins\n"),
            kills=kills,
            wall_s=wall_s,
            cpu_s=now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
        )
    finally:
        project.ledger.close()


def _made(folder: Path, count: int) -> Project:
    """As many pipelines as runs: of one pipeline a later run would replace the one before."""
    folder.mkdir()
    sys.path.insert(0, str(WORDS))
    project = open_project(workspace.at(folder))
    for number in range(count):
        file = folder / f"pipeline_{number}.yaml"
        lines = [f"name: nothing_{number}", "stages:", "  - name: only", "    tasks:"]
        file.write_text("\n".join([*lines, *["      - toil"] * STEPS, ""]), encoding="utf-8")
        plan = plans.make(read_file(file), folder)
        begin(Work(project, plan, lambda _line: None))
    return project


def _performed(folder: Path, workers: int, seed: int | None) -> int:
    """Until every worker has found nothing more to do; how many were killed."""
    alive = {f"home_{number}": _start(folder, number) for number in range(workers)}
    chance = random.Random(seed)  # noqa: S311 - the same each time
    kills, next_s = 0, time.monotonic() + chance.uniform(*KILL_EVERY_S)
    try:
        while alive:
            time.sleep(0.02)
            for home, process in [*alive.items()]:
                if process.poll() == 0:
                    del alive[home]
                elif process.returncode not in {None, -signal.SIGKILL}:
                    raise RuntimeError(f"a worker ended with {process.returncode}")
            if seed is not None and alive and time.monotonic() >= next_s:
                home = chance.choice([*alive])
                alive[home].kill()
                alive[home].wait()
                kills += 1
                alive[home] = _start(folder, int(home.rpartition("_")[2]), kills)
                next_s = time.monotonic() + chance.uniform(*KILL_EVERY_S)
    finally:
        for process in alive.values():
            process.kill()
            process.wait()
    return kills


def _start(folder: Path, number: int, life: int = 0) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(WORDS)}
    if DATABASE in env:  # else the ledger is in the one home that there is
        env["SEATRIAL_HOME"] = str(folder / f"home_{number}")
    command = [sys.executable, str(WORKER), str(folder), str(1000 * life + number)]
    return subprocess.Popen(command, cwd=folder, env=env)


def _wrong(project: Project, count: int) -> int:
    found = runs.latest(project.ledger, limit=2 * count)
    failed = sum(run.verdict != "pass" for run in found) + abs(len(found) - count)
    return failed + sum(times != 1 for times in _times(project, [run.id for run in found]))


def _times(project: Project, of: list[str]) -> Iterator[int]:
    """How often each step of each run was recorded as done."""
    done = Counter(
        (str(event.body["run"]), str(event.body["step"]))
        for event in project.ledger.events("step_finished")
    )
    for run in of:
        for step in runs.steps(project.ledger, run):
            yield done.pop((run, step.address), 0)
    yield from done.values()  # of no step that there is
