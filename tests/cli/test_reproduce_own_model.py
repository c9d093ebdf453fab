"""``seatrial reproduce`` where the project's own code, or a file that was brought, is the model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from running import until

if TYPE_CHECKING:
    from tests.cli.conftest import Program, Project

MODEL = "ml_model_training_pipeline"
MAKE = """\
from sklearn.compose import make_column_transformer
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

COLUMNS = ["feature_1", "feature_2", "feature_3"]


def make(seed):
    columns = make_column_transformer((SimpleImputer(), COLUMNS))
    return make_pipeline(columns, ExtraTreesClassifier(10, max_depth=6, random_state=seed))
"""
SOURCE = "model_type: gradient_boosted\n          hyperparameters: config/hyperparameters.yaml"


@pytest.fixture
def committed(founding: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The founding project with an entry point, in a repository without changes."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    founding.write("fit.py", MAKE)
    founding.replace(SOURCE, "entrypoint: fit:make")
    founding.write(".gitignore", ".seatrial/\n")
    commit(founding, "init", "-q")
    return founding


def commit(project: Project, *first: str) -> None:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    for words in ((first,) if first else ()) + (("add", "."), ("commit", "-qm", "more")):
        subprocess.run(["git", *who, *words], cwd=project.folder, check=True)


@pytest.mark.slow
def test_other_code_is_named_as_the_cause(committed: Project, seatrial: Program) -> None:
    seatrial("run", "pipeline.yaml")
    said = seatrial("reproduce", MODEL, "1", "--json")
    assert (said.code, said.json["verdict"]) == (0, "identical")
    assert said.json["unknown"] == said.json["changed"] == said.json["notes"] == []

    committed.replace("max_depth=6", "max_depth=3", "fit.py")
    said = seatrial("reproduce", MODEL, "1", "--json")
    assert (said.code, said.json["verdict"]) == (1, "different")
    code, own = said.json["changed"]
    assert (code["what"], own["what"]) == ("code", "code of the entry point")
    assert code["now"].startswith(f"{code['then']}, fit.py uncommitted (")

    commit(committed)
    committed.replace("return make_pipeline(", "return undefined(", "fit.py")
    said = seatrial("reproduce", MODEL, "1")
    assert said.code == 5
    assert "undefined" in said.err
    assert f"since {MODEL} version 1 was trained, code was {code['then']} and is" in said.err


@pytest.mark.slow
def test_code_that_was_not_committed_is_recorded(committed: Project, seatrial: Program) -> None:
    committed.replace("max_depth=6", "max_depth=5", "fit.py")
    ran = seatrial("run", "pipeline.yaml")
    assert "the code has uncommitted changes: fit.py" in ran.out
    note = "when it was trained, the code has uncommitted changes: fit.py"
    said = seatrial("reproduce", MODEL, "1", "--json")
    assert (said.code, said.json["notes"], said.json["changed"]) == (0, [note], [])
    commit(committed)
    said = seatrial("reproduce", MODEL, "1", "--json")
    assert (said.code, said.json["verdict"]) == (0, "identical")
    (code,) = said.json["changed"]
    assert "fit.py uncommitted" in code["then"]


@pytest.mark.slow
def test_a_draw_that_the_seed_does_not_reach_is_suspected(
    committed: Project, seatrial: Program
) -> None:
    draw = "random_state=int.from_bytes(urandom(3))"
    committed.replace("random_state=seed", draw, "fit.py")
    committed.replace("COLUMNS =", "from os import urandom\n\nCOLUMNS =", "fit.py")
    commit(committed)
    seatrial("run", "pipeline.yaml")
    said = seatrial("reproduce", MODEL, "1")
    assert said.code == 1
    assert "nothing that is recorded has changed: the training itself does not repeat" in said.out
    assert "accuracy on 400 rows of validation_data: " in said.out


@pytest.mark.slow
def test_a_file_that_was_brought_is_read_again(delivered: Project, seatrial: Program) -> None:
    (digest,) = delivered.query("SELECT digest FROM version")[0]
    files: Any = json.loads(blob(delivered, digest).read_bytes())["files"]
    shutil.copy(blob(delivered, files["model.onnx"]), delivered.folder / "brought.onnx")
    delivered.replace(SOURCE, "artifact: brought.onnx")
    seatrial("run", "pipeline.yaml")
    assert len(delivered.query("SELECT * FROM version")) == 2
    said = seatrial("reproduce", MODEL, "2", "--json")
    assert (said.code, said.json["verdict"]) == (0, "identical")
    assert said.json["trained_here"] is False
    (delivered.folder / "brought.onnx").unlink()
    assert seatrial("reproduce", MODEL, "2").code == 5


@pytest.mark.slow
def test_one_that_is_killed_leaves_nothing_behind(
    committed: Project, seatrial: Program, tmp_path: Path
) -> None:
    """Not the training two processes below, and no copy of its rows."""
    seatrial("run", "pipeline.yaml")
    pid_file, scratch = tmp_path / "pid", tmp_path / "scratch"
    scratch.mkdir()
    wait = f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(600)"
    committed.replace("def make(seed):", f"def make(seed):\n    {wait}", "fit.py")
    committed.replace("COLUMNS =", "import os, pathlib, time\n\nCOLUMNS =", "fit.py")
    with subprocess.Popen(
        [sys.executable, "-m", "seatrial", "reproduce", MODEL, "1"],
        cwd=committed.folder,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.DEVNULL,
    ) as reproducing:
        until(lambda: pid_file.exists() and pid_file.read_text(), "it trains")
        assert len([*scratch.rglob("seatrial-[rt]*")]) == 2
        reproducing.kill()
    training = Path("/proc", pid_file.read_text())
    until(lambda: not training.exists() and not [*scratch.glob("seatrial-[rt]*")], "it is gone")


def blob(project: Project, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return project.folder / ".seatrial" / "blobs" / name[:2] / name
