"""Blobs that several machines share: the store is the truth, what lies here are copies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import fsspec
import pytest

from seatrial.errors import StoreError, UsageError
from seatrial.ledger.blobs import Blobs, blobs_at, digest_of, open_blobs
from seatrial.ledger.bringing import bring
from seatrial.ledger.store import canonical
from seatrial.serve.owed import Owed
from stores import _s3_server as _s3_server  # noqa: PLC0414 - a fixture is known by its import
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow  # a store of its own


@pytest.fixture
def bucket(s3: str, tmp_path: Path) -> str:
    """A bucket of the test's own."""
    name = f"harbour-{abs(hash(tmp_path)):x}"
    fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=s3).mkdir(name)
    return f"s3://{name}"


@pytest.fixture(params=["s3", "memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An object store, one that fsspec has in memory, and a folder that machines share."""
    if request.param == "s3":
        yield f"{request.getfixturevalue('bucket')}/flights/"
    elif request.param == "file":
        yield f"file://{tmp_path}/shared"
    else:
        yield "memory://shared/flights"
        fsspec.filesystem("memory").rm("/", recursive=True)


def test_what_one_machine_puts_another_gets(address: str, tmp_path: Path) -> None:
    one, other = (open_blobs(tmp_path / home, address) for home in ("one", "other"))
    content = os.urandom(100_000)
    digest = one.put(content)
    assert digest == digest_of(content)
    assert one.has(digest)
    assert other.has(digest)
    assert not other.path(digest).exists()
    assert other.get(digest) == content
    assert other.path(digest).read_bytes() == content
    empty = one.put(b"")
    assert other.get(empty) == b""
    assert not other.has(digest_of(b"never put"))
    with pytest.raises(StoreError, match="a blob of m version 3 is missing") as caught:
        other.get(digest_of(b"never put"), of="m version 3")
    assert f"where: {address.rstrip('/')}/" in str(caught.value)


def test_what_is_here_is_read_without_the_store(address: str, tmp_path: Path) -> None:
    home = tmp_path / "one"
    digest = open_blobs(home, address).put(b"content")
    gone = open_blobs(home, "s3://127.0.0.1:9/gone")
    assert gone.get(digest) == b"content"
    assert gone.file(digest).read_bytes() == b"content"


def test_what_must_not_wait_is_kept_here_and_brought_later(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "one"
    told: list[str] = []
    with monkeypatch.context() as trouble:
        trouble.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        away = open_blobs(home, "s3://127.0.0.1:9/gone")
        digest = away.put_later(b"evidence")
        assert away.get(digest) == b"evidence"
        owed = Owed(away, lambda event, **_fields: told.append(event))
        owed.turn()
        owed.turn()  # not again at once
        assert told == ["store_in_trouble"]
    one, other = open_blobs(home, address), open_blobs(tmp_path / "other", address)
    assert not other.has(digest)
    Owed(one, lambda event, **_fields: told.append(event)).turn()
    assert other.get(digest) == b"evidence"
    assert list((one.folder / "owed").iterdir()) == []
    assert told == ["store_in_trouble"]


def test_what_is_owed_and_no_longer_whole_here_keeps_nothing_else_back(
    address: str, tmp_path: Path
) -> None:
    one = open_blobs(tmp_path / "one", address)
    gone, damaged, whole = map(one.put_later, (b"gone", b"damaged", b"whole"))
    one.path(gone).unlink()
    one.path(damaged).write_bytes(b"other")
    one.settle()
    assert [one.has(digest) for digest in (gone, damaged, whole)] == [False, False, True]
    assert list((one.folder / "owed").iterdir()) == []


def test_without_a_store_nothing_is_owed(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path, None)
    assert blobs.get(blobs.put_later(b"evidence")) == b"evidence"
    blobs.settle()
    assert not (blobs.folder / "owed").exists()


def test_a_damaged_copy_is_fetched_again(address: str, tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path / "one", address)
    digest = blobs.put(b"content")
    for damage in (b"contemt", b"", b"content and more"):
        blobs.path(digest).write_bytes(damage)
        assert blobs.get(digest) == b"content"
        assert blobs.path(digest).read_bytes() == b"content"
    blobs.path(digest).unlink()
    assert blobs.file(digest).read_bytes() == b"content"
    assert not list(blobs.partial())


def test_what_was_damaged_in_the_store_is_refused_and_put_right_by_the_next_put(
    address: str, tmp_path: Path
) -> None:
    one, other = (open_blobs(tmp_path / home, address) for home in ("one", "other"))
    digest = one.put(b"content")
    assert one.store
    assert other.store
    one.store.put(digest, b"contemt")
    with pytest.raises(StoreError, match="of m version 3 no longer matches its digest") as caught:
        other.get(digest, of="m version 3")
    assert other.store.place(digest) in str(caught.value)
    assert not other.path(digest).exists()
    assert one.put(b"content") == digest
    assert other.get(digest) == b"content"


def test_what_was_removed_from_the_store_is_not_kept_because_a_copy_lies_here(
    address: str, tmp_path: Path
) -> None:
    blobs = open_blobs(tmp_path / "one", address)
    digest = blobs.put(b"content")
    assert blobs.store
    blobs.store.remove(blobs.store.kept())
    assert not blobs.has(digest)
    assert blobs.get(digest) == b"content"
    assert blobs.put(b"content") == digest
    assert blobs.has(digest)


def test_the_store_comes_first(tmp_path: Path) -> None:
    """What could not be put there is not here either: nobody else would ever find it."""
    (tmp_path / "shared").write_text("no folder")
    blobs = open_blobs(tmp_path / "one", f"file://{tmp_path}/shared")
    with pytest.raises(StoreError, match="cannot keep a blob"):
        blobs.put(b"content")
    assert not list(blobs.all())
    assert not list(blobs.partial())


def test_a_version_is_brought_whole(address: str, tmp_path: Path) -> None:
    one, other = (open_blobs(tmp_path / home, address) for home in ("one", "other"))
    files = {name: one.put(name.encode()) for name in ("model.onnx", "golden.json")}
    manifest = one.put(canonical({"files": files}).encode())
    bring(other, manifest)
    alone = Blobs(other.folder)
    assert {alone.get(digest) for digest in files.values()} == {b"model.onnx", b"golden.json"}
    assert alone.has(manifest)


def test_without_a_store_bringing_looks_at_nothing(tmp_path: Path) -> None:
    bring(Blobs(tmp_path), digest_of(b"not even there"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("harbour/flights", "no address"),
        ("s3://", "no address"),
        ("s3:///", "no address"),
        ("s3:/harbour", "no address"),
        ("simplecache::s3://harbour", "no address"),
        ("s3://harbour/flights?secret=hush", "no address"),
        ("s3://key:hush@harbour/flights", "a password in the address"),
        ("sftp://me:hush@host/flights", "a password in the address"),
    ],
)
def test_what_is_no_address_is_told_at_once(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        open_blobs(tmp_path, address)
    assert "where: SEATRIAL_BLOBS" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_store_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown kind of store 'memroy://'") as caught:
        open_blobs(tmp_path, "memroy://harbour").put(b"content")
    assert caught.value.mistakes[0].nearest == "memory"


def test_a_store_whose_package_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="what speaks with az:// stores is not installed"
    ) as caught:
        open_blobs(tmp_path, "az://harbour/flights").put(b"content")
    assert "adlfs" in caught.value.mistakes[0].fix


def test_s3_that_is_not_installed_is_told_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(UsageError, match=r"s3:// stores is not installed") as caught:
        open_blobs(tmp_path, "s3://harbour/flights")
    assert caught.value.mistakes[0].fix == "pip install 'seatrial[s3]'"


def test_a_process_inherits_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert blobs_at(tmp_path).store is None
    monkeypatch.setenv("SEATRIAL_BLOBS", "")
    assert blobs_at(tmp_path).store is None
    monkeypatch.setenv("SEATRIAL_BLOBS", "memory://shared/")
    store = blobs_at(tmp_path).store
    assert store
    assert store.address == "memory://shared"


READER = """
import sys
from pathlib import Path
from seatrial.ledger.blobs import open_blobs
blobs = open_blobs(Path(sys.argv[1]), sys.argv[2])
for digest in sys.argv[3:]:
    blobs.get(digest)
print(*(name for name in ("fsspec", "s3fs", "aiobotocore") if name in sys.modules))
"""


def _python(code: str, *words: object) -> str:
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, words)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not said.stderr
    return said.stdout.strip()


def test_what_speaks_with_the_store_is_loaded_only_when_something_is_not_here(
    bucket: str, tmp_path: Path
) -> None:
    digest = open_blobs(tmp_path / "one", bucket).put(b"content")
    assert not _python(READER, tmp_path / "one", bucket, digest)
    assert _python(READER, tmp_path / "other", bucket, digest) == "fsspec s3fs aiobotocore"


FORKED = """
import os, sys, threading
from pathlib import Path
from seatrial.ledger.blobs import open_blobs
home, address = Path(sys.argv[1]), sys.argv[2]
blobs = open_blobs(home, address)
mine = blobs.put(b"of the parent")
child = os.fork()
if child == 0:
    blobs.path(mine).unlink()
    ok = blobs.get(mine) == b"of the parent" and blobs.has(blobs.put(b"of the child"))
    os._exit(0 if ok else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
threads = [
    threading.Thread(target=blobs.put, args=[bytes([number])]) for number in range(20)
]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(list(blobs.store.kept())))
"""


def test_forked_processes_and_threads_have_what_they_need(bucket: str, tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", FORKED, str(tmp_path), bucket],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert said.stdout.strip() == "22"


WRITER = """
import sys
from itertools import count
from pathlib import Path
from seatrial.ledger.blobs import open_blobs
blobs = open_blobs(Path(sys.argv[1]), sys.argv[2])
for number in count():
    blobs.put(f"{sys.argv[3]} {number} ".encode() * 300_000)
"""


@pytest.mark.parametrize("kind", ["s3", "file"])
def test_a_killed_writer_leaves_whole_blobs_in_the_store_and_here(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = f"file://{tmp_path}/shared"
    if kind == "s3":
        address = f"{request.getfixturevalue('bucket')}/flights"
    home = tmp_path / "one"
    blobs = open_blobs(home, address)
    assert blobs.store
    for turn in range(3):
        words = [sys.executable, "-c", WRITER, str(home), address, str(turn)]
        with subprocess.Popen(words) as writer:
            ends = time.monotonic() + 30
            while len(list(blobs.all())) < 4 * turn + 3 and time.monotonic() < ends:
                time.sleep(0.003)
            os.kill(writer.pid, signal.SIGKILL)
    kept = {each.digest for each in blobs.store.kept() if each.digest}
    here = {digest for digest, _ in blobs.all()}
    assert len(here) >= 9
    assert here <= kept  # the store has what is here, and at most one more a kill
    assert len(kept - here) <= 3
    other = open_blobs(tmp_path / "other", address)
    for digest in kept:
        assert digest_of(other.get(digest)) == digest
