"""Several machines with one project: each has its home, its locks and its clock; the ledger is one.

A machine is a process with a home of its own. The project lies in one folder, as it would lie at
one path on each machine; its words note each call of theirs (``tests/faults/fleet``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios import until
from seatrial import workspace
from seatrial.ledger import runs
from seatrial.ledger.blobs import Blobs
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = Path(__file__).parents[1] / "faults" / "fleet"
MACHINE = WORDS / "machine.py"
PATIENCE_S = 120.0
SHORT = ("--lease", "2")
"""How a machine is started for which another one waits but seconds when it died."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a machine's command ended, what it printed, and all that it said."""

    code: int
    out: str
    said: str


@dataclass(slots=True)
class Fleet:
    """The project's folder, the shared ledger, and what is at work."""

    folder: Path
    database: str
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        """The test looks at the ledger as one more machine."""
        self.ledger = Ledger(self.database, workspace.now)

    def write(self, *tasks: str, name: str = "fleet", more: str = "") -> None:
        """A pipeline of one stage with these tasks, each in the words of the file."""
        lines = [f"name: {name}", more, "stages:", "  - name: work", "    tasks:"]
        lines += [f"      - {task}" for task in tasks]
        self.file.write_text("\n".join(line for line in lines if line) + "\n")

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.yaml"

    def start(
        self,
        home: str,
        *words: str,
        how: tuple[str, ...] = (),
        database: str | None = None,
        folder: Path | None = None,
        within: tuple[str, ...] = (),
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """``words`` on the machine with that home; ``how`` are the options of ``machine.py``.

        ``folder`` is the project's on that machine, where it is another one; the words ``within``
        lead into its network; ``variables`` go into its environment.
        """
        process = subprocess.Popen(
            [*within, sys.executable, "-u", str(MACHINE), *how, *words],
            cwd=folder or self.folder,
            env={
                **os.environ,
                "SEATRIAL_HOME": str(self.folder.parent / home),
                "SEATRIAL_DATABASE": database or self.database,
                "PYTHONPATH": str(WORDS),
                **(variables or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if "--json" in words else subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process

    def run(
        self,
        home: str,
        *how: str,
        database: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """``seatrial run`` there."""
        words = ("run", self.file.name)
        return self.start(home, *words, how=how, database=database, variables=variables)

    def go(self) -> None:
        """Let what is held go on."""
        (self.folder / "go").touch()

    def calls(self) -> Counter[str]:
        """How often each step has begun."""
        return Counter(address for address, _, what in self._noted() if what == "begins")

    def begun(self, step: str, times: int = 1) -> None:
        """Wait until a step was called so often."""
        until(lambda: self.calls()[step] >= times, f"{step} begins", PATIENCE_S)

    def said(self, process: subprocess.Popen[str], beginning: str) -> str:
        """Read on until a machine says a line that begins so."""
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(beginning):
                return line.strip()
        raise AssertionError(f"{beginning!r} was never said")

    def at_once(self) -> int:
        """How many calls were under way at the same time, at most."""
        now = most = 0
        for _, _, what in self._noted():
            now += 1 if what == "begins" else -1
            most = max(most, now)
        return most

    def runs(self) -> list[runs.Run]:
        """Oldest first."""
        return runs.latest(self.ledger)[::-1]

    def finished(self) -> Counter[str]:
        """How often each step was recorded as done."""
        return Counter(str(event.body["step"]) for event in self.ledger.events("step_finished"))

    def staged(self) -> int | None:
        """The version of the model ``m`` in staging."""
        channel = Registry(self.ledger, Blobs(self.folder)).channel("m", "staging")
        return channel.version if channel else None

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()
        self.ledger.close()

    def _noted(self) -> list[list[str]]:
        file = self.folder / "calls.txt"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []


def end(process: subprocess.Popen[str]) -> Ended:
    """Wait for it."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ended(process.returncode, out, out + (err or ""))


def demand_one_pass(fleet: Fleet, steps: int) -> None:
    """One run, that passed; each step was recorded once."""
    (run,) = fleet.runs()
    assert (run.state, run.verdict) == (runs.State.FINISHED, Verdict.PASS)
    finished = fleet.finished()
    assert (len(finished), set(finished.values())) == (steps, {1})
    assert len([*fleet.ledger.events("run_ended")]) == 1
    verify(fleet.ledger)
