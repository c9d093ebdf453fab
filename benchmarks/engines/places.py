"""Where the engines are installed, and which releases they are."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from measuring import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

DAGSTER = "dagster==1.13.27"


def python(engine: str) -> Path:
    """The interpreter of an engine that the tests have too; RuntimeError: how to install it."""
    found = ROOT / ".venv" / "engines" / engine / "bin" / "python"
    if not (found.parents[1] / ".installed").exists():
        raise RuntimeError(f"{engine} is not installed: make .venv/engines/{engine}/.installed")
    return found


def dagster() -> Path:
    """The interpreter of Dagster, which is measured only; made the first time."""
    return environment("dagster", [DAGSTER])


def release(interpreter: Path, package: str) -> str:
    """The release of a package in an environment."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    words = [str(interpreter), "-c", code]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
