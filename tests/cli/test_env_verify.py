"""`seatrial env verify`: does a version answer on this machine as it must?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.cli.conftest import MODEL

from seatrial.environment.capture import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program, Project

KEYS = {
    *("format", "ok", "said", "model", "version", "digest", "plain", "proof", "trouble"),
    *("found_out", "differences", "environment", "seconds"),
}


@pytest.mark.usefixtures("delivered")
def test_a_version_is_proven_on_this_machine(seatrial: Program) -> None:
    said = seatrial("env", "verify", f"{MODEL}@production")
    assert said.code == 0
    first = said.out.splitlines()[0]
    assert first.startswith(f"yes: {MODEL} version 1 answers its ")
    assert "golden rows here as it must" in first
    told = seatrial("env", "verify", f"{MODEL}@1", "--json").json
    assert set(told) == KEYS
    assert told["ok"] is True
    assert told["digest"] == seatrial("models", "--json").json[0]["digest"]
    assert told["proof"]["model.onnx"]["rows"] >= 64


@pytest.mark.usefixtures("delivered")
def test_a_bundle_is_proven_with_and_without_our_settings(
    seatrial: Program, tmp_path: Path
) -> None:
    for place in ("device", "device.tar.gz"):
        target = str(tmp_path / place)
        assert seatrial("bundle", f"{MODEL}@production", "-o", target).code == 0
        assert seatrial("env", "verify", target).code == 0
        assert seatrial("env", "verify", target, "--plain", "--rows-at-once", "0").code == 0
    # what it was trained in, and what it needs, without a project
    told = seatrial("env", "compare", str(tmp_path / "device"), "here", "--json").json
    assert (told["for"], told["verdict"]) == (f"{MODEL} version 1", "pass")


@pytest.mark.usefixtures("delivered")
def test_a_proof_that_a_device_brings_settles_what_its_capture_cannot(
    seatrial: Program, tmp_path: Path
) -> None:
    proof = seatrial("env", "verify", f"{MODEL}@production", "--json").json
    there = {**proof["environment"], "machine": "riscv64"}
    proof["environment"] = {**there, "hash": fingerprint(there)}
    capture, proven = tmp_path / "capture.json", tmp_path / "proof.json"
    capture.write_text(json.dumps(proof["environment"]))
    proven.write_text(json.dumps(proof))
    said = seatrial("env", "compare", f"{MODEL}@production", str(capture))
    assert said.code == 1
    assert "error machine" in said.out
    assert "on that machine: python -m seatrial.environment verify" in said.out
    said = seatrial("env", "compare", f"{MODEL}@production", str(proven))
    assert said.code == 0
    assert "warn machine" in said.out
    assert "proven: proof answered the golden rows as it must" in said.out
    three = [f"{MODEL}@production", str(proven), str(capture)]
    told = seatrial("env", "compare", *three, "--json").json
    assert told["proven"] == {f"{MODEL} version 1": None, "proof": True, "capture": None}
    assert told["verdict"] == "fail"  # the bare capture proves nothing
    assert seatrial("env", "compare", *three[:2], str(proven)).code == 0
    proof["proof"]["model.onnx"]["ok"] = False
    proven.write_text(json.dumps(proof))
    said = seatrial("env", "compare", f"{MODEL}@production", str(proven))
    assert said.code == 1
    assert "refuted: proof did not answer the golden rows as it must" in said.out
    # the proof of another version is a capture and no more
    proven.write_text(json.dumps({**proof, "digest": f"sha256:{'0' * 64}"}))
    assert seatrial("env", "compare", f"{MODEL}@production", str(proven)).code == 1


@pytest.mark.usefixtures("delivered")
def test_a_bundle_that_was_damaged_on_the_way(seatrial: Program, tmp_path: Path) -> None:
    whole, cut = tmp_path / "device.tar.gz", tmp_path / "cut.tar.gz"
    assert seatrial("bundle", f"{MODEL}@production", "-o", str(whole)).code == 0
    cut.write_bytes(whole.read_bytes()[:-2000])
    folder = tmp_path / "device"
    assert seatrial("bundle", f"{MODEL}@production", "-o", str(folder)).code == 0
    model = bytearray((folder / "model.onnx").read_bytes())
    model[len(model) // 2] ^= 1
    (folder / "model.onnx").write_bytes(model)
    for place, code, sentence in ((cut, 2, "cut.tar.gz"), (folder, 5, "model.onnx")):
        for words in (["verify", str(place)], ["compare", str(place), "here"]):
            said = seatrial("env", *words)
            assert said.code == code
            assert sentence in said.err
            assert len(said.err.splitlines()) <= 6


@pytest.mark.usefixtures("delivered")
def test_nothing_is_left_behind_and_nothing_is_recorded(
    delivered: Project, seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = delivered.query("SELECT count(*) FROM event"), delivered.snapshot()
    assert seatrial("env", "verify", f"{MODEL}@production").code == 0
    assert (delivered.query("SELECT count(*) FROM event"), delivered.snapshot()) == before
    assert [*temporary.iterdir()] == []


@pytest.mark.usefixtures("delivered")
def test_a_damaged_file_of_the_version_is_in_the_way(delivered: Project, seatrial: Program) -> None:
    digest = seatrial("models", "--json").json[0]["digest"].removeprefix("sha256:")
    blobs = {file.name: file for file in (delivered.folder / ".seatrial" / "blobs").rglob("*")}
    manifest = json.loads(next(f for n, f in blobs.items() if digest.endswith(n)).read_bytes())
    model = manifest["files"]["model.onnx"].removeprefix("sha256:")
    file = next(f for n, f in blobs.items() if f.is_file() and model.endswith(n))
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    said = seatrial("env", "verify", f"{MODEL}@production")
    assert said.code == 5
    assert "no longer matches its digest" in said.err
    assert len(said.err.splitlines()) <= 6


@pytest.mark.usefixtures("delivered")
def test_who_asks_loads_neither_numpy_nor_onnxruntime(tmp_path: Path, seatrial: Program) -> None:
    target = str(tmp_path / "device")
    assert seatrial("bundle", f"{MODEL}@production", "-o", target).code == 0
    program = (
        "import sys; from seatrial.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'onnxruntime', 'sqlalchemy'} & set(sys.modules))"
    )
    words = [sys.executable, "-c", program, "env", "verify", target]
    ended = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    assert ended.stdout.startswith("yes: ")
    assert ended.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("nowhere", "there is no such bundle"),
        ("production", "a version such as MODEL@production"),
        ("data", "bundle.json"),
        ("pipeline.yaml", "no bundle"),
        (f"{MODEL}@9", "9"),
        ("other@1", "there is no model 'other'"),
        ("", "empty"),
    ],
)
@pytest.mark.usefixtures("delivered")
def test_what_is_no_version_and_no_bundle(target: str, sentence: str, seatrial: Program) -> None:
    said = seatrial("env", "verify", target)
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.splitlines()) <= 6


@pytest.mark.parametrize("target", ["x" * 300, f"{'x' * 300}@1"])
def test_a_name_that_no_file_can_have(target: str, seatrial: Program) -> None:
    said = seatrial("env", "verify", target)
    assert (said.code, said.out) == (2, "")


def test_a_version_without_a_project(
    seatrial: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = seatrial("env", "verify", "m@production")
    assert said.code == 2
    assert "there is no project here" in said.err
    assert not list(tmp_path.iterdir())
