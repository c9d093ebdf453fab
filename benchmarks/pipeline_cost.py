"""What the flights pipeline costs more than a plain script that does the same work.

The script (plain_flights.py) reads the same files, fits the same LightGBM, exports it to ONNX,
opens that in onnxruntime and scores. Each run of either is a fresh process on fresh files.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from measuring import FLIGHTS, SEATRIAL, Cost, Figure, cost, cpu_s, in_turn, wall_s

ROUNDS = 7
LIMIT_S = 2.0
PLAIN = [sys.executable, str(Path(__file__).with_name("plain_flights.py"))]


def figures() -> list[Figure]:
    """As users run it, and on one thread, where no waiting thread burns processor time."""
    return [_figure("as it comes", {}), _figure("one thread", {"OMP_NUM_THREADS": "1"})]


def _figure(how: str, env: dict[str, str]) -> Figure:
    found = in_turn(
        {
            "ours": lambda: _fresh([*SEATRIAL, "run", "pipeline.yaml"], env),
            "plain": lambda: _fresh(PLAIN, env),
        },
        ROUNDS,
    )
    more = cpu_s(found["ours"]) - cpu_s(found["plain"])
    return Figure(
        name=f"flights pipeline more than a plain script, processor time ({how})",
        value=more,
        unit="s",
        goal=f"at most {LIMIT_S:g} s",
        met=more <= LIMIT_S,
        detail=(
            f"processor: {cpu_s(found['ours']):.2f} s beside {cpu_s(found['plain']):.2f} s; "
            f"wall: {wall_s(found['ours']):.2f} s beside {wall_s(found['plain']):.2f} s"
        ),
    )


def _fresh(command: list[str], env: dict[str, str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(FLIGHTS, Path(folder) / "flights", ignore=_state))
        return cost(command, cwd=project, env=env)


def _state(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {".seatrial", "later"}]
