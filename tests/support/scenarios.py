"""What every engine must do with a pipeline, and how a test drives an engine.

A *shop* is a project folder whose tasks are probes (``tests/engines/third_party``). A *driver*
starts runs of it on one real engine and looks at them as a user of that engine would.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

THIRD_PARTY = Path(__file__).parents[1] / "engines" / "third_party"
PATIENCE_S = 180.0


def until(true: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Look again until something is so; what it gave."""
    ends = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < ends, f"{what}: not within {within_s} s"
        time.sleep(0.2)
    return found


def pipeline(name: str, *stages: str, **settings: str) -> str:
    """The text of a pipeline of these stages, each ``NAME [if CONDITION]: SCRIPT; SCRIPT``."""
    lines = [f"name: {name}", *(f"{key}: {value}" for key, value in settings.items()), "stages:"]
    for stage in stages:
        head, _, scripts = stage.partition(":")
        of_stage, _, condition = head.partition(" if ")
        lines.append(f"  - name: {of_stage}")
        if condition:
            lines.append(f"    condition: {condition}")
        lines.append("    tasks:")
        lines += [f"      - probe: {{script: [{s.strip()}]}}" for s in scripts.split(";")]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Shop:
    """A project folder with one pipeline of probes, called ``name``."""

    folder: Path
    name: str

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.yaml"

    def write(self, *stages: str, **settings: str) -> None:
        self.file.write_text(pipeline(self.name, *stages, **settings))

    def environment(self) -> Mapping[str, str]:
        """What a call of seatrial needs beside its words."""
        return {**os.environ, "PYTHONPATH": str(THIRD_PARTY)}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seatrial", *words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def export(self, engine: str, output: Path) -> Path:
        done = self.command("export", engine, self.file.name, "-o", str(output))
        assert done.returncode == 0, done.stderr
        return output

    def calls(self) -> list[str]:
        """The addresses of the probes that were called, in order."""
        file = self.folder / "calls.txt"
        return file.read_text().split() if file.exists() else []

    def runs(self) -> list[dict[str, Any]]:
        """Every run, oldest first."""
        told: list[dict[str, Any]] = json.loads(self.command("runs", "--json").stdout)
        return [self.told(run["run"]) for run in reversed(told)]

    def told(self, run: str) -> dict[str, Any]:
        """One run as a document."""
        document: dict[str, Any] = json.loads(self.command("runs", run, "--json").stdout)
        return document

    def performing(self) -> list[int]:
        """The processes that perform a step of this shop now."""
        return list(_processes(self.folder))

    def kill_the_performing(self) -> None:
        for pid in until(self.performing, "a step is performed"):
            os.kill(pid, signal.SIGKILL)


def _processes(folder: Path) -> Iterator[int]:
    """Those that are ``seatrial step`` in that folder."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"seatrial", b"step"] and (entry / "cwd").samefile(folder):
                yield int(entry.name)
        except OSError:
            continue  # it has ended meanwhile, or is not ours


@dataclass(frozen=True, slots=True)
class Seen:
    """An engine's own view of one of its runs.

    ``state`` is ``succeeded``, ``failed``, ``skipped`` or ``waiting`` (no process is held, and
    somebody comes back). ``text`` is whatever the engine shows of it: logs, artefacts, links.
    """

    state: str
    text: str = ""


class Driver(Protocol):
    """Runs a shop's pipeline on one engine, whose servers it starts as it is made."""

    def prepare(self, shop: Shop) -> None:
        """Export the pipeline, and make the engine know it (again, after a change)."""

    def start(self, shop: Shop, *changes: str) -> str:
        """Start a run of the engine with these ``--set``; its name. Does not wait for it."""

    def seen(self, shop: Shop, run: str) -> Seen | None:
        """How that run of the engine stands; ``None`` while it is at work."""

    def again(self, shop: Shop, run: str) -> str:
        """What a user does after an approval, or to go on: clear, run again; the run to look at."""

    def close(self) -> None:
        """End whatever it has started."""


@dataclass(slots=True)
class Play:
    """A driver and a shop, as the scenarios use them."""

    driver: Driver
    shop: Shop
    started: list[str] = field(default_factory=list)

    def prepare(self, *stages: str, **settings: str) -> None:
        self.shop.write(*stages, **settings)
        self.driver.prepare(self.shop)

    def start(self, *changes: str) -> str:
        return self.driver.start(self.shop, *changes)

    def ended(self, run: str) -> Seen:
        """Wait for the end of an engine's run (waits included)."""

        def over() -> Seen | None:
            seen = self.driver.seen(self.shop, run)
            return None if seen is None or seen.state == "waiting" else seen

        found: Seen = until(over, f"the end of {run}")
        return found

    def waits(self, run: str) -> Seen:
        found: Seen = until(
            lambda: (s := self.driver.seen(self.shop, run)) and s.state == "waiting" and s,
            f"{run} waits",
        )
        return found

    def go(self) -> None:
        """Let the probes pass that ``hold`` or ``look``."""
        (self.shop.folder / "go").touch()

    def finish(self, *changes: str) -> tuple[Seen, dict[str, Any]]:
        """Start a run, and wait for it; what the engine shows, and the only run that there is."""
        seen = self.ended(self.start(*changes))
        (told,) = self.shop.runs()
        return seen, told


def verdicts(told: Mapping[str, Any]) -> list[str | None]:
    """The verdicts of a run's tasks, in order."""
    return [task["verdict"] for stage in told["stages"] for task in stage["tasks"]]
