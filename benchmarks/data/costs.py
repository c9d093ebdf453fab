"""How one measured process tells what it cost, and how it is asked."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def told(**seconds: float) -> None:
    """One line of JSON: what was measured, and the peak memory of this process."""
    print(json.dumps({**seconds, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """The most memory that this program has had; rusage would count who started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def asked(command: Sequence[str]) -> dict[str, Any]:
    """What a process told in its last line; RuntimeError with its last words when it failed."""
    ended = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()[-800:]}")
    found: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return found


def in_turn(rivals: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Each rival once a round; a round before the first is let go."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, command in rivals.items():
            cost = asked(command)
            if number:
                found[name].append(cost)
    return found


def median(costs: Sequence[Mapping[str, float]], *keys: str) -> float:
    """The median of the sum of these figures."""
    return statistics.median(sum(cost[key] for key in keys) for cost in costs)
