"""What the engine adds to a step: fifty tasks that do nothing, less one of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from textwrap import dedent

from measuring import SEATRIAL, Cost, Figure, cost, cpu_s, in_turn, wall_s

ROUNDS = 9
MANY = 50
LIMIT_MS = 20.0

TASK = '''
"""A task that does nothing, as another package would bring it."""

from seatrial.outcome import Outcome, Verdict
from seatrial.tasks import Context, Task


class Noop(Task, frozen=True, kw_only=True):
    """No parameters."""

    def run(self, context: Context) -> Outcome:
        """Pass."""
        return Outcome(verdict=Verdict.PASS, reason="nothing to do")
'''


def figures() -> list[Figure]:
    """Wall time counts: a step is appended, and synced to the disk, before and after."""
    with tempfile.TemporaryDirectory() as folder:
        package = _installed(Path(folder) / "package")
        found = in_turn(
            {
                "many": lambda: _run(MANY, package),
                "one": lambda: _run(1, package),
            },
            ROUNDS,
        )
    step_ms = (wall_s(found["many"]) - wall_s(found["one"])) / (MANY - 1) * 1000
    step_cpu_ms = (cpu_s(found["many"]) - cpu_s(found["one"])) / (MANY - 1) * 1000
    return [
        Figure(
            name="a step that does nothing, SQLite",
            value=step_ms,
            unit="ms",
            goal=f"at most {LIMIT_MS:g} ms",
            met=step_ms <= LIMIT_MS,
            detail=f"processor: {step_cpu_ms:.1f} ms; a run of one: {wall_s(found['one']):.2f} s",
        )
    ]


def _installed(package: Path) -> Path:
    """A package with one task, as pip would lay it out."""
    facts = package / "noop_words-1.0.dist-info"
    facts.mkdir(parents=True)
    (package / "noop_words.py").write_text(TASK, encoding="utf-8")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: noop-words\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[seatrial.tasks]\nnoop = noop_words:Noop\n")
    return package


def _run(tasks: int, package: Path) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        head = dedent(
            """\
            name: nothing
            stages:
              - name: only
                tasks:
            """
        )
        file.write_text(head + "      - noop\n" * tasks, encoding="utf-8")
        env = {"PYTHONPATH": str(package)}
        return cost([*SEATRIAL, "run", str(file)], cwd=file.parent, env=env)
