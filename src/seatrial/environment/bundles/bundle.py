"""A version as a folder or one file, with all that a device needs to answer by it and prove it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.environment.bundles import archive, listing, readme
from seatrial.environment.bundles.bundled import FORMS, GOLDEN, MANIFEST, MATRIX
from seatrial.environment.bundles.carried import carried
from seatrial.environment.bundles.listing import Listing
from seatrial.errors import Mistake, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

README = "README.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What was written to ``place``; ``size`` is how many bytes it takes there."""

    place: Path
    listing: Listing
    size: int


def write(
    target: Path,
    *,
    manifest_bytes: bytes,
    digest: str,
    read: Callable[[str], bytes],
    model: str,
    version: int,
    created: str,
) -> Bundle:
    """Write the version whose manifest has the ``digest``; ``read`` gives its files, verified.

    It becomes an archive when ``target`` ends with .tar.gz, .tgz or .zip, else a folder. It is
    made beside the target and then moved there, so that it is there whole or not at all. The same
    version written by the same release is the same bytes.

    UsageError when something is there already or it names another kind of archive,
    StoreError when it cannot be written or the manifest names no model.
    """
    target = target.absolute()
    _demand_free(target)
    manifest = json.loads(manifest_bytes)
    contents = {
        **carried(),
        MANIFEST: manifest_bytes,
        **_files(manifest, read, f"{model} version {version}"),
    }
    contents[README] = readme.text(manifest, model, version, digest, contents).encode()
    known = Listing(
        model=model,
        version=version,
        digest=digest,
        created=created,
        made_by=f"seatrial {_release()}",
        files={name: listing.entry(content) for name, content in contents.items()},
    )
    contents[listing.NAME] = known.written()
    with _beside(target) as made:
        if archive.is_archive(target):
            archive.pack(contents, made)
        else:
            _fill(made, contents)
        made.replace(target)
    size = target.stat().st_size if target.is_file() else sum(map(len, contents.values()))
    return Bundle(place=target, listing=known, size=size)


def _files(
    manifest: Mapping[str, Any], read: Callable[[str], bytes], whose: str
) -> dict[str, bytes]:
    """The model in the forms that answer, and its golden rows: not how it was trained."""
    files: Mapping[str, str] = manifest.get("files", {})
    model = next((name for name in FORMS if name in files), None)
    if model is None or GOLDEN not in files:
        absent = FORMS[0] if model is None else GOLDEN
        what = f"the manifest of {whose} names no {absent}"
        raise StoreError(Mistake(what, fix="register the model again"))
    names = [model, GOLDEN, *([MATRIX] if MATRIX in files else [])]
    return {name: read(files[name]) for name in names}


def _demand_free(target: Path) -> None:
    if target.name.lower().endswith(archive.OTHER) and not archive.is_archive(target):
        what, fix = "no archive of this kind is written", "let it end with .tar.gz, .tgz or .zip"
        raise UsageError(Mistake(what, where=str(target), fix=fix))
    if not target.parent.is_dir():
        fix = f"mkdir -p {target.parent}"
        raise UsageError(Mistake("there is no such folder", where=str(target.parent), fix=fix))
    if not os.path.lexists(target):
        return
    fix = "name a path where nothing is yet, or remove what is there"
    if archive.is_archive(target) or target.is_symlink() or not target.is_dir():
        raise UsageError(Mistake("there is something already", where=str(target), fix=fix))
    with _writing(target):
        if any(target.iterdir()):
            raise UsageError(Mistake("the folder is not empty", where=str(target), fix=fix))
    if target.samefile(Path.cwd()):
        what = "the bundle takes the place of the folder, and that is the one you are in"
        raise UsageError(Mistake(what, where=str(target), fix="name a new folder in it"))


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Where to make it, on the same disk, so that it is moved in one step; gone if that fails."""
    with _writing(target):
        scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            yield scratch / target.name
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"the bundle cannot be written: {error.strerror}"
        raise StoreError(Mistake(what, where=str(target))) from error


def _fill(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, content in contents.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _release() -> str:
    try:
        return importlib.metadata.version("seatrial")
    except importlib.metadata.PackageNotFoundError:  # run from a folder, as out of a bundle
        return "of unknown release"
