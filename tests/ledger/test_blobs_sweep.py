"""What nothing names goes from the store and from here; what is anybody else's stays."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from seatrial.errors import StoreError
from seatrial.ledger.blob_stores import store as stores_of_blobs
from seatrial.ledger.blobs import Blobs, digest_of, open_blobs
from seatrial.ledger.sweep import Named, Swept, sweep
from seatrial.registry.collect import collect
from seatrial.registry.registry import Registry
from stores import _s3_server as _s3_server  # noqa: PLC0414 - a fixture is known by its import
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from seatrial.ledger.store import Ledger

pytestmark = pytest.mark.slow  # a store of its own

DAY = timedelta(days=1)
EVERYTHING = timedelta(hours=-1)
"""As if all had been put more than a grace ago: S3 lets nobody change when that was."""


@pytest.fixture
def files(s3: str) -> Any:
    """What speaks with the same S3, for what others do there."""
    return fsspec.filesystem(
        "s3", skip_instance_cache=True, use_listings_cache=False, endpoint_url=s3
    )


@pytest.fixture
def bucket(files: Any, tmp_path: Path) -> str:
    name = f"harbour-{abs(hash(tmp_path)):x}"
    files.mkdir(name)
    return name


@pytest.fixture(params=["s3", "file"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "file":
        return open_blobs(tmp_path / "one", f"file://{tmp_path}/shared")
    return open_blobs(tmp_path / "one", f"s3://{request.getfixturevalue('bucket')}/flights")


def _named(*digests: str, ledger: str | None = "mine") -> Named:
    """The first is a manifest."""
    return Named(ledger, {*digests}, digests[:1])


def _now() -> datetime:
    return datetime.now(UTC)


def _kept(blobs: Blobs) -> set[str | None]:
    assert blobs.store
    return {each.digest for each in blobs.store.kept()}


def test_what_nothing_names_goes_from_the_store_and_from_here(blobs: Blobs) -> None:
    manifest, needed, dropped = map(blobs.put, (b"manifest", b"needed", b"dropped"))
    only_there = b"of another machine"
    assert blobs.store
    blobs.store.put(digest_of(only_there), only_there)
    named = _named(manifest, needed)
    assert sweep(blobs, named, EVERYTHING, _now()) == Swept(2, len(b"dropped" + only_there))
    assert _kept(blobs) == {manifest, needed}
    assert {digest for digest, _ in blobs.all()} == {manifest, needed}
    assert not blobs.has(dropped)
    assert sweep(blobs, named, EVERYTHING, _now()) == Swept(0, 0)


def test_what_is_young_stays_whatever_this_machine_takes_for_the_time(blobs: Blobs) -> None:
    manifest, making = map(blobs.put, (b"manifest", b"being registered"))
    ahead = _now() + timedelta(days=3)
    assert sweep(blobs, _named(manifest), DAY, ahead).blobs == 1  # the copy here is old by then
    assert _kept(blobs) == {manifest, making}
    assert blobs.get(making) == b"being registered"


def test_what_is_put_again_is_young_again(tmp_path: Path) -> None:
    """A step keeps what it names only when it ends; an equal blob may have lain there for long."""
    alone = Blobs(tmp_path / "alone")
    shared = open_blobs(tmp_path / "one", f"file://{tmp_path}/shared")
    for blobs, lying in ((alone, alone.folder), (shared, tmp_path / "shared")):
        manifest, again, old = map(blobs.put, (b"manifest", b"again", b"old"))
        for folder in (lying, blobs.folder):
            for file in folder.rglob("*"):
                os.utime(file, (1.0, 1.0))
        assert blobs.put(b"again") == again
        assert sweep(blobs, _named(manifest), DAY, _now()).blobs == 1
        assert blobs.has(again)
        assert not blobs.has(old)


def test_what_killed_writers_left_in_a_shared_folder_goes_when_it_is_old(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path / "one", f"file://{tmp_path}/shared")
    manifest = blobs.put(b"manifest")
    name = digest_of(b"half").removeprefix("sha256:")
    left = [tmp_path / "shared" / name[:2] / f"{name}.{ulid * 26}.part" for ulid in "01"]
    left[0].parent.mkdir(exist_ok=True)
    for file in left:
        file.write_bytes(b"ha")
    os.utime(left[0], (1.0, 1.0))
    assert sweep(blobs, _named(manifest), DAY, _now()) == Swept(1, 2)
    assert [file.exists() for file in left] == [False, True]


def test_what_is_not_ours_is_neither_listed_nor_removed(
    files: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = digest_of(b"of others").removeprefix("sha256:")
    others = [
        f"{bucket}/{name[:2]}/{name}",
        f"{bucket}/flights2/{name[:2]}/{name}",
        f"{bucket}/flights/{name}",
        f"{bucket}/flights/{name[:2]}/{name}/deeper",
        f"{bucket}/flights/{name[:2]}/deeper/{name}",
        f"{bucket}/flights/{name[:2]}/{name[:-1]}",
        f"{bucket}/flights/{name[:2]}/{name[:-1]}X",
        f"{bucket}/flights/{'0' * 64}",
        f"{bucket}/flights/{'zz' if name[:2] == '00' else '00'}/{name}",
        f"{bucket}/flights/README.txt",
        f"{bucket}/flights/backup/{name[:2]}/{name}",
    ]
    for path in others:
        files.pipe_file(path, b"of others")
    blobs = open_blobs(tmp_path, f"s3://{bucket}/flights")
    manifest = blobs.put(b"manifest")
    blobs.put(b"dropped")
    asked: list[Any] = []
    call = stores_of_blobs._call

    def noted(store: Any, name: str, *words: object, **more: Any) -> Any:
        asked.append((name, words, more))
        return call(store, name, *words, **more)

    monkeypatch.setattr(stores_of_blobs, "_call", noted)
    assert sweep(blobs, _named(manifest), EVERYTHING, _now()).blobs == 1
    monkeypatch.undo()
    left = set(files.find(bucket))
    assert set(others) < left
    assert len(left) == len(others) + 3  # the manifest, whose they are, and the time
    listed = [more["prefix"] for name, _, more in asked if name == "find"]
    assert set(listed) == {f"{number:02x}/" for number in range(256)}


def test_ten_thousand_blobs_take_ten_requests_to_remove(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moto.backends import get_backend  # noqa: PLC0415 - loads what the server has loaded

    blobs = open_blobs(tmp_path, f"s3://{bucket}/flights")
    manifest = blobs.put(b"manifest")
    there = get_backend("s3")["123456789012"]["aws"]
    for number in range(10_000):
        name = hashlib.sha256(str(number).encode()).hexdigest()
        there.put_object(bucket, f"flights/{name[:2]}/{name}", b"old")
    asked: Counter[str] = Counter()
    call = stores_of_blobs._call

    def counted(store: Any, name: str, *words: object, **more: Any) -> Any:
        asked[name] += 1
        return call(store, name, *words, **more)

    monkeypatch.setattr(stores_of_blobs, "_call", counted)
    assert sweep(blobs, _named(manifest), EVERYTHING, _now()) == Swept(10_000, 30_000)
    assert _kept(blobs) == {manifest}
    assert asked["rm"] == 10
    assert asked["find"] == 3 * 256


def test_another_projects_store_is_left_alone(blobs: Blobs, tmp_path: Path) -> None:
    manifest, dropped = map(blobs.put, (b"manifest", b"dropped"))
    assert sweep(blobs, _named(manifest, dropped), EVERYTHING, _now()).blobs == 0
    before = _kept(blobs)
    assert blobs.store
    others = open_blobs(tmp_path / "theirs", blobs.store.address)
    theirs = others.put(b"their manifest")
    with pytest.raises(StoreError, match="the blobs of another project") as caught:
        sweep(others, _named(theirs, ledger="theirs"), EVERYTHING, _now())
    assert "give each project an address of its own" in str(caught.value)
    assert _kept(blobs) == {*before, theirs}
    assert others.path(theirs).exists()


def test_a_ledger_that_knows_nothing_of_the_store_removes_nothing(blobs: Blobs) -> None:
    """Such as a new one, where the address of the database was not set this time."""
    kept = {blobs.put(b"manifest"), blobs.put(b"model")}
    assert sweep(blobs, Named(None, set(), ()), EVERYTHING, _now()).blobs == 2  # the copies here
    assert sweep(blobs, Named("new", set(), ()), EVERYTHING, _now()).blobs == 0
    with pytest.raises(StoreError, match="lacks 1 of the versions in this ledger"):
        sweep(blobs, _named(digest_of(b"elsewhere")), EVERYTHING, _now())
    assert _kept(blobs) == kept


def test_a_store_that_lets_nothing_be_removed_is_told(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3 answers 200 to a request to delete, and says in it that it did not."""
    manifest, dropped = map(blobs.put, (b"manifest", b"dropped"))

    def nothing(_store: object, _names: Iterable[str]) -> None:
        return

    monkeypatch.setattr(stores_of_blobs.BlobStore, "_remove", nothing)
    with pytest.raises(StoreError, match="the store refuses to remove 1 of 1 blobs"):
        sweep(blobs, _named(manifest), EVERYTHING, _now())
    assert _kept(blobs) == {manifest, dropped}


def test_collecting_drops_the_files_of_old_versions_from_the_store(
    ledger: Ledger, blobs: Blobs, tmp_path: Path
) -> None:
    assert blobs.store
    registry = Registry(ledger, blobs)
    for name in ("a", "b"):
        files = {"model.onnx": blobs.put(f"model {name}".encode())}
        registry.register("m", {"files": files}, label="v{version}", run="R0", by="t")
    ledger.clock.move(31 * 86400)  # type: ignore[attr-defined]
    found = collect(registry, timedelta(days=30), grace=EVERYTHING)
    assert [version.version for version in found.versions] == [1]
    assert (found.blobs, found.bytes) == (1, len("model a"))
    elsewhere = Registry(ledger, open_blobs(tmp_path / "two", blobs.store.address))
    first, second = elsewhere.versions()
    assert elsewhere.manifest(first)
    with pytest.raises(StoreError, match="a blob of m version 1 is missing"):
        elsewhere.verify(first)
    elsewhere.verify(second)
    assert len(_kept(blobs)) == 3
