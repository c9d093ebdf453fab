"""How the benchmarks measure: fresh processes, processor time of all children, medians, in turn."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
FLIGHTS = ROOT / "examples" / "flights"
SEATRIAL = [sys.executable, "-m", "seatrial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the results: what, how much, and what it should be; ``unit`` is of ``value``."""

    name: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process cost, its children included: seconds of wall and of processor."""

    wall_s: float
    cpu_s: float


def cost(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Cost:
    """Run a program to its end; RuntimeError with its last lines when it fails."""
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        assert child.stdout is not None
        said = child.stdout.read()
        # wait4 tells of this child and what it waited for; getrusage would sum over all so far
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        tail = "\n".join(said.strip().splitlines()[-6:])
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{tail}")
    return Cost(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime)


def environment(name: str, requirements: Sequence[str]) -> Path:
    """The interpreter of an environment of a peer's own, .venv-NAME; made the first time."""
    folder = ROOT / f".venv-{name}"
    python = folder / "bin" / "python"
    made = folder / ".installed"
    wanted = "\n".join(requirements)
    if not made.exists() or made.read_text(encoding="utf-8") != wanted:
        print(f"installing {', '.join(requirements)} into {folder.name} (once)")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *requirements]
        subprocess.run(install, check=True)
        made.write_text(wanted, encoding="utf-8")
    return python


def same(*names: str) -> list[str]:
    """Requirements for the very versions that seatrial runs on here."""
    return [f"{name}=={version(name)}" for name in names]


def in_turn(
    rivals: Mapping[str, Callable[[], Cost]], rounds: int, warm_up: int = 1
) -> dict[str, list[Cost]]:
    """Each rival once a round, so that a busy minute hits all; the first rounds are let go."""
    found: dict[str, list[Cost]] = {name: [] for name in rivals}
    for number in range(warm_up + rounds):
        for name, run in rivals.items():
            spent = run()
            if number >= warm_up:
                found[name].append(spent)
    return found


def cpu_s(costs: Iterable[Cost]) -> float:
    """Median processor seconds."""
    return statistics.median(spent.cpu_s for spent in costs)


def wall_s(costs: Iterable[Cost]) -> float:
    """Median wall seconds."""
    return statistics.median(spent.wall_s for spent in costs)


def machine() -> str:
    """The machine and the versions that decide, in one line."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next(
            (x.partition(":")[2].strip() for x in lines if x.startswith("model name")), model
        )
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("lightgbm", "onnxruntime", "duckdb")
    )
    return (
        f"{os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f}, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}"
    )
