"""``seatrial bundle``: a version of a real project, as a folder or one file that proves itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.environment.proof.proving import prove

if TYPE_CHECKING:
    from tests.cli.conftest import Program, Project

MODEL = "ml_model_training_pipeline"


def test_what_was_written_is_proven_by_the_command_that_it_prints(
    delivered: Project, seatrial: Program
) -> None:
    for target in ("device", "device.tar.gz", "device.zip"):
        said = seatrial("bundle", f"{MODEL}@production", "-o", target)
        assert (said.code, said.err) == (0, "")
        first, *_, last = said.out.splitlines()
        assert first == f"{MODEL} version 1 is in {delivered.folder / target}"
        command = last.removeprefix("prove it on the device: ")
        there = delivered.folder / "elsewhere" / target
        there.mkdir(parents=True)
        (delivered.folder / target).rename(there / target)
        # as a device would: with no package on the path but that of the bundle
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=there,
            env={"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(f"yes: {MODEL} version 1 answers its ")


def test_json_names_the_version_its_files_and_the_proof(
    delivered: Project, seatrial: Program
) -> None:
    told = seatrial("bundle", "1", "-o", "device.zip", "--json").json
    assert set(told) == {"model", "version", "digest", "place", "bytes", "files", "prove"}
    (kept,) = delivered.query("SELECT digest FROM version")
    assert (told["model"], told["version"], told["digest"]) == (MODEL, 1, kept[0])
    assert told["bytes"] == Path(told["place"]).stat().st_size
    assert told["files"]["matrix.onnx"] > 0
    assert prove(Path(told["place"]), digest=told["digest"]).ok


def test_nothing_of_the_training_leaves_with_it(delivered: Project, seatrial: Program) -> None:
    del delivered
    told = seatrial("bundle", "production", "-o", "device", "--json").json
    manifest = json.loads(Path("device/manifest.json").read_text())
    kept_back = set(manifest["files"]) - set(told["files"])
    assert "native" in kept_back
    assert not any("profile" in name for name in told["files"])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["bundle", "9", "-o", "d"], 2, "9"),
        (["bundle", "other@1", "-o", "d"], 2, "there is no model 'other'"),
        (["bundle", "1"], 2, "-o"),
        (["bundle", "1", "-o", "data"], 2, "the folder is not empty"),
        (["bundle", "1", "-o", "pipeline.yaml"], 2, "there is something already"),
        (["bundle", "1", "-o", "a/b"], 2, "there is no such folder"),
        (["bundle", "1", "-o", "device.tar.bz2"], 2, "let it end with .tar.gz, .tgz or .zip"),
        (["bundle", MODEL, "-o", "d"], 2, f"write {MODEL}@production"),
    ],
)
def test_bad_input_is_a_few_lines_and_changes_nothing(
    delivered: Project, seatrial: Program, words: list[str], code: int, said: str
) -> None:
    before = delivered.snapshot()
    ended = seatrial(*words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) <= 6
    assert delivered.snapshot() == before


def test_a_damaged_blob_makes_no_bundle(delivered: Project, seatrial: Program) -> None:
    (digest,) = delivered.query("SELECT digest FROM version")[0]
    name = digest.removeprefix("sha256:")
    manifest = json.loads((delivered.folder / f".seatrial/blobs/{name[:2]}/{name}").read_text())
    model = manifest["files"]["model.onnx"].removeprefix("sha256:")
    blob = delivered.folder / f".seatrial/blobs/{model[:2]}/{model}"
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"\0")
    ended = seatrial("bundle", "1", "-o", "device")
    assert (ended.code, ended.out) == (5, "")
    assert "no longer matches its digest" in ended.err
    assert not Path("device").exists()


def test_where_nothing_was_delivered_there_is_nothing_to_bundle(
    founding: Project, seatrial: Program
) -> None:
    del founding
    ended = seatrial("bundle", "production", "-o", "device")
    assert (ended.code, "there is no project here" in ended.err) == (2, True)
    assert not Path(".seatrial").exists()
