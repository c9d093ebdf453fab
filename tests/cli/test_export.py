"""`seatrial export`: the file, its seal, and what is refused."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from seatrial.cli import root
from seatrial.engines._call import Call
from seatrial.errors import SeatrialError

if TYPE_CHECKING:
    from pathlib import Path

FILE = """name: shop
schedule: "0 2 * * *"
stages:
  - name: check
    tasks:
      - check_schema: {dataset: rows}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*words: str) -> Result:
    return CliRunner().invoke(root, ["export", *words], standalone_mode=False)


def refused(*words: str) -> str:
    error = export(*words).exception
    assert isinstance(error, SeatrialError), error
    assert error.exit_code == 2
    text = str(error)
    assert len(text.splitlines()) <= 6
    return text


@pytest.mark.parametrize("engine", ["airflow", "prefect", "metaflow", "github"])
def test_written_twice_it_is_the_same(shop: Path, engine: str) -> None:
    output = shop / "made" / f"{engine}.out"
    for _ in range(2):
        done = export(engine, "pipeline.yaml", "-o", str(output))
        assert done.exception is None, done.exception
        assert f"runs shop on {engine}" in done.output
        text = output.read_text()
        assert text == export(engine, "pipeline.yaml").output[:-1]
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_file_that_was_edited_by_hand_is_kept(shop: Path) -> None:
    output = shop / "dag.py"
    export("airflow", "pipeline.yaml", "-o", str(output))
    text = output.read_text()
    output.write_text(f"{text}# mine\n")
    told = refused("airflow", "pipeline.yaml", "-o", str(output))
    assert "dag.py was edited by hand since it was exported" in told
    assert "--force" in told
    assert output.read_text().endswith("# mine\n")
    export("airflow", "pipeline.yaml", "-o", str(output), "--force")
    assert output.read_text() == text


def test_after_the_pipeline_was_changed_it_is_written_anew(shop: Path) -> None:
    output = shop / "dag.py"
    export("airflow", "pipeline.yaml", "-o", str(output))
    before = output.read_text()
    (shop / "pipeline.yaml").write_text(FILE.replace("0 2", "0 3"))
    assert export("airflow", "pipeline.yaml", "-o", str(output)).exception is None
    assert output.read_text() != before


def test_a_file_that_nobody_exported_is_not_overwritten(shop: Path) -> None:
    told = refused("prefect", "pipeline.yaml", "-o", "pipeline.yaml")
    assert "pipeline.yaml is no exported file" in told
    assert (shop / "pipeline.yaml").read_text() == FILE


def test_an_unknown_engine_names_the_nearest(shop: Path) -> None:
    del shop
    assert "nearest: airflow" in refused("airlfow", "pipeline.yaml")
    assert "one of: airflow" in refused("embedded", "pipeline.yaml")


def test_an_interpreter_without_seatrial(shop: Path) -> None:
    bare = shop / "bare"
    bare.write_text("#!/bin/sh\necho 'No module named seatrial' >&2\nexit 1\n")
    bare.chmod(0o755)
    told = refused("airflow", "pipeline.yaml", "--python", str(bare))
    assert "has no seatrial: No module named seatrial" in told
    assert f"{bare} -m pip install seatrial==" in told
    assert "No such file" in refused("airflow", "pipeline.yaml", "--python", "/none/python")
    assert (
        export("airflow", "pipeline.yaml", "--python", "/none/python", "--unchecked").exit_code == 0
    )


def test_an_interpreter_with_another_release_is_told(shop: Path) -> None:
    old = shop / "old"
    old.write_text("#!/bin/sh\necho 'seatrial, version 0.0.9'\n")
    old.chmod(0o755)
    done = export("airflow", "pipeline.yaml", "--python", str(old))
    assert f"warning: {old} has seatrial 0.0.9; this is" in done.stderr
    assert done.exception is None


def test_a_file_with_mistakes_is_refused(shop: Path) -> None:
    (shop / "pipeline.yaml").write_text(FILE.replace("check_schema", "check_shema"))
    assert "nearest: check_schema" in refused("airflow", "pipeline.yaml")


def test_an_interpreter_and_an_image(shop: Path) -> None:
    del shop
    told = refused("airflow", "pipeline.yaml", "--python", sys.executable, "--image", "ours:1")
    assert "--python and --image: one of them" in told


def test_an_image_is_called_with_the_project_and_no_secret(shop: Path) -> None:
    words = Call(shop, "pipeline.yaml", "python", "ours:1").words
    assert words[:2] == ("docker", "run")
    assert words[-4:] == ("ours:1", "python", "-m", "seatrial")
    assert f"{shop}:{shop}" in words
    assert "SEATRIAL_DATABASE" in words  # the name, not the value


def test_json(shop: Path) -> None:
    told = json.loads(export("airflow", "pipeline.yaml", "--json").output)
    assert (told["engine"], told["file"], told["output"]) == ("airflow", "pipeline.yaml", None)
    assert f"'{told['digest']}'" in told["text"] or f'"{told["digest"]}"' in told["text"]
    del shop
