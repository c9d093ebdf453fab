"""A bundle as it lies in a folder: opened only when every file is what it says it is."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Any

from seatrial.environment.bundles import listing
from seatrial.environment.printable import printable
from seatrial.errors import FileError, Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seatrial.environment.bundles.listing import Listing

# As in `seatrial.inference`; to import them from there would load numpy.
FORMS = ("model.onnx", "model.pickle")
MATRIX = "matrix.onnx"
GOLDEN = "golden.json"

MANIFEST = "manifest.json"
CODE = "seatrial"
"""The folder with the code that proves a bundle."""

_COMPILED = "__pycache__"
_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
_NAME = "name the folder or the archive that `seatrial bundle` wrote"
_ANEW = "copy the bundle anew, or make it anew with `seatrial bundle`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """A bundle whose files are all verified."""

    folder: Path
    listing: Listing
    manifest: Mapping[str, Any]

    @property
    def pickled(self) -> bool:
        """Whether to open the model runs the code that it holds."""
        return FORMS[0] not in self.manifest["files"]

    def __str__(self) -> str:
        return f"{self.listing.model} version {self.listing.version}"


@contextlib.contextmanager
def opened(place: Path, *, digest: str | None = None) -> Iterator[Bundled]:
    """The bundle in a folder or an archive; ``digest`` is the version that it must be.

    FileError when there is no bundle; StoreError when it is damaged, holds what it does not list,
    or is another version.
    """
    mode = _mode(place)
    if S_ISREG(mode):
        # Only for an archive: what it imports takes longer than to verify a folder.
        from seatrial.environment.bundles import archive  # noqa: PLC0415

        if not archive.is_archive(place):
            fix = (
                f"name the folder, or a file that ends with {', '.join(archive.TAR + archive.ZIP)}"
            )
            raise FileError(Mistake("this file is no bundle", where=str(place), fix=fix))
        with archive.unpacked(place) as folder:
            yield _verified(folder, str(place), digest)
        return
    if not S_ISDIR(mode):
        raise FileError(Mistake("this is no bundle", where=str(place), fix=_NAME))
    yield _verified(place, str(place), digest)


def _mode(place: Path) -> int:
    try:
        return place.stat().st_mode
    except OSError as error:
        if error.errno in _ABSENT:
            absent = Mistake("there is no such bundle", where=str(place), fix=_NAME)
            raise FileError(absent) from error
        what = f"the bundle cannot be read: {error.strerror}"
        raise StoreError(Mistake(what, where=str(place))) from error


def _verified(folder: Path, where: str, digest: str | None) -> Bundled:
    try:
        known = _listing(folder, where)
        _demand_version(known, digest, where)
        mistakes = [*_strangers(folder, known), *_damaged(folder, known)]
        if mistakes:
            raise StoreError(*mistakes)
        return Bundled(folder=folder, listing=known, manifest=_manifest(folder, known, where))
    except OSError as error:
        what = f"the bundle cannot be read: {error.strerror}"
        raise StoreError(Mistake(what, where=str(error.filename or where))) from error


def _listing(folder: Path, where: str) -> Listing:
    file = folder / listing.NAME
    if not file.is_file():
        what = f"this folder is no bundle: it has no {listing.NAME}"
        raise FileError(Mistake(what, where=where, fix=_NAME))
    with file.open("rb") as content:
        return listing.read(content.read(listing.LONGEST_BYTES), f"{where}/{listing.NAME}")


def _demand_version(known: Listing, digest: str | None, where: str) -> None:
    if digest is not None and digest != known.digest:
        what = f"the bundle is another version: {known.digest}, not {digest}"
        raise StoreError(Mistake(what, where=where, fix="bring the bundle of that version"))


def _strangers(folder: Path, known: Listing) -> Iterator[Mistake]:
    """What lies in the folder and is not listed; Python may have compiled the code in it."""
    for path, folders, files in os.walk(folder, onerror=_raised):
        inside = Path(path).relative_to(folder)
        compiled = inside.name == _COMPILED and inside.parts[0] == CODE
        links = [name for name in folders if (Path(path) / name).is_symlink()]
        for name in sorted([*files, *links]):
            named = (inside / name).as_posix()
            if named in {listing.NAME, *known.files} or (compiled and ".pyc" in name):
                continue
            what, fix = "the bundle holds what it does not list", f"remove it, or {_ANEW}"
            yield Mistake(what, where=printable(named), fix=fix)


def _damaged(folder: Path, known: Listing) -> Iterator[Mistake]:
    for name, listed in known.files.items():
        file = folder / name
        if file.is_symlink():
            yield Mistake("a file of the bundle is a link", where=name, fix=_ANEW)
        elif not file.is_file():
            yield Mistake("a file of the bundle is missing", where=name, fix=_ANEW)
        elif file.stat().st_size != listed.size or _digest(file) != listed.digest:
            what = "a file of the bundle is not what it was when the bundle was made"
            yield Mistake(what, where=name, fix=_ANEW)


def _manifest(folder: Path, known: Listing, where: str) -> Mapping[str, Any]:
    """The manifest, which is the version's own, and says the same of its files as the bundle.

    Its digest is that of the bytes which are read here: the file may have been changed just now.
    """
    content = (folder / MANIFEST).read_bytes() if MANIFEST in known.files else b""
    if listing.entry(content).digest != known.digest:
        what = f"{MANIFEST} is not the manifest of the version that the bundle names"
        raise StoreError(Mistake(what, where=where, fix=_ANEW))
    try:
        manifest = json.loads(content)
        files = manifest["files"]
        form = next(name for name in FORMS if name in files)
        wanted = {name: files[name] for name in (form, GOLDEN)}
        manifest["signature"]["inputs"]
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError) as error:
        what = f"{MANIFEST} is no manifest of a version: {type(error).__name__} {error}"
        raise FileError(Mistake(what, where=where, fix="register the model again")) from error
    wanted |= {MATRIX: files[MATRIX]} if MATRIX in files else {}
    other = [
        name
        for name, digest in wanted.items()
        if name not in known.files or known.files[name].digest != digest
    ]
    if other:
        what = f"{other[0]} in the bundle is not that of the version's manifest"
        raise StoreError(Mistake(what, where=where, fix=_ANEW))
    result: Mapping[str, Any] = manifest
    return result


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _raised(error: OSError) -> None:
    raise error
