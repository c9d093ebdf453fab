"""A bundle in one file: ``.tar.gz``, ``.tgz`` or ``.zip``, the same bytes for the same content."""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from seatrial.environment.bundles import listing
from seatrial.errors import FileError, Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.environment.bundles.listing import Listing

TAR = (".tar.gz", ".tgz")
ZIP = (".zip",)
OTHER = (".tar", ".gz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z")
"""Endings by which somebody means an archive that is not written here."""

_MODE = 0o644
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can name; in a tar it is 1970."""

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    gzip.BadGzipFile,
    RuntimeError,  # zipfile: it is encrypted
)
_PACKED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Of these zipfile gives no more than is asked for; of others all that a few bytes stand for."""

_PART_BYTES = 1 << 20

Member = tuple[str, int, IO[bytes] | gzip.GzipFile]


def is_archive(path: Path) -> bool:
    """Whether a name says that the bundle is to be one file.

    >>> is_archive(Path("flights.tar.gz")), is_archive(Path("flights"))
    (True, False)
    """
    return path.name.lower().endswith(TAR + ZIP)


def pack(contents: Mapping[str, bytes], file: Path) -> None:
    """Write an archive; ``bundle.json`` comes first, so that whoever reads knows what follows."""
    names = sorted(contents, key=lambda name: (name != listing.NAME, name))
    if file.name.lower().endswith(ZIP):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name in names:
                about = zipfile.ZipInfo(name, _LONG_AGO)
                about.create_system, about.external_attr = 3, _MODE << 16
                packed.writestr(about, contents[name], zipfile.ZIP_DEFLATED)
        return
    with (
        file.open("wb") as raw,
        gzip.GzipFile("", "wb", 6, raw, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(contents[name]), _MODE
            tar.addfile(member, io.BytesIO(contents[name]))


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """A folder of its own with what the archive holds, gone afterwards.

    Only plain files are taken that the ``bundle.json`` at its beginning lists, and of each only
    as many bytes as are listed: neither a link, nor a path, nor a bomb gets through. FileError when
    it is no such archive, StoreError when it cannot be read or there is no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="seatrial-bundle-") as folder:
        try:
            _unpack(archive, Path(folder))
        except _DAMAGED as error:
            why = " ".join(str(error).split())[:200] or type(error).__name__
            raise _wrong(archive, f"it cannot be read: {why}") from error
        except OSError as error:
            what = f"the bundle cannot be unpacked: {error.strerror}"
            raise StoreError(Mistake(what, where=str(archive))) from error
        yield Path(folder)


def _unpack(archive: Path, folder: Path) -> None:
    members = _zipped if archive.name.lower().endswith(ZIP) else _tarred
    known: Listing | None = None
    seen: set[str] = set()
    for name, size, content in members(archive):
        if name in seen:
            raise _wrong(archive, f"it holds {name} twice")
        seen.add(name)
        if known is None:
            if name != listing.NAME or not 0 <= size <= listing.LONGEST_BYTES:
                raise _wrong(archive, f"it does not begin with {listing.NAME}, but {name[:80]!r}")
            told = content.read(size)
            known = listing.read(told, f"{archive}: {listing.NAME}")
            _demand_room(known, folder, archive)
            (folder / listing.NAME).write_bytes(told)
            continue
        listed = known.files.get(name)
        if listed is None or listed.size != size:
            other = "is not listed" if listed is None else "has another size than is listed"
            raise _wrong(archive, f"{name[:80]!r} in it {other} in its {listing.NAME}")
        _copy(content, folder / name, size)
    if known is None:
        raise _wrong(archive, "it is empty")


def _tarred(archive: Path) -> Iterator[Member]:
    """The plain files, whose content the caller takes whole before it asks for the next.

    Header by header: tarfile itself would first read any long name or attribute into memory, be
    it gigabytes. What follows the first wrong member is never decompressed.
    """
    with gzip.open(archive) as content:
        while any(header := content.read(tarfile.BLOCKSIZE)):  # one of zeros ends it
            member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
            if member.type not in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                raise _wrong(archive, f"{member.name[:80]!r} in it is no plain file")
            yield member.name, member.size, content
            content.read(-member.size % tarfile.BLOCKSIZE)


def _zipped(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = member.external_attr >> 28
            if member.is_dir() or kind not in {0, 0o10}:
                raise _wrong(archive, f"{member.filename[:80]!r} in it is no plain file")
            if member.compress_type not in _PACKED:
                raise _wrong(archive, f"{member.filename[:80]!r} in it is compressed otherwise")
            with packed.open(member) as content:
                yield member.filename, member.file_size, content


def _copy(content: IO[bytes] | gzip.GzipFile, to: Path, size: int) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("xb") as file:
        left = size
        while left and (part := content.read(min(left, _PART_BYTES))):
            file.write(part)
            left -= len(part)


def _demand_room(known: Listing, folder: Path, archive: Path) -> None:
    free = shutil.disk_usage(folder).free
    if known.size > free:
        what = f"the bundle takes {known.size:,} bytes unpacked, and {free:,} are free"
        fix = "make room where temporary files are kept, or let TMPDIR name another place"
        raise StoreError(Mistake(what, where=str(archive), fix=fix))


def _wrong(archive: Path, why: str) -> FileError:
    fix = "copy the bundle anew, or make it anew with `seatrial bundle`"
    return FileError(Mistake(f"this archive is no bundle: {why}", where=str(archive), fix=fix))
