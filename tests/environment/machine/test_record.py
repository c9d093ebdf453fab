"""A RECORD: one digest for every installer, and each file that is not what it says."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.machine.record import FILES, altered, digest, rows

WHEEL = b"a.py,sha256=YQ,1\nlib/b.so,sha256=Yg,2\nx-1.dist-info/METADATA,sha256=Yw,3\n"

ADDED = (
    b"x-1.dist-info/INSTALLER,sha256=ZA,4",
    b"x-1.dist-info/REQUESTED,sha256=ZA,0",
    b"x-1.dist-info/RECORD,,",
    b"x-1.dist-info/direct_url.json,sha256=ZA,9",
    b"x-1.dist-info/uv_cache.json,sha256=ZA,9",
    b"__pycache__/a.cpython-311.pyc,,",
    b"a.pyc,sha256=ZA,9",
    b"../../../bin/x,sha256=ZA,9",
    b"../../Scripts/x.exe,sha256=ZA,9",
    b"bin/x,sha256=ZA,9",
    b"../../../include/site/python3.11/x/h.h,sha256=ZA,9",
    b"/opt/somewhere/x,sha256=ZA,9",
)


@given(st.permutations(WHEEL.splitlines()), st.lists(st.sampled_from(ADDED)))
def test_what_an_installer_adds_or_orders_does_not_count(
    wheel: list[bytes], added: list[bytes]
) -> None:
    assert digest(b"\r\n".join([*added, *wheel])) == digest(WHEEL)


@pytest.mark.parametrize(
    "changed",
    [
        WHEEL.replace(b"YQ", b"Yg"),
        WHEEL.replace(b"a.py", b"c.py"),
        WHEEL + b"d.py,sha256=ZA,4\n",
        WHEEL + b"INSTALLER,sha256=ZA,4\n",
        WHEEL + b"../../../lib/libmkl.so,sha256=ZA,4\n",
        b"\n".join(WHEEL.splitlines()[1:]),
    ],
)
def test_another_file_makes_another_digest(changed: bytes) -> None:
    assert digest(changed) != digest(WHEEL)


def test_what_is_installed_beside_the_packages_counts_wherever_that_is() -> None:
    one, other = (WHEEL + up + b"lib/libmkl.so,sha256=ZA,4\n" for up in (b"../../../", b"../../"))
    assert digest(one) == digest(other)


@given(st.binary(max_size=200))
def test_any_bytes_have_a_digest(record: bytes) -> None:
    assert digest(record) == digest(record)
    assert len([*rows(record)]) <= record.count(b"\n") + 1


def _made_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda _: None, []),
        (lambda file: file.write_bytes(b"y"), ["pack/a.py"]),
        (lambda file: file.write_bytes(b"xy"), ["pack/a.py"]),
        (lambda file: file.unlink(), ["pack/a.py (missing)"]),
        (lambda file: (file.unlink(), file.mkdir()), ["pack/a.py"]),
        (_made_a_pipe, ["pack/a.py"]),
        (lambda file: (file.unlink(), file.symlink_to(file)), ["pack/a.py (not readable)"]),
        (lambda file: (file.unlink(), file.parent.rmdir()), ["pack/a.py (missing)"]),
    ],
)
def test_a_file_that_is_not_what_is_recorded_is_named(
    tmp_path: Path, change: object, told: list[str]
) -> None:
    file = tmp_path / "pack" / "a.py"
    file.parent.mkdir()
    file.write_bytes(b"x")
    assert callable(change)
    change(file)
    assert altered(_record({"pack/a.py": b"x"}), tmp_path) == told


def test_many_altered_files_are_counted(tmp_path: Path) -> None:
    found = altered(_record({f"{number}.py": b"x" for number in range(FILES + 7)}), tmp_path)
    assert found is not None
    assert len(found) == FILES + 1
    assert found[-1] == "and 7 more"


def test_compiled_files_and_moved_scripts_are_not_missed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x")
    record = _record({"a.py": b"x", "a.pyc": b"y", "../../bin/tool": b"z"}) + b"b.py,,\n"
    assert altered(record, tmp_path) == []


@pytest.mark.parametrize("record", [b"", b"a.py,,\n", b"a.py,md5=YQ,1\n", b",,,"])
def test_a_record_without_digests_proves_nothing(tmp_path: Path, record: bytes) -> None:
    assert altered(record, tmp_path) is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_verified(record: bytes) -> None:
    altered(record, Path("nowhere"))


def test_a_file_under_an_unknown_digest_leaves_the_rest_unproven(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"x")
    assert altered(_record({"a.py": b"x"}) + b"b.py,md5=YQ,1\n", tmp_path) is None
    assert altered(_record({"a.py": b"y"}) + b"b.py,md5=YQ,1\n", tmp_path) == ["a.py"]


def _record(files: dict[str, bytes]) -> bytes:
    found = {
        path: base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        for path, content in files.items()
    }
    lines = [f"{path},sha256={digest},{len(files[path])}\n" for path, digest in found.items()]
    return "".join(lines).encode()
