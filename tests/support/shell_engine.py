"""The least engine: a loop over ``seatrial begin`` and ``seatrial step``, as a shell has it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scenarios import PATIENCE_S, Seen

if TYPE_CHECKING:
    from scenarios import Shop

TRIES = 3
PAUSE_S = 0.5


@dataclass(slots=True)
class Loop:
    """One run of the loop, in a thread."""

    shop: Shop
    name: str
    changes: tuple[str, ...]
    steps: tuple[str, ...]
    state: str | None = None
    said: list[str] = field(default_factory=list)

    def run(self) -> None:
        sets = [word for change in self.changes for word in ("--set", change)]
        begun = self._insist("begin", "pipeline.yaml", "--engine", "shell", "--once", self.name,
                             *sets)  # fmt: skip
        if begun is None or begun["state"] == "skipped":
            self.state = "failed" if begun is None else "skipped"
            return
        ended = "succeeded"
        for step in self.steps:
            told = self._insist("step", begun["run"], step)
            if told is None or told["exit_code"] != 0:
                ended = "failed"
        self.state = ended

    def _insist(self, *words: str) -> dict[str, Any] | None:
        """Call; again when something is in the way, and when a wait is over."""
        tries = 0
        while tries < TRIES:
            done = subprocess.run(
                [sys.executable, "-m", "seatrial", *words, "--json"],
                cwd=self.shop.folder, env=self.shop.environment(), capture_output=True,
                text=True, check=False, timeout=120,
            )  # fmt: skip
            self.said += [done.stdout, done.stderr]
            told = json.loads(done.stdout) if done.stdout.startswith("{") else None
            if told is None:
                if done.returncode in {2, 70}:
                    return None
                tries += 1
                time.sleep(PAUSE_S)
            elif told["state"] in {"waiting", "queued"}:
                self.state = "waiting"
                time.sleep(PAUSE_S)
            else:
                self.state = None
                return dict(told)
        return None


@dataclass(slots=True)
class ShellEngine:
    """A :class:`scenarios.Driver`."""

    loops: dict[str, Loop] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)
    steps: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def prepare(self, shop: Shop) -> None:
        plan = json.loads(shop.command("plan", shop.file.name, "--json").stdout)
        self.steps[shop.name] = tuple(step["step"] for step in plan["steps"])

    def start(self, shop: Shop, *changes: str) -> str:
        name = f"{shop.folder.name}/{len(self.loops)}"
        self._loop(shop, name, changes)
        return name

    def _loop(self, shop: Shop, name: str, changes: tuple[str, ...]) -> None:
        loop = self.loops[name] = Loop(shop, name, changes, self.steps[shop.name])
        self.threads.append(threading.Thread(target=loop.run, daemon=True))
        self.threads[-1].start()

    def seen(self, shop: Shop, run: str) -> Seen | None:
        del shop
        loop = self.loops[run]
        return None if loop.state is None else Seen(loop.state, "\n".join(loop.said))

    def again(self, shop: Shop, run: str) -> str:
        self._loop(shop, run, self.loops[run].changes)
        return run

    def close(self) -> None:
        for thread in self.threads:
            thread.join(PATIENCE_S)
