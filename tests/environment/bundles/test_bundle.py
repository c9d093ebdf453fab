"""A bundle holds what a device needs, whole or not at all, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from bundles import SOURCE, Version, flights_late, numbers_only
from seatrial.environment.bundles import bundle, bundled, carried, listing
from seatrial.errors import SeatrialError, StoreError, UsageError
from seatrial.inference import opening
from seatrial.inference.matrix import FEATURES

WRITES = """
import os, resource, signal, sys
from pathlib import Path
sys.path[:0] = {support!r}
from bundles import Version
def strike(event, arguments):
    if event == "open" and str(arguments[0]).endswith({file!r}) and str(arguments[1])[0] in "wx":
        os.kill(os.getpid(), signal.SIGKILL)
version = Version({{"model.onnx": b"0" * 500_000, "golden.json": b"1"}},
                  {{"signature": {{"inputs": [], "problem": "numbers", "classes": []}}}})
{fault}
try:
    version.write(Path({target!r}))
except Exception as error:
    print(type(error).__name__, error)
"""


def writing(
    target: Path, *, fault: str, file: str = "golden.json"
) -> subprocess.CompletedProcess[str]:
    """Write a bundle in a process of its own, in which a fault strikes."""
    support = str(Path(__file__).parents[2] / "support")
    program = WRITES.format(support=[support], target=str(target), fault=fault, file=file)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flights_late().write(tmp_path_factory.mktemp("bundles") / "flights").place


def names_in(folder: Path) -> set[str]:
    found = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    return {name for name in found if "__pycache__" not in name}


def test_it_holds_what_answers_and_what_proves_and_nothing_of_the_training(folder: Path) -> None:
    top = {name for name in names_in(folder) if "/" not in name}
    assert top == {"bundle.json", "manifest.json", "model.onnx", "golden.json", "README.txt"}
    code = {name for name in names_in(folder) if "/" in name}
    assert code == set(carried.carried())
    listed = json.loads((folder / "bundle.json").read_text())
    assert set(listed["files"]) == names_in(folder) - {"bundle.json"}
    for name, told in listed["files"].items():
        content = (folder / name).read_bytes()
        assert told["bytes"] == len(content)
        assert told["sha256"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert listed["digest"] == listed["files"]["manifest.json"]["sha256"]
    assert listed["created"] == "2026-11-01T10:00:00+00:00"


def test_a_model_of_numbers_brings_its_matrix(tmp_path: Path) -> None:
    written = numbers_only().write(tmp_path / "numbers")
    assert "matrix.onnx" in written.listing.files
    assert f"'{FEATURES}'" in (written.place / "README.txt").read_text()


@pytest.mark.parametrize("ending", [".tar.gz", ".tgz", ".zip"])
def test_an_archive_is_the_same_bytes_again_and_holds_the_same_files(
    folder: Path, tmp_path: Path, ending: str
) -> None:
    first = flights_late().write(tmp_path / f"first{ending}").place
    second = flights_late().write(tmp_path / f"second{ending}").place
    assert first.read_bytes() == second.read_bytes()
    opened = tmp_path / "opened"
    if ending == ".zip":
        with zipfile.ZipFile(first) as archive:
            archive.extractall(opened)  # noqa: S202 - our own
    else:
        with tarfile.open(first) as archive:
            archive.extractall(opened, filter="data")
    assert names_in(opened) == names_in(folder)
    assert all((opened / n).read_bytes() == (folder / n).read_bytes() for n in names_in(folder))


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert names_in(flights_late().write(tmp_path / "empty").place)


def test_what_is_there_already_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "old.zip").write_text("mine")
    (tmp_path / "here").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    monkeypatch.chdir(tmp_path / "here")
    before = sorted(tmp_path.rglob("*"))
    for name in ("full", "old.zip", "here", "nowhere", "absent/bundle"):
        with pytest.raises(UsageError) as refused:
            flights_late().write(tmp_path / name)
        assert refused.value.mistakes[0].fix
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "full" / "mine").read_text() == "mine"


@pytest.mark.parametrize("name", ["bundle", "bundle.zip", "bundle.tar.gz"])
def test_killed_in_the_middle_it_leaves_nothing_at_the_target(tmp_path: Path, name: str) -> None:
    file = "golden.json" if name == "bundle" else name
    ended = writing(tmp_path / name, fault="sys.addaudithook(strike)", file=file)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["bundle", "bundle.tar.gz"])
def test_a_full_disk_leaves_nothing_at_all(tmp_path: Path, name: str) -> None:
    limit = 20_000
    ended = writing(
        tmp_path / name, fault=f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    )
    assert ended.stdout.startswith("StoreError the bundle cannot be written: File too large")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody may write")
def test_where_nobody_may_write_it_says_so() -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        flights_late().write(Path("/proc/bundle"))


@pytest.mark.parametrize("absent", ["model.onnx", "golden.json"])
def test_a_version_without_a_model_or_golden_rows_is_none(tmp_path: Path, absent: str) -> None:
    version = flights_late()
    del version.files[absent]
    with pytest.raises(StoreError, match=f"names no {absent}"):
        version.write(tmp_path / "bundle")
    assert not list(tmp_path.iterdir())


def test_a_damaged_blob_leaves_nothing(tmp_path: Path) -> None:
    def read(digest: str) -> bytes:
        raise StoreError(f"{digest} no longer matches its digest")

    files = {"model.onnx": "sha256:aa", "golden.json": "sha256:bb"}
    with pytest.raises(SeatrialError, match="no longer matches"):
        bundle.write(
            tmp_path / "bundle",
            manifest_bytes=json.dumps({"files": files}).encode(),
            digest="sha256:cc",
            read=read,
            model="m",
            version=1,
            created="",
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("version", [flights_late(), numbers_only()], ids=["words", "numbers"])
def test_the_example_in_its_readme_answers(tmp_path: Path, version: Version) -> None:
    place = version.write(tmp_path / "bundle").place
    text = (place / "README.txt").read_text()
    example = textwrap.dedent(text[text.index("    import numpy") :].partition("\n\n")[0])
    assert len(example.splitlines()) <= 10
    ended = subprocess.run(
        [sys.executable, "-I", "-c", example],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith("[array([")
    assert f"{bundled.CODE}.environment verify ." in text


def test_the_code_that_it_carries_is_all_that_it_imports(folder: Path) -> None:
    modules = [
        name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        for name in carried.carried()
    ]
    asked = [name for name in modules if name.split(".")[1:2] in (["environment"], ["inference"])]
    program = (
        "import importlib, json, sys; sys.path.insert(0, '.')\n"
        f"for name in {asked}: importlib.import_module(name)\n"
        "print(json.dumps(sorted(n for n in sys.modules if n.partition('.')[0] == 'seatrial')))\n"
        "print(sys.modules['seatrial'].__file__)"
    )
    ended = subprocess.run(
        [sys.executable, "-B", "-P", "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    imported, place = ended.stdout.splitlines()
    assert sorted(json.loads(imported)) == sorted(modules)
    assert (folder / place).samefile(folder / "seatrial" / "__init__.py")


def test_names_are_those_by_which_a_version_keeps_its_files() -> None:
    assert bundled.FORMS == opening.FORMS


def test_to_write_and_read_bundles_loads_no_numpy() -> None:
    program = (
        "import sys; import seatrial.environment.bundles.bundle;"
        "import seatrial.environment.proof.proving;"
        "sys.exit(', '.join({'numpy', 'onnxruntime', 'threadpoolctl'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=SOURCE, env={**os.environ})


def test_its_listing_reads_back(folder: Path) -> None:
    content = (folder / listing.NAME).read_bytes()
    assert listing.read(content, "here").written() == content
