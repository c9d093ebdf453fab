"""What a runner of GitHub Actions does with a workflow that we write: one step after the other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\{\{ (.+?) \}\}")
_FROM_ELSEWHERE = {
    "actions/checkout@v7",
    "actions/setup-python@v7",
    "actions/upload-artifact@v7",
}
_FOR_COMMENT = {"actions/setup-python@v7", "actions/download-artifact@v8"}


def read(text: str) -> dict[str, Any]:
    """A workflow as GitHub reads it (YAML 1.2, where ``on`` is a word)."""
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


@dataclass(slots=True)
class Job:
    """One job on a runner; ``repository`` is what was checked out.

    ``summary``, ``artefacts`` and ``log`` are what GitHub shows afterwards.
    """

    repository: Path
    temporary: Path
    event: str = "pull_request"
    inputs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    log: str = ""
    token: str = ""

    @property
    def summary(self) -> str:
        return (self.temporary / "summary.md").read_text()

    @property
    def artefacts(self) -> dict[str, str]:
        folder = self.temporary / "seatrial"
        return {file.name: file.read_text() for file in sorted(folder.iterdir())}

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.artefacts["result.json"])
        return found

    def run(self, workflow: Mapping[str, Any]) -> bool:
        """Whether the check is green. What a step installs or uploads is left out."""
        self.temporary.mkdir(parents=True, exist_ok=True)
        job = workflow["jobs"]["seatrial"]
        where = self.repository / self._evaluated(job["defaults"]["run"]["working-directory"])
        assert {step["uses"] for step in job["steps"] if "uses" in step} == _FROM_ELSEWHERE
        own = [
            step for step in job["steps"] if "run" in step and step["name"] != "Install seatrial"
        ]
        return all(self._step(step, where) for step in own if self._wanted(step.get("if")))

    def comment(self, workflow: Mapping[str, Any]) -> bool:
        """Whether the job that comments is green; it has the artefact of the other one."""
        job = workflow["jobs"]["comment"]
        assert {step["uses"] for step in job["steps"] if "uses" in step} == _FOR_COMMENT
        (step,) = [each for each in job["steps"] if "run" in each and "Install" not in each["name"]]
        return self._step(step, self.temporary)

    def _wanted(self, condition: str | None) -> bool:
        if condition is None:
            return True
        assert condition == "github.event_name != 'pull_request'"
        return self.event != "pull_request"

    def _step(self, step: Mapping[str, Any], where: Path) -> bool:
        files = {name: self.temporary / name for name in ("output", "environment", "summary.md")}
        for file in files.values():
            file.touch()
        script = self.temporary / "script.sh"
        script.write_text(step["run"])
        given = {name: self._evaluated(text) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            cwd=where,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(self.temporary),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_ENV": str(files["environment"]),
                "GITHUB_STEP_SUMMARY": str(files["summary.md"]),
                **self.environment,
                **given,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.log += done.stdout + done.stderr
        self.outputs |= _pairs(files["output"])
        self.environment |= _pairs(files["environment"])
        return done.returncode == 0

    def _evaluated(self, text: str) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1]), text)

    def _value(self, expression: str) -> str:
        kind, _, name = expression.rpartition(".")
        known: dict[str, Mapping[str, str]] = {
            "inputs": self.inputs,
            "secrets": self.secrets,
            "vars": self.variables,
            "steps.pipeline.outputs": self.outputs,
            "github": {"token": self.token},
        }
        return expression.strip("'") if expression == "'${{'" else known[kind].get(name, "")


def _pairs(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)
