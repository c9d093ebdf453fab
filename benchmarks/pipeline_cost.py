"""What the flights pipeline costs more than a plain script that does the same work.

The script (plain_flights.py) reads the same files, fits the same LightGBM, exports it to ONNX,
opens that in onnxruntime and scores. Each run of either is a fresh process on fresh files. The
script is measured twice: with one thread, as seatrial trains so small a model, which is what the
goal is held against; and with LightGBM's own choice, whose threads mostly wait for each other.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from measuring import (
    FLIGHTS,
    SEATRIAL,
    Cost,
    Figure,
    cost,
    cpu_s,
    environment,
    in_turn,
    same,
    wall_s,
)

ROUNDS = 7
LIMIT_S = 2.0
SCRIPT = str(Path(__file__).with_name("plain_flights.py"))
NEEDS = ["onnxmltools==1.16.0", "skl2onnx==1.20.0", "scikit-learn>=1.7,<2", "protobuf<7"]


def figures() -> list[Figure]:
    """Ours less the script."""
    shared = same("lightgbm", "numpy", "onnx", "onnxruntime", "pyarrow", "ruamel.yaml")
    python = str(environment("plain", [*shared, *NEEDS]))
    found = in_turn(
        {
            "ours": lambda: _fresh([*SEATRIAL, "run", "pipeline.yaml"]),
            "one thread": lambda: _fresh([python, SCRIPT, "1"]),
            "its threads": lambda: _fresh([python, SCRIPT]),
        },
        ROUNDS,
    )
    ours = found.pop("ours")
    more = {name: cpu_s(ours) - cpu_s(plain) for name, plain in found.items()}
    return [
        Figure(
            name=f"flights pipeline more than a plain script ({name}), processor time",
            value=more[name],
            unit="s",
            goal=f"at most {LIMIT_S:g} s" if name == "one thread" else "",
            met=more[name] <= LIMIT_S if name == "one thread" else None,
            detail=(
                f"processor: {cpu_s(ours):.2f} s beside {cpu_s(plain):.2f} s; "
                f"wall: {wall_s(ours):.2f} s beside {wall_s(plain):.2f} s"
            ),
        )
        for name, plain in found.items()
    ]


def _fresh(command: list[str]) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(shutil.copytree(FLIGHTS, Path(folder) / "flights", ignore=_state))
        return cost(command, cwd=project)


def _state(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {".seatrial", "later"}]
