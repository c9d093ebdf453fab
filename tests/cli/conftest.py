"""The command line inside this process, and small projects to use it on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pytest

from postgres import postgres as postgres  # noqa: PLC0414 - a fixture is known by its import
from seatrial.cli import main
from stores import _s3_server as _s3_server  # noqa: PLC0414
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Sequence

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
MODEL = "ml_model_training_pipeline"


@dataclass(frozen=True, slots=True)
class Said:
    """What the program said: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)

    @property
    def mistakes(self) -> list[list[str]]:
        """The mistakes on stderr, each with its lines: all but the first are indented."""
        found: list[list[str]] = []
        for line in self.err.splitlines():
            if line.startswith(" ") and found:
                found[-1].append(line)
            else:
                found.append([line])
        return found


class Program(Protocol):
    """Calls ``main()`` as the installed program does."""

    def __call__(self, *words: str | Path) -> Said: ...


@pytest.fixture
def seatrial(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    def call(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["seatrial", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return call


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a mistake must leave alone: the project's files, versions, channels and moves."""

    files: dict[str, bytes]
    versions: list[Any]
    channels: list[Any]
    moves: list[Any]


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder that is the current folder."""

    folder: Path

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def ledger(self) -> Path:
        return self.folder / ".seatrial" / "ledger.db"

    def replace(self, old: str, new: str, file: str = "pipeline.yaml") -> None:
        """Change a text that must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new))

    def write(self, file: str, content: str | bytes) -> None:
        path = self.folder / file
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def lines(self, file: str) -> list[str]:
        return (self.folder / file).read_text().splitlines(keepends=True)

    def query(self, question: str) -> list[Any]:
        """Rows of the ledger, read past the program."""
        if not self.ledger.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as connection:
            return connection.execute(question).fetchall()

    def tamper(self, *statements: str) -> None:
        """Edit the ledger past the program, its guards dropped."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            for name in ("event_no_update", "event_no_delete", "event_no_replace"):
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                assert connection.execute(statement).rowcount, statement
            connection.commit()

    def snapshot_files(self) -> dict[str, bytes]:
        """The project's own files."""
        return {
            str(file.relative_to(self.folder)): file.read_bytes()
            for file in sorted(self.folder.rglob("*"))
            if file.is_file() and ".seatrial" not in file.parts
        }

    def snapshot(self) -> Snapshot:
        return Snapshot(
            self.snapshot_files(),
            self.query("SELECT * FROM version"),
            self.query("SELECT * FROM channel"),
            self.query("SELECT * FROM move"),
        )


def make_project(folder: Path, seed: int = 1) -> None:
    """The founding project, small: it passes every gate in a second."""
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    random = np.random.default_rng(seed)
    write_rows(folder / "data" / "training_data.csv", random, 1000)
    write_rows(folder / "data" / "validation_data.csv", random, 400)
    (folder / "config" / "hyperparameters.yaml").write_text(
        "n_estimators: 20\nlearning_rate: 0.2\nnum_leaves: 7\nnum_threads: 1\n"
    )


def write_rows(file: Path, random: np.random.Generator, count: int) -> None:
    x = random.normal(size=(count, 3))
    y = x @ [1.0, 0.5, -0.3] + random.normal(scale=0.2, size=count) > 0
    rows = [f"{a:.6f},{b:.6f},{c:.6f},{int(t)}" for (a, b, c), t in zip(x, y, strict=True)]
    file.write_text("\n".join(["feature_1,feature_2,feature_3,target", *rows]) + "\n")


def call_once(words: Sequence[str], folder: Path) -> int:
    """The program, for templates that are made once: fixtures of a test are not there yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["seatrial", *words])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="session")
def founding_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("founding") / "project"
    make_project(folder)
    baseline = ["profile", "data/training_data.csv", "-o", "baseline_distribution.json"]
    assert call_once(baseline, folder) == 0
    return folder


@pytest.fixture(scope="session")
def delivered_template(founding_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1 is in production."""
    folder = tmp_path_factory.mktemp("delivered") / "project"
    shutil.copytree(founding_template, folder)
    assert call_once(["run", "pipeline.yaml"], folder) == 0
    return folder


@pytest.fixture(scope="session")
def third_template(delivered_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 and 2 were in production, version 3 is staged and was stopped at its gate.

    Without the shadow test, which would ask for a gateway once something is in production.
    """
    folder = tmp_path_factory.mktemp("third") / "project"
    shutil.copytree(delivered_template, folder)
    project = Project(folder)
    shadow = (
        "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
    )
    project.replace(shadow, "")
    project.replace("n_estimators: 20", "n_estimators: 25", "config/hyperparameters.yaml")
    assert call_once(["run", "pipeline.yaml"], folder) == 0
    project.replace("n_estimators: 25", "n_estimators: 30", "config/hyperparameters.yaml")
    project.replace("performance_threshold: 0.82", "performance_threshold: 0.99")
    assert call_once(["run", "pipeline.yaml"], folder) == 1
    project.replace("performance_threshold: 0.99", "performance_threshold: 0.82")
    return folder


def _copied(template: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    target = folder / "project"
    shutil.copytree(template, target)
    monkeypatch.chdir(target)
    return Project(target)


@pytest.fixture
def founding(founding_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Nothing ran yet."""
    return _copied(founding_template, tmp_path, monkeypatch)


@pytest.fixture
def delivered(delivered_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Version 1 is in production and staged."""
    return _copied(delivered_template, tmp_path, monkeypatch)


@pytest.fixture
def third(third_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Version 2 is in production, 1 was before, 3 is staged."""
    return _copied(third_template, tmp_path, monkeypatch)
