"""A project whose pipeline is ten steps that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measuring import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STEPS = 10
ADDRESSES = ("only.probe", *(f"only.probe-{number}" for number in range(2, STEPS + 1)))
WORDS: Mapping[str, str] = {"PYTHONPATH": str(ROOT / "tests" / "engines" / "third_party")}
"""What seatrial needs to know the word ``probe``, whose call notes its address in a file."""

NAME = "nothing"


def made(folder: Path) -> Path:
    """Write it; the folder."""
    folder.mkdir()
    lines = [f"name: {NAME}", "stages:", "  - name: only", "    tasks:"]
    lines += ["      - probe: {script: [pass]}"] * STEPS
    (folder / "pipeline.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder
