"""A blob is whole or absent, and never something else than its name says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.errors import StoreError
from seatrial.ledger.blobs import Blobs, digest_of

if TYPE_CHECKING:
    from pathlib import Path


@given(st.binary(max_size=200))
def test_what_is_put_comes_back(tmp_path: Path, content: bytes) -> None:
    blobs = Blobs(tmp_path / "blobs")
    digest = blobs.put(content)
    assert digest == digest_of(content)
    assert blobs.get(digest) == content
    assert blobs.has(digest)


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"once")
    first = blobs.path(digest).stat()
    assert blobs.put(b"once") == digest
    assert blobs.path(digest).stat().st_ino == first.st_ino
    assert [found for found, _ in blobs.all()] == [digest]
    assert not list(blobs.partial())


def test_a_damaged_blob_is_refused_and_says_whose_it_is(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    blobs.path(digest).write_bytes(b"contemt")
    with pytest.raises(StoreError, match="of model m version 3 no longer matches its digest"):
        blobs.get(digest, of="model m version 3")


def test_what_the_disk_does_not_give_is_damage_too(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    blobs.path(digest).unlink()
    blobs.path(digest).mkdir()
    with pytest.raises(StoreError, match="of model m version 3 cannot be read: Is a directory"):
        blobs.get(digest, of="model m version 3")


def test_what_the_disk_does_not_take_is_said(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"in the way")
    with pytest.raises(StoreError, match="cannot keep a blob: File exists"):
        Blobs(tmp_path).put(b"content")


def test_a_missing_blob_says_so(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    digest = blobs.put(b"content")
    blobs.path(digest).unlink()
    assert not blobs.has(digest)
    with pytest.raises(StoreError, match="is missing") as raised:
        blobs.get(digest)
    assert raised.value.exit_code == 5
    assert blobs.put(b"content") == digest
    assert blobs.get(digest) == b"content"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    blobs = Blobs(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr("seatrial.ledger.blobs.os.fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            blobs.put(b"content")
    assert not list(blobs.partial())
    assert not list(blobs.all())


WRITER = """
import sys
from itertools import count
from pathlib import Path
from seatrial.ledger.blobs import Blobs
blobs = Blobs(Path(sys.argv[1]))
for number in count():
    blobs.put(str(number).encode() * 100_000)
"""


def test_a_killed_writer_leaves_whole_blobs_and_part_files(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)])
        started = time.monotonic()
        while len(list(blobs.all())) < 5 and time.monotonic() < started + 20:
            time.sleep(0.01)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        kept = list(blobs.all())
        assert len(kept) >= 5
        for digest, path in kept:
            blobs.get(digest)
            path.unlink()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == sorted(blobs.partial())
