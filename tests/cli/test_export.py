"""`seatrial export`: the file, its seal, and what is refused."""

from __future__ import annotations

import ast
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner, Result

from seatrial.cli import root
from seatrial.cli.export import _write
from seatrial.engines._call import Call
from seatrial.engines._exported import edited, sealed
from seatrial.engines._outline import Outline
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
SHAPE = Outline(
    name="shop",
    file="pipeline.yaml",
    stages=(),
    schedule=None,
    timezone="UTC",
    overlap="skip",
    catch_up="skip",
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pipeline.yaml").write_text(FILE)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rows.csv").write_text("a,target\n1,0\n2,1\n")
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
        assert text == export(engine, "pipeline.yaml").output
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


@pytest.mark.parametrize(
    ("exported", "to"),
    [("sha256:0", "FILE"), ("sha256:0 /srv/my flows/a.py", "'/srv/my flows/a.py'")],
)
@pytest.mark.usefixtures("shop")
def test_a_file_of_another_pipeline_is_told_how_it_is_made_anew(exported: str, to: str) -> None:
    words = ["begin", "pipeline.yaml", "--engine", "prefect", "--exported", exported]
    error = CliRunner().invoke(root, words, standalone_mode=False).exception
    assert isinstance(error, SeatrialError)
    fix = error.mistakes[0].fix
    assert fix == f"export it anew: seatrial export prefect pipeline.yaml -o {to}"


def test_a_file_that_nobody_exported_is_not_overwritten(shop: Path) -> None:
    (shop / "notes.md").write_text("mine")
    assert "notes.md is no exported file" in refused("prefect", "pipeline.yaml", "-o", "notes.md")
    assert (shop / "notes.md").read_text() == "mine"


def test_the_pipeline_file_itself_is_not_overwritten_by_force_either(shop: Path) -> None:
    for more in ((), ("--force",)):
        told = refused("prefect", "pipeline.yaml", "-o", "./data/../pipeline.yaml", *more)
        assert "pipeline.yaml is the pipeline file itself" in told
        assert "--force" not in told
    assert (shop / "pipeline.yaml").read_text() == FILE


def test_what_was_printed_into_a_file_is_written_anew(shop: Path) -> None:
    output = shop / "dag.py"
    output.write_text(export("airflow", "pipeline.yaml").output)
    assert export("airflow", "pipeline.yaml", "-o", "dag.py").exception is None


@pytest.mark.parametrize(("was", "now"), [(b"\n", b"\r\n"), (b"# Sealed", b"\xef\xbb\xbf# Sealed")])
def test_a_file_that_an_editor_or_git_wrote_otherwise_was_not_edited(
    shop: Path, was: bytes, now: bytes
) -> None:
    output = shop / "dag.py"
    export("airflow", "pipeline.yaml", "-o", str(output))
    written = output.read_bytes()
    output.write_bytes(written.replace(was, now))
    assert export("airflow", "pipeline.yaml", "-o", str(output)).exception is None
    assert output.read_bytes() == written


def test_what_is_no_file_is_not_written_over(shop: Path) -> None:
    (shop / "folder").mkdir()
    os.mkfifo(shop / "pipe")
    for name in ("folder", "pipe"):
        assert f"{name} is no file" in refused("airflow", "pipeline.yaml", "-o", name)
        assert f"{name} is no file" in refused("airflow", "pipeline.yaml", "-o", name, "--force")
    (shop / "data" / "dag.py").write_bytes(b"")
    assert "dag.py is no exported file" in refused("airflow", "pipeline.yaml", "-o", "data/dag.py")
    assert {path.name for path in shop.iterdir()} == {"pipeline.yaml", "data", "folder", "pipe"}


def test_nothing_is_written_through_a_link(shop: Path) -> None:
    (shop / "theirs").write_text("theirs")
    for link in ("dag.py", ".dag.py.part"):
        (shop / link).symlink_to("theirs")
    assert export("airflow", "pipeline.yaml", "-o", "dag.py", "--force").exception is None
    assert edited((shop / "dag.py").read_text()) is False
    assert (shop / "theirs").read_text() == "theirs"


def test_while_it_is_written_no_engine_finds_another_file(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def look(_handle: int) -> None:
        found.extend(path.name for path in shop.rglob("*.py"))

    monkeypatch.setattr(os, "fsync", look)
    assert export("airflow", "pipeline.yaml", "-o", "dag.py").exception is None
    assert found == []


def test_several_exports_at_once_leave_a_whole_file(shop: Path) -> None:
    output = shop / "dag.py"

    def write(number: int) -> None:
        _write(output, sealed("airflow", SHAPE, f"x = {number}\n" * 5_000 * number), force=True)

    with ThreadPoolExecutor(4) as threads:
        for _ in threads.map(write, [1, 2, 3, 4] * 10):
            assert edited(output.read_text()) is False
    assert {path.name for path in shop.iterdir()} == {"pipeline.yaml", "data", "dag.py"}


@pytest.mark.parametrize("engine", ["airflow", "prefect", "metaflow", "github"])
@pytest.mark.parametrize("broken", ["\n", "\r", "\u2028", "\x85", "\f", "\x1b"])
def test_a_name_puts_no_line_of_its_own_into_the_file(shop: Path, engine: str, broken: str) -> None:
    name = f"a{broken}import mine#.yaml"
    (shop / "pipeline.yaml").rename(shop / name)
    text = export(engine, name).output
    lines = text.splitlines()
    assert lines[1].startswith("# Written by")
    assert lines[2].startswith("# Change")
    if engine == "github":
        assert yaml.safe_load(text)["jobs"]["seatrial"]["steps"][4]["env"]["FILE"] == name
    else:
        assert "mine" not in [
            each.name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import)
            for each in node.names
        ]


def test_a_name_that_looks_like_an_option(shop: Path) -> None:
    (shop / "pipeline.yaml").rename(shop / "--help.yaml")
    text = export("prefect", "./--help.yaml").output
    assert 'FILE = "./--help.yaml"' in text


def test_a_name_that_no_text_can_hold(shop: Path) -> None:
    (shop / "pipeline.yaml").rename(shop / "\udcff.yaml")
    assert "is no UTF-8" in refused("airflow", "\udcff.yaml")


def test_a_folder_that_docker_would_take_for_two(shop: Path) -> None:
    folder = shop / "a:b"
    folder.mkdir()
    for name in ("pipeline.yaml", "data"):
        (shop / name).rename(folder / name)
    assert export("airflow", "a:b/pipeline.yaml").exception is None
    told = refused("airflow", "a:b/pipeline.yaml", "--image", "ours:1")
    assert "holds a colon" in told


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
    told = refused("airflow", "pipeline.yaml", "--python", "/none/python")
    assert told.startswith("this interpreter cannot be called: No such file or directory\n")
    assert "-m pip install" not in told
    assert (
        export("airflow", "pipeline.yaml", "--python", "/none/python", "--unchecked").exit_code == 0
    )


@pytest.mark.parametrize("said", ["", "hello", "\\377"])
def test_what_is_no_interpreter_at_all(shop: Path, said: str) -> None:
    other = shop / "other"
    other.write_text(f"#!/bin/sh\nprintf '{said}'\n")
    other.chmod(0o755)
    told = refused("airflow", "pipeline.yaml", "--python", str(other))
    assert "has no seatrial: it does not say its release" in told


def test_an_interpreter_is_named_from_where_the_file_is_made(shop: Path) -> None:
    (shop / "ours").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (shop / "ours").chmod(0o755)
    (shop / "below").mkdir()
    for name in ("pipeline.yaml", "data"):
        (shop / name).rename(shop / "below" / name)
    text = export("airflow", "below/pipeline.yaml", "--python", "./ours").output
    assert f'"{shop / "ours"}"' in text
    text = export("airflow", "below/pipeline.yaml", "--python", "x/python", "--unchecked").output
    assert '"x/python"' in text  # somebody else's: as it was said


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
