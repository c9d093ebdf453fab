"""Metaflow on this machine: a flow is a process, and a wait ends it; somebody runs it again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios import PATIENCE_S, Seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios import Shop

PYTHON = Path(__file__).parents[2] / ".venv" / "engines" / "metaflow" / "bin" / "python"
FILE = "flow.py"
LOOK_S = 2.0
"""How soon a person looks again whether a run that is queued may begin."""

_LATER = re.compile(r"(waits until|after) (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_RESUME = re.compile(r"python flow\.py (resume .+)$", re.MULTILINE)


@dataclass(slots=True)
class Flow:
    """What a person at a terminal has: a command, and what it printed."""

    log: Path
    running: subprocess.Popen[str]
    back_at: datetime | None = None

    @property
    def text(self) -> str:
        return self.log.read_text()

    @property
    def last(self) -> str:
        """What the last command printed."""
        return self.text.rpartition("Workflow starting")[2]

    @property
    def resume(self) -> list[str]:
        """The words of the command that the flow told last."""
        return shlex.split(_RESUME.findall(self.last)[-1])

    @property
    def due(self) -> datetime | None:
        """When to run it again; ``None`` when it did not say so."""
        found = _LATER.search(self.last)
        if found is None:
            return None
        time = datetime.fromisoformat(f"{found[2]}+00:00") + timedelta(seconds=1)
        soon = datetime.now(UTC) + timedelta(seconds=LOOK_S)
        return min(time, soon) if found[1] == "after" else time


@dataclass(slots=True)
class MetaflowEngine:
    """A :class:`scenarios.Driver`."""

    flows: dict[str, Flow] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not PYTHON.exists():
            pytest.skip(f"no Metaflow: {PYTHON} is made by `make test`")

    def prepare(self, shop: Shop) -> None:
        shop.export("metaflow", shop.folder / FILE)

    def start(self, shop: Shop, *changes: str) -> str:
        name = f"{shop.folder.name}/{len(self.flows)}"
        sets = [word for change in changes for word in ("--set", change)]
        log = shop.folder / f"flow-{len(self.flows)}.log"
        words = ["run", "--retry_pause_s", "0.5", *sets]
        self.flows[name] = Flow(log, start(shop, log, *words))
        return name

    def seen(self, shop: Shop, run: str) -> Seen | None:
        flow = self.flows[run]
        code = flow.running.poll()
        if code is None:
            return None
        if code == 0:
            return Seen("skipped" if " skipped: " in flow.text else "succeeded", flow.text)
        flow.back_at = flow.back_at or flow.due
        if flow.back_at is None:
            return Seen("failed", flow.text)
        if datetime.now(UTC) >= flow.back_at:
            self.again(shop, run)
        return Seen("waiting", flow.text)

    def again(self, shop: Shop, run: str) -> str:
        """Type the command that the flow told."""
        flow = self.flows[run]
        flow.back_at = None
        flow.running = start(shop, flow.log, *flow.resume)
        return run

    def close(self) -> None:
        """End what is still at work, a flow and its steps."""
        for flow in self.flows.values():
            if flow.running.poll() is None:
                os.killpg(flow.running.pid, signal.SIGKILL)
                flow.running.wait()


def typed(shop: Shop, *words: str) -> subprocess.CompletedProcess[str]:
    """Metaflow's interpreter with these words, once it has ended; errors stand in ``stdout``."""
    return subprocess.run(
        [str(PYTHON), *words],
        cwd=shop.folder,
        env=environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def start(shop: Shop, log: Path, *words: str) -> subprocess.Popen[str]:
    """Start ``python flow.py`` in the shop, in a group of its own."""
    with log.open("a") as printed:
        return subprocess.Popen(
            [str(PYTHON), FILE, *words],
            cwd=shop.folder,
            env=environment(shop),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def environment(shop: Shop) -> Mapping[str, str]:
    """Runs, artefacts and cards stay in the shop."""
    return {
        **shop.environment(),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(shop.folder),
        "METAFLOW_HOME": str(shop.folder / "home"),
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DEFAULT_DATASTORE": "local",
        "METAFLOW_USER": "tester",
    }
