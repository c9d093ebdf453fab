from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seatrial.pipeline import Serving
from seatrial.serve.pipelines import pipelines_of, serving_of

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "name: {}\nstages: [{{name: s, tasks: [promote]}}]\n{}"


def test_every_yaml_file_with_stages_is_a_pipeline(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(TEXT.format("second", "model: m\nserving: {keep_gb: 1}\n"))
    (tmp_path / "a.yaml").write_text(TEXT.format("first", ""))
    (tmp_path / ".hidden.yaml").write_text(TEXT.format("hidden", ""))
    (tmp_path / "compose.yaml").write_text("services: {stages: {}}\n")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "notes.txt").write_text(TEXT.format("notes", ""))
    found = pipelines_of(tmp_path)
    assert list(found.pipelines) == ["first", "second"]
    assert found.broken == {}
    assert serving_of(tmp_path) == {"first": Serving(), "m": Serving(keep_gb=1)}


def test_what_is_broken_is_told_and_not_used(tmp_path: Path) -> None:
    (tmp_path / "mistake.yaml").write_text(TEXT.format("mistake", "seed: x\n"))
    (tmp_path / "syntax.yaml").write_text("name: syntax\nstages: [\n")
    (tmp_path / "bytes.yaml").write_bytes(b"stages: \xff\n")
    found = pipelines_of(tmp_path)
    assert found.pipelines == {}
    assert {file.rpartition("/")[2] for file in found.broken} == {
        "bytes.yaml",
        "mistake.yaml",
        "syntax.yaml",
    }
    assert "seed" in found.broken[str(tmp_path / "mistake.yaml")]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(TEXT.format("one", ""))
    before = pipelines_of(tmp_path).pipelines["one"]
    assert pipelines_of(tmp_path).pipelines["one"] is before
    file.write_text(TEXT.format("two", ""))  # of the same size
    os.utime(file, ns=(1, 1))
    assert list(pipelines_of(tmp_path).pipelines) == ["two"]
    file.unlink()
    assert pipelines_of(tmp_path).pipelines == {}


def test_what_must_not_be_logged_stays_so_while_the_file_is_edited(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    for more in ("serving: {redact: [email]}\n", "serving: {redact: email}\n", "serving: {reda"):
        file.write_text(TEXT.format("p", more))
        assert serving_of(tmp_path)["p"].redact == ("email",)
    file.write_text(TEXT.format("p", ""))
    assert serving_of(tmp_path)["p"].redact == ()
