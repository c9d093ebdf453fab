"""Installed packages as they are: named once, by whoever installed them, and none invented."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from seatrial.environment.machine.packages import dependencies, packages, verified

BIN = Path(sys.executable).parent


def test_this_interpreter_is_described_as_it_describes_itself() -> None:
    found = packages()
    assert found.dependencies["numpy"] == metadata.version("numpy")
    assert found.dependencies["scikit-learn"] == metadata.version("scikit-learn")
    assert list(found.dependencies) == sorted(found.dependencies)
    assert all(name == name.lower() and "_" not in name for name in found.dependencies)
    assert found.records["numpy"].startswith("sha256:")
    assert dependencies() == found.dependencies
    assert packages() == found


def test_a_name_is_told_in_its_normal_form(tmp_path: Path) -> None:
    planted(tmp_path, "Some_Odd.Name", "1.0")
    assert packages([str(tmp_path)]).dependencies == {"some-odd-name": "1.0"}


def test_of_two_versions_the_first_on_the_path_counts_and_the_other_is_told(tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in "abc")
    planted(first, "thing", "2.0")
    planted(second, "Thing", "1.0")
    planted(third, "thing", "2.0")
    found = packages([str(first), str(second), str(third)])
    assert found.dependencies == {"thing": "2.0"}
    assert found.hidden == {"thing": ["1.0"]}


def test_one_folder_that_is_twice_on_the_path_hides_nothing(tmp_path: Path) -> None:
    planted(tmp_path / "lib", "thing", "1.0")
    (tmp_path / "lib64").symlink_to(tmp_path / "lib")
    found = packages([str(tmp_path / "lib"), str(tmp_path / "lib64")])
    assert found.dependencies == {"thing": "1.0"}
    assert found.hidden == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, {}),
        (b"", {}),
        (b"Metadata-Version: 2.1\nVersion: 1.0\n", {}),
        (b"Name:\nVersion: 1.0\n", {}),
        (b"Summary: nothing\n\nName: thing\nVersion: 1.0\n", {}),
        (b"\xff\xfe\x00N\x00a", {}),
        (b"Name: thing\n", {"thing": "1.0"}),
        (b"name:  thing  \r\nVERSION:1.0\r\n\r\nName: other\r\n", {"thing": "1.0"}),
        (b"Name: thing\nAuthor: J\xf6rg\nVersion: 1.0\n\n", {"thing": "1.0"}),
        (b"Author: " + b"x" * 9000 + b"\nName: thing\nVersion: 1.0\n\n", {"thing": "1.0"}),
        (b"Name: thing\nVersion: 1.0\n\nabout " + b"x" * 9000, {"thing": "1.0"}),
    ],
)
def test_metadata_of_any_kind(tmp_path: Path, text: bytes | None, told: dict[str, str]) -> None:
    folder = tmp_path / "thing-1.0.dist-info"
    folder.mkdir()
    if text is not None:
        (folder / "METADATA").write_bytes(text)
    found = packages([str(tmp_path)])
    assert found.dependencies == told
    assert found.unnamed == ([] if told else ["thing-1.0.dist-info"])
    assert found.records == {}


def test_what_a_broken_update_left_is_no_package(tmp_path: Path) -> None:
    left = tmp_path / "~umpy-1.0.dist-info"
    planted(tmp_path, "numpy", "1.0").rename(left)
    planted(tmp_path, "numpy", "2.0")
    found = packages([str(tmp_path)])
    assert found.dependencies == {"numpy": "2.0"}
    assert found.hidden == {}
    assert found.unnamed == ["~umpy-1.0.dist-info"]


def test_old_forms_of_metadata(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    (site / "one-1.0-py3.11.egg-info").mkdir(parents=True)
    (site / "one-1.0-py3.11.egg-info" / "PKG-INFO").write_text("Name: one\nVersion: 1.0\n")
    (site / "two-2.0.egg-info").write_text("Name: two\nVersion: 2.0\n")
    with zipfile.ZipFile(site / "three-3.0-py3.11.egg", "w") as egg:
        egg.writestr("EGG-INFO/PKG-INFO", "Name: three\nVersion: 3.0\n\n")
        egg.writestr("three.py", "")
    found = packages([str(site), str(site / "three-3.0-py3.11.egg")])
    assert found.dependencies == {"one": "1.0", "three": "3.0", "two": "2.0"}
    assert found.editable == []
    assert found.records == {}


def test_a_file_that_is_no_zip_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken-1.0.egg").write_bytes(b"PK\x03\x04 and then nothing")
    planted(tmp_path / "site", "thing", "1.0")
    where = [str(tmp_path / "broken-1.0.egg"), str(tmp_path / "none"), str(tmp_path / "site")]
    assert packages(where).dependencies == {"thing": "1.0"}


@pytest.mark.parametrize(
    ("told", "is_editable"),
    [
        ('{"url": "file:///x", "dir_info": {"editable": true}}', True),
        ('{"url": "file:///x", "dir_info": {}}', False),
        ('{"url": "https://x/y.whl", "archive_info": {}}', False),
        ('{"url": "file:///x", "dir_info": null}', False),
        ("[]", False),
        ("{", False),
        ("[" * 100_000, False),
    ],
)
def test_the_installer_says_what_is_editable(
    tmp_path: Path, told: str, *, is_editable: bool
) -> None:
    folder = planted(tmp_path, "thing", "1.0")
    (folder / "direct_url.json").write_text(told)
    found = packages([str(tmp_path)])
    assert found.editable == (["thing"] if is_editable else [])
    # Its files are links to a working folder: a digest of them would say nothing of the code.
    assert list(found.records) == ([] if is_editable else ["thing"])
    assert verified("all", [str(tmp_path)]).names == ([] if is_editable else ["thing"])


@pytest.mark.parametrize(
    "link", ["__editable__.thing-1.0.pth", "_editable_impl_thing.pth", "__editable___thing_1_0.py"]
)
def test_an_editable_package_is_known_by_what_its_builder_left(tmp_path: Path, link: str) -> None:
    folder = planted(tmp_path, "thing", "1.0")
    with (folder / "RECORD").open("a") as record:
        record.write(f"{link},sha256=YQ,1\n")
    assert packages([str(tmp_path)]).editable == ["thing"]


def test_metadata_beside_the_source_are_editable(tmp_path: Path) -> None:
    (tmp_path / "src" / "thing.egg-info").mkdir(parents=True)
    (tmp_path / "src" / "thing.egg-info" / "PKG-INFO").write_text("Name: thing\nVersion: 1.0\n")
    assert packages([str(tmp_path / "src")]).editable == ["thing"]


def test_a_folder_that_disappears_while_it_is_read_is_left_out(tmp_path: Path) -> None:
    planted(tmp_path, "thing", "1.0")
    (tmp_path / "gone-1.0.dist-info").symlink_to(tmp_path / "nowhere")
    found = packages([str(tmp_path)])
    assert found.dependencies == {"thing": "1.0"}
    assert found.unnamed == []


def test_an_installer_at_work_does_no_harm(tmp_path: Path) -> None:
    planted(tmp_path, "steady", "1.0")
    folder, aside = planted(tmp_path, "moving", "1.0"), tmp_path / "aside"
    done = threading.Event()

    def move() -> None:
        while not done.is_set():
            folder.rename(aside)
            aside.rename(folder)

    mover = threading.Thread(target=move)
    mover.start()
    try:
        for _ in range(200):
            found = packages([str(tmp_path)])
            assert found.dependencies["steady"] == "1.0"
            assert set(found.dependencies) <= {"steady", "moving"}
    finally:
        done.set()
        mover.join()


def test_what_may_not_be_read_is_told_by_its_folder() -> None:
    code = (
        "import json, sys; from dataclasses import asdict;"
        "from seatrial.environment.machine.packages import packages;"
        "print(json.dumps(asdict(packages(sys.argv[1:]))))"
    )
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        site.chmod(0o755)
        planted(site, "thing", "1.0")
        (planted(site, "closed", "1.0") / "METADATA").chmod(0)
        (site / "shut").mkdir(mode=0)
        planted(site / "listed", "inside", "1.0")
        (site / "listed").chmod(0o744)
        where = [str(site / "shut"), str(site / "listed"), folder]
        found = json.loads(_as_nobody(code, *where))
        (site / "listed").chmod(0o755)
    assert found["dependencies"] == {"thing": "1.0"}
    assert found["unnamed"] == ["closed-1.0.dist-info", "inside-1.0.dist-info"]


def test_pip_and_uv_leave_the_same_record(tmp_path: Path) -> None:
    wheel = built(tmp_path)
    sites = [tmp_path / "by_pip", tmp_path / "again"]
    for site in sites:
        compiled = "--compile" if site is sites[0] else "--no-compile"
        _run(
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"),
            *("--no-index", compiled, "--target", str(site), str(wheel)),
        )
    if (BIN / "uv").exists():
        sites.append(tmp_path / "by_uv")
        _run(
            *(str(BIN / "uv"), "pip", "install", "--offline", "--no-deps", "--no-index"),
            *("--cache-dir", str(tmp_path / "cache"), "--python", sys.executable),
            *("--target", str(sites[-1]), str(wheel)),
        )
    found = [packages([str(site)]) for site in sites]
    assert all(each.dependencies == {"small-pack": "1.0"} for each in found)
    assert len({json.dumps(each.records) for each in found}) == 1
    raw = {(site / "Small.Pack-1.0.dist-info/RECORD").read_text() for site in sites}
    assert len(raw) == len(sites)  # though each installer writes it in its own way
    for site in sites:
        assert verified("all", [str(site)]) == verified(["Small_Pack"], [str(site)])
        assert verified("all", [str(site)]).names == ["small-pack"]
        assert verified("all", [str(site)]).altered == {}


def test_another_build_of_the_same_version_has_another_record(tmp_path: Path) -> None:
    planted(tmp_path / "a", "thing", "1.0", files={"thing.py": b"x = 1\n"})
    planted(tmp_path / "b", "thing", "1.0", files={"thing.py": b"x = 2\n"})
    first, second = (packages([str(tmp_path / each)]) for each in "ab")
    assert first.dependencies == second.dependencies
    assert first.records != second.records


def test_one_changed_byte_of_a_real_package_is_found(tmp_path: Path) -> None:
    copied(tmp_path, "click", "threadpoolctl")
    assert verified("all", [str(tmp_path)]).altered == {}
    file = tmp_path / "threadpoolctl.py"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    found = verified("all", [str(tmp_path)])
    assert found.names == ["click", "threadpoolctl"]
    assert found.altered == {"threadpoolctl": ["threadpoolctl.py"]}
    # Without being asked for, no file is read.
    assert verified(["click"], [str(tmp_path)]).altered == {}
    # What it was installed as stays what its installer said.
    assert packages([str(tmp_path)]).records["threadpoolctl"] == packages().records["threadpoolctl"]


@pytest.mark.parametrize("is_copied", [False, True])
def test_a_copy_without_metadata_before_a_package_is_found(
    tmp_path: Path, *, is_copied: bool
) -> None:
    """It is what would be imported, and nobody knows what it is."""
    if is_copied:
        module = Path(str(metadata.distribution("threadpoolctl").locate_file("threadpoolctl.py")))
        (tmp_path / "threadpoolctl.py").write_bytes(module.read_bytes())
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        "from seatrial.environment.machine.packages import verified;"
        "print(json.dumps(verified(['threadpoolctl', 'numpy']).altered))"
    )
    told = json.loads(_run(sys.executable, "-c", code, str(tmp_path)))
    hidden = ["threadpoolctl.py (another threadpoolctl stands before it on the path: remove that)"]
    assert told == ({"threadpoolctl": hidden} if is_copied else {})


def test_packages_that_nothing_is_recorded_of_are_not_verified(tmp_path: Path) -> None:
    (planted(tmp_path, "thing", "1.0") / "RECORD").unlink()
    (planted(tmp_path, "empty", "1.0") / "RECORD").write_text("")
    assert verified("all", [str(tmp_path)]).names == []
    assert verified(["absent", "thing", "empty"], [str(tmp_path)]).names == []


def test_a_hidden_package_is_not_the_one_that_is_verified(tmp_path: Path) -> None:
    planted(tmp_path / "a", "thing", "2.0", files={"thing.py": b"x = 2\n"})
    planted(tmp_path / "b", "thing", "1.0", files={"thing.py": b"x = 1\n"})
    (tmp_path / "b" / "thing.py").write_bytes(b"x = 3\n")
    found = verified(["thing"], [str(tmp_path / "a"), str(tmp_path / "b")])
    assert (found.names, found.altered) == (["thing"], {})


def planted(site: Path, name: str, version: str, files: dict[str, bytes] | None = None) -> Path:
    """A package as an installer leaves it; its folder of metadata."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    rows = []
    for path, content in (files or {f"{name}.py": b"x = 0\n"}).items():
        (site / path).write_bytes(content)
        rows.append(f"{path},{_digest(content)},{len(content)}")
    (folder / "RECORD").write_text("\n".join([*rows, f"{folder.name}/RECORD,,", ""]))
    return folder


def copied(site: Path, *names: str) -> None:
    """Packages of this interpreter in a folder of their own."""
    for name in names:
        for file in metadata.files(name) or ():
            if ".." not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(Path(str(file.locate())).read_bytes())


def built(folder: Path) -> Path:
    """A wheel with all that installers treat in ways of their own."""
    info = "Small.Pack-1.0.dist-info"
    files = {
        "small/__init__.py": b"def main(): pass\n",
        "small/a,b.txt": b"a comma",
        "small/\u00fcber.txt": b"letters",
        "Small.Pack-1.0.data/scripts/tool.py": b"#!python\nprint(2)\n",
        "Small.Pack-1.0.data/purelib/extra.py": b"x = 1\n",
        "Small.Pack-1.0.data/data/share/small.txt": b"data",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: Small.Pack\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": b"[console_scripts]\nsmall = small:main\n",
    }
    rows = [f'"{name}",{_digest(content)},{len(content)}' for name, content in files.items()]
    files[f"{info}/RECORD"] = "\r\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / "Small.Pack-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


def _digest(content: bytes) -> str:
    found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={found.decode()}"


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _as_nobody(code: str, *arguments: str) -> str:
    """What a program prints that has no more rights than anyone: root may read everything."""
    drop = "import os; os.getuid() or (os.setgid(65534), os.setuid(65534));"
    # Imported before the rights are dropped: the interpreter may lie where others may not look.
    load = "import importlib.metadata, seatrial.environment.machine.packages;"
    return _run(sys.executable, "-c", load + drop + code, *arguments)
