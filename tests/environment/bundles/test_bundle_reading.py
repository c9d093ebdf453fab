"""A bundle is opened only when every file in it is what it was when the bundle was made."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from bundles import change, digest_of, flights_late
from seatrial.environment.bundles.bundled import opened
from seatrial.errors import FileError, SeatrialError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


SWOLLEN = 64 << 20
"""Bytes that an archive of a few thousands stands for."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flights_late().write(tmp_path_factory.mktemp("bundles") / "made").place


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(made, tmp_path / "bundle")


def refused(place: Path, kind: type[SeatrialError], **demanded: str) -> SeatrialError:
    """The error that opening gives; every mistake says what to do in at most six lines."""
    with pytest.raises(kind) as raised, opened(place, **demanded):
        pass
    for mistake in raised.value.mistakes:
        assert mistake.fix
        assert len(str(mistake).splitlines()) <= 6
    return raised.value


def listed(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Edit the listing by hand."""
    document = json.loads((folder / "bundle.json").read_text())
    change(document)
    (folder / "bundle.json").write_text(json.dumps(document))


def flip_one_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("ending", ["", ".tar.gz", ".tgz", ".zip"])
def test_a_whole_bundle_opens(tmp_path: Path, ending: str) -> None:
    written = flights_late().write(tmp_path / f"bundle{ending}")
    with opened(written.place, digest=written.listing.digest) as bundle:
        assert str(bundle) == "flights_late version 3"
        assert bundle.listing == written.listing
        assert not bundle.pickled
        folder = bundle.folder
    assert folder.exists() == (not ending)  # what was unpacked is gone


def test_compiled_code_and_later_fields_are_no_fault(folder: Path) -> None:
    compiled = folder / "seatrial" / "environment" / "__pycache__"
    compiled.mkdir()
    (compiled / "needs.cpython-311.pyc").write_bytes(b"")
    listed(folder, lambda document: document.update(signed_by="somebody"))
    with opened(folder):
        pass


@pytest.mark.parametrize("name", ["model.onnx", "golden.json", "manifest.json", "README.txt"])
def test_one_bit_of_any_file_is_seen(folder: Path, name: str) -> None:
    flip_one_bit(folder / name)
    error = refused(folder, StoreError)
    assert [each.where for each in error.mistakes] == [name]
    assert error.exit_code == 5


@pytest.mark.parametrize("name", ["model.onnx", "golden.json"])
def test_a_file_whose_listing_was_made_anew_is_still_not_the_versions(
    folder: Path, name: str
) -> None:
    change(folder, name, b"another")
    assert f"{name} in the bundle is not that" in str(refused(folder, StoreError))


def test_a_manifest_made_anew_is_another_version(folder: Path) -> None:
    known = json.loads((folder / "bundle.json").read_text())["digest"]
    manifest = json.loads((folder / "manifest.json").read_text())
    content = json.dumps({**manifest, "golden": {"tolerance": {"answers": 1e9}}}).encode()
    change(folder, "manifest.json", content)
    assert "is not the manifest of the version" in str(refused(folder, StoreError))
    listed(folder, lambda document: document.update(digest=digest_of(content)))
    with opened(folder):  # nothing in it says otherwise: who knows the digest asks for it
        pass
    assert "the bundle is another version" in str(refused(folder, StoreError, digest=known))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"files": {}, "signature": {}}', b"\xff"])
def test_what_is_no_manifest_is_told(folder: Path, content: bytes) -> None:
    change(folder, "manifest.json", content)
    listed(folder, lambda document: document.update(digest=digest_of(content)))
    assert "is no manifest of a version" in str(refused(folder, FileError))


def test_missing_linked_and_unexpected_files_are_all_told(folder: Path, tmp_path: Path) -> None:
    (folder / "golden.json").unlink()
    shutil.copy(folder / "README.txt", tmp_path / "elsewhere.txt")
    (folder / "README.txt").unlink()
    (folder / "README.txt").symlink_to(tmp_path / "elsewhere.txt")
    (folder / "numpy.py").write_text("")
    (folder / "more").symlink_to(tmp_path)
    (folder / "\x1b[2J").write_text("")
    (folder / "seatrial" / "_hidden.py").write_text("")
    told = {each.where for each in refused(folder, StoreError).mistakes}
    assert told == {
        "golden.json",
        "README.txt",
        "numpy.py",
        "more",
        "seatrial/_hidden.py",
        "\\x1b[2J",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"{}", b'{"format": 7}',
        b'{"format": "seatrial.bundle/1"}', b'{"format": "seatrial.bundle/1", "model": 3}',
    ],
)  # fmt: skip
def test_a_listing_that_is_none_is_told(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    error = refused(folder, FileError)
    assert "this is no bundle.json of a bundle" in str(error)
    assert error.exit_code == 2


def test_a_listing_cut_anywhere_is_told(folder: Path) -> None:
    content = (folder / "bundle.json").read_bytes()
    for length in range(0, len(content) - 2, 97):
        (folder / "bundle.json").write_bytes(content[:length])
        refused(folder, FileError)


def test_a_later_format_says_which_program_reads_it(folder: Path) -> None:
    listed(folder, lambda document: document.update(format="seatrial.bundle/2"))
    assert "seatrial.environment verify ." in str(refused(folder, FileError))


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "/etc/passwd", "a/../../b", "a//b", "C:\\x", "a\\b", ".hidden", "a/.b", "",
        "bundle.json", "a\0b", "a/", "~x", "a b",
    ],
)  # fmt: skip
def test_a_listed_path_that_leads_elsewhere_is_refused(folder: Path, name: str) -> None:
    entry = {"sha256": digest_of(b""), "bytes": 0}
    listed(folder, lambda document: document["files"].update({name: entry}))
    assert "which no bundle holds" in str(refused(folder, FileError))


@pytest.mark.parametrize(
    "entry", [3, {}, {"sha256": "sha256:ab", "bytes": 1}, {"sha256": digest_of(b""), "bytes": -1}]
)
def test_a_listed_file_needs_its_digest_and_size(folder: Path, entry: object) -> None:
    listed(folder, lambda document: document["files"].update({"more": entry}))
    assert "says no digest and size of more" in str(refused(folder, FileError))


@pytest.mark.parametrize(
    "odd",
    [
        {"model": ""}, {"model": "\x1b[2J"}, {"model": "a\nb"}, {"model": "x" * 9999},
        {"version": -1}, {"version": 1 << 200}, {"format": "x" * 9999}, {"digest": "\n" * 99},
        {"format": "seatrial.bundle/" + "x" * 9999}, {"digest": f"sha256:{'A' * 64}"},
    ],
)  # fmt: skip
def test_what_a_listing_says_is_told_in_short_lines(folder: Path, odd: dict[str, object]) -> None:
    listed(folder, lambda document: document.update(odd))
    told = str(refused(folder, FileError))
    assert all(line.isprintable() and len(line) < 300 for line in told.splitlines())


def test_sizes_that_nobody_can_write_down_are_refused(tmp_path: Path, folder: Path) -> None:
    entry = {"sha256": digest_of(b""), "bytes": int("9" * 4299)}
    listed(folder, lambda document: document["files"].update(a=entry, b=entry, c=entry, d=entry))
    content = (folder / "bundle.json").read_bytes()
    place = tarred(tmp_path / "huge.tgz", a_file("bundle.json", content))
    assert "says no digest and size of a" in str(refused(place, FileError))


def test_a_manifest_that_is_changed_once_its_digest_is_known_is_seen(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = json.dumps({**json.loads((folder / "manifest.json").read_text()), "needs": None})
    digested = hashlib.file_digest

    def and_changed(content: Any, name: str) -> Any:
        found = digested(content, name)
        if content.name.endswith("manifest.json"):
            (folder / "manifest.json").write_text(other)
        return found

    monkeypatch.setattr(hashlib, "file_digest", and_changed)
    assert "is not the manifest of the version" in str(refused(folder, StoreError))


def test_where_no_bundle_is(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, said in {
        "text.txt": "this file is no bundle",
        "empty": "this folder is no bundle",
        "pipe": "this is no bundle",
        "absent": "there is no such bundle",
        "text.txt/absent": "there is no such bundle",
    }.items():
        assert said in str(refused(tmp_path / name, FileError))


# archives


def tarred(place: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(place, "w:gz") as tar:
        for member, content in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return place


def a_file(name: str, content: bytes) -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def a_link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member, b""


@pytest.fixture
def head(folder: Path) -> tuple[tarfile.TarInfo, bytes]:
    return a_file("bundle.json", (folder / "bundle.json").read_bytes())


def test_a_tar_with_tricks_in_it_writes_nothing(
    tmp_path: Path, head: tuple[tarfile.TarInfo, bytes]
) -> None:
    a_device = tarfile.TarInfo("model.onnx")
    a_device.type = tarfile.CHRTYPE
    for at, (member, said) in enumerate([
        (a_file("../evil", b"x"), "is not listed"),
        (a_file(str(tmp_path / "evil"), b"x"), "is not listed"),
        (a_file("numpy.py", b"x"), "is not listed"),
        (a_file("model.onnx", b"x"), "another size than is listed"),
        (a_link("model.onnx", "/etc/passwd"), "is no plain file"),
        (a_link("model.onnx", "bundle.json", tarfile.LNKTYPE), "is no plain file"),
        ((a_device, b""), "is no plain file"),
        (head, "bundle.json twice"),
    ]):  # fmt: skip
        place = tarred(tmp_path / f"{at}.tar.gz", head, member)
        assert said in str(refused(place, FileError))
    assert not list(tmp_path.rglob("evil"))


def test_an_archive_begins_with_its_listing(tmp_path: Path) -> None:
    place = tarred(tmp_path / "other.tgz", a_file("a", b"b"))
    assert "does not begin with bundle.json" in str(refused(place, FileError))
    place = tarred(tmp_path / "empty.tgz")
    assert "it is empty" in str(refused(place, FileError))


def test_a_zip_with_tricks_in_it_writes_nothing(
    tmp_path: Path, head: tuple[tarfile.TarInfo, bytes]
) -> None:
    link = zipfile.ZipInfo("model.onnx")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    members: list[tuple[str | zipfile.ZipInfo, str]] = [
        ("../evil", "is not listed"),
        ("model.onnx", "another size than is listed"),
        (link, "is no plain file"),
        ("seatrial/", "is no plain file"),
    ]
    for at, (member, said) in enumerate(members):
        place = tmp_path / f"{at}.zip"
        with zipfile.ZipFile(place, "w") as packed:
            packed.writestr("bundle.json", head[1])
            packed.writestr(member, b"")
        assert said in str(refused(place, FileError))
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.REGTYPE])
def test_a_tar_that_swells_takes_no_memory(
    tmp_path: Path, head: tuple[tarfile.TarInfo, bytes], kind: bytes
) -> None:
    bomb = tarfile.TarInfo("golden.json")
    bomb.type = kind
    place = tmp_path / "bomb.tgz"
    with gzip.open(place, "wb", 1) as packed:
        head[0].size, bomb.size = len(head[1]), SWOLLEN
        packed.write(head[0].tobuf() + head[1] + bytes(-len(head[1]) % 512))
        packed.write(bomb.tobuf(tarfile.GNU_FORMAT) + bytes(SWOLLEN))
    with little_memory():
        refused(place, FileError)


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_swells_takes_no_memory(
    tmp_path: Path, head: tuple[tarfile.TarInfo, bytes], kind: int
) -> None:
    place = tmp_path / "bomb.zip"
    size = json.loads(head[1])["files"]["golden.json"]["bytes"]
    with zipfile.ZipFile(place, "w") as packed:
        packed.writestr("bundle.json", head[1])
        packed.writestr("golden.json", bytes(SWOLLEN), kind)
    content = place.read_bytes()
    lied = content.replace(SWOLLEN.to_bytes(4, "little"), size.to_bytes(4, "little"))
    place.write_bytes(lied)
    with little_memory():
        refused(place, FileError)


def test_a_listing_of_less_than_nothing_is_not_read_to_the_end(
    tmp_path: Path, head: tuple[tarfile.TarInfo, bytes]
) -> None:
    head[0].size = -1
    place = tmp_path / "bomb.tgz"
    with gzip.open(place, "wb", 1) as packed:
        packed.write(head[0].tobuf(tarfile.GNU_FORMAT) + bytes(SWOLLEN))
    with little_memory():
        refused(place, FileError)


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < SWOLLEN // 4


@pytest.mark.parametrize("ending", [".tar.gz", ".zip"])
def test_an_archive_cut_or_spoilt_anywhere_is_refused(tmp_path: Path, ending: str) -> None:
    place = flights_late().write(tmp_path / f"bundle{ending}").place
    content, spoilt = place.read_bytes(), tmp_path / f"spoilt{ending}"
    for at in range(0, len(content), len(content) // 23):
        spoilt.write_bytes(content[:at])
        refused_or_whole(spoilt)
        flipped = bytearray(content)
        flipped[at] ^= 1
        spoilt.write_bytes(flipped)
        refused_or_whole(spoilt)


def refused_or_whole(place: Path) -> None:
    """Not every bit has a meaning: what opens is verified."""
    with contextlib.suppress(FileError, StoreError), opened(place):
        pass


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    for name in ("text.zip", "text.tar.gz"):
        (tmp_path / name).write_text("text")
        assert "this archive is no bundle: it cannot be read" in str(
            refused(tmp_path / name, FileError)
        )


def test_a_listing_of_more_than_there_is_room_for_is_refused_before_anything_is_unpacked(
    tmp_path: Path, folder: Path
) -> None:
    entry = {"sha256": digest_of(b""), "bytes": 1 << 60}
    listed(folder, lambda document: document["files"].update({"huge": entry}))
    place = tarred(
        tmp_path / "huge.tgz", a_file("bundle.json", (folder / "bundle.json").read_bytes())
    )
    assert "bytes unpacked, and" in str(refused(place, StoreError))
