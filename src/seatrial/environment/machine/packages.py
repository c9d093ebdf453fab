"""Which packages are installed: names, versions, what their installers recorded about the files.

Nothing is asked but the folders of metadata on the path, through :mod:`importlib.metadata`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
import zlib
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seatrial.environment.machine.record import altered, digest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

HEAD_BYTES = 4096
"""Name and version stand among the first headers; seldom more has to be read."""

_HEADER = {
    field: re.compile(
        rb"^" + field + rb":[ \t]*([^\r\n]*?)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE
    )
    for field in (b"Name", b"Version")
}
_BODY = re.compile(rb"\r?\n\r?\n")
_SOURCE_LINK = re.compile(rb"^(?:__editable__|_editable_impl_)", re.MULTILINE)
_SITES = ("site-packages", "dist-packages")
_UNREADABLE = (OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What is installed, by normalised name (PEP 503), in order of the names.

    ``dependencies``  the version that is imported: of two on the path, the first
    ``hidden``        the other versions, further down the path
    ``records``       one digest over the files of each, the same for every installer of a wheel
    ``editable``      those whose code lies in a working folder, where it changes at any time
    ``unnamed``       folders of metadata that say no name, or that an installer left half removed
    """

    dependencies: dict[str, str]
    records: dict[str, str]
    editable: list[str]
    hidden: dict[str, list[str]]
    unnamed: list[str]


@dataclass(frozen=True, slots=True)
class Verified:
    """``names`` are the packages of which every file was read.

    ``altered`` are the files of these that are not what their installer recorded.
    """

    names: list[str]
    altered: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Installed:
    """One folder of metadata; ``record`` is the installer's list of files, as it stands there.

    ``name`` is normalised, and empty where the metadata say none; ``folder`` is the folder's own.
    """

    name: str
    version: str
    folder: str
    editable: bool
    record: bytes | None
    found: metadata.Distribution


def packages(path: Sequence[str] | None = None) -> Packages:
    """Every package on ``path``, :data:`sys.path` where none is given.

    >>> packages().dependencies["numpy"] == metadata.version("numpy")
    True
    """
    chosen: dict[str, Installed] = {}
    hidden: dict[str, list[str]] = {}
    unnamed: set[str] = set()
    for each in installed(path):
        if not each.name:
            unnamed.add(each.folder)
            continue
        first = chosen.setdefault(each.name, each)
        others = hidden.setdefault(each.name, [])
        if each.version not in {first.version, *others}:
            others.append(each.version)
    ordered = [chosen[name] for name in sorted(chosen)]
    return Packages(
        dependencies={each.name: each.version for each in ordered},
        records={
            each.name: digest(each.record) for each in ordered if each.record and not each.editable
        },
        editable=[each.name for each in ordered if each.editable],
        hidden={name: others for name, others in sorted(hidden.items()) if others},
        unnamed=sorted(unnamed),
    )


def verified(
    names: Collection[str] | Literal["all"], path: Sequence[str] | None = None
) -> Verified:
    """Read every file of the packages ``names`` and compare it with what was recorded of it.

    Packages without a RECORD and editable ones cannot be verified, so they are in neither part.
    Where a copy without metadata stands before a package on :data:`sys.path`, none of its files
    is what runs: that is told as if it were altered.

    >>> verified(["threadpoolctl"]).names
    ['threadpoolctl']
    """
    asked = None if names == "all" else {normalised(name) for name in names}
    chosen: dict[str, Installed] = {}
    for each in installed(path):
        if each.name and (asked is None or each.name in asked):
            chosen.setdefault(each.name, each)
    found: dict[str, list[str]] = {}
    for name, each in sorted(chosen.items()):
        files = None
        if each.record and not each.editable:
            files = altered(each.record, Path(str(each.found.locate_file(""))))
        if files is not None:
            hidden = _hidden_by_another(each) if path is None else []
            found[name] = [*hidden, *files]
    return Verified([*found], {name: files for name, files in found.items() if files})


def _hidden_by_another(package: Installed) -> list[str]:
    """The module that is called as the package, where this process would import another one.

    Modules of other names are not looked at: too many packages bring a `tests` or the like.
    """
    module = package.name.replace("-", "_")
    names = (f"{module}/__init__.py", f"{module}.py")
    own = {name: str(package.found.locate_file(name)) for name in names}
    name = next((name for name, place in own.items() if os.path.isfile(place)), None)  # noqa: PTH113
    try:
        spec = find_spec(module) if name is not None else None
    except ValueError:  # whoever made the module that is loaded did not say whence
        spec = None
    if name is None or spec is None or spec.origin is None:
        return []
    # by their folders: what is compiled beside its source is imported in its place
    if _folder(spec.origin) == _folder(own[name]):
        return []
    return [f"{name} (another {module} stands before it on the path: remove that)"]


def _folder(file: str) -> str:
    return os.path.realpath(os.path.dirname(file))  # noqa: PTH120


def dependencies(path: Sequence[str] | None = None) -> dict[str, str]:
    """The names and versions alone.

    >>> "scikit-learn" in dependencies()
    True
    """
    return packages(path).dependencies


def installed(path: Sequence[str] | None = None) -> Iterator[Installed]:
    """Each folder of metadata in the order of the path, also those that are hidden by others.

    A folder that disappears while it is read was no longer installed, so it is left out.
    """
    where = sys.path if path is None else list(path)
    for found in metadata.distributions(path=where):
        place = _place(found)
        head = _head(found, place)
        folder = "" if place is None else place.name
        if head is None and _is_gone(place):
            continue
        # An update that broke off leaves the old folders behind, with ~ for their first letter.
        name = "" if folder.startswith("~") else normalised(_header(head, b"Name"))
        record = _bytes(found, place, "RECORD")
        yield Installed(
            name=name,
            version=_header(head, b"Version") or _version_of(folder),
            folder=folder or "metadata of unknown place",
            editable=_is_editable(found, place, record),
            record=record,
            found=found,
        )


def normalised(name: str) -> str:
    """PEP 503.

    >>> normalised("Ruamel.Yaml_x")
    'ruamel-yaml-x'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _place(found: metadata.Distribution) -> Any:
    """The folder of the metadata, a path in the file system or in a zip; None when not known."""
    return getattr(found, "_path", None)


def _is_gone(place: Any) -> bool:
    if not isinstance(place, Path):
        return False
    try:
        place.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError)  # else it is there, and not for us to look at
    return False


def _head(found: metadata.Distribution, place: Any) -> bytes | None:
    """The headers of the metadata; None where there are none to read."""
    # Old installers wrote one file instead of a folder: it is its own metadata.
    for name in (
        ("METADATA", "PKG-INFO", "") if isinstance(place, Path) else ("METADATA", "PKG-INFO")
    ):
        read = _bytes(found, place, name, HEAD_BYTES)
        if read is not None and len(read) == HEAD_BYTES and not _BODY.search(read):
            read = _bytes(found, place, name)
        if read is not None:
            return _BODY.split(read, maxsplit=1)[0]
    return None


def _bytes(found: metadata.Distribution, place: Any, name: str, most: int = -1) -> bytes | None:
    """A file of the metadata, or its beginning; None where it is missing or cannot be read."""
    if place is None:
        return _text(found, name)
    try:
        with (place / name).open("rb") as file:
            read: bytes = file.read(most)
    except _UNREADABLE:
        return None
    return read


def _text(found: metadata.Distribution, name: str) -> bytes | None:
    """The same, from a finder of somebody else's that keeps its metadata elsewhere."""
    try:
        text = found.read_text(name) if name else None
    except UnicodeDecodeError:
        return None
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _header(head: bytes | None, field: bytes) -> str:
    match = _HEADER[field].search(head or b"")
    return match[1].decode("utf-8", "replace") if match else ""


def _version_of(folder: str) -> str:
    """The version in the name of a folder of metadata, which need not be there.

    >>> [_version_of(name) for name in ("a-1.0.dist-info", "b-2.0-py3.11.egg-info", "EGG-INFO")]
    ['1.0', '2.0', '']
    """
    match = re.fullmatch(r"[^-]+-([^-]+)(?:-.*)?\.(?:dist|egg)-info", folder)
    return match[1] if match else ""


def _is_editable(found: metadata.Distribution, place: Any, record: bytes | None) -> bool:
    """Whether the code lies elsewhere: told by the installer, else by what it left."""
    told = _bytes(found, place, "direct_url.json")
    if told is not None:
        try:
            return json.loads(told)["dir_info"]["editable"] is True
        except (ValueError, KeyError, TypeError, RecursionError):
            pass  # from an archive or a repository, or not written by an installer
    if record is not None:
        # most records name no such thing at all, and are found out to do so much sooner
        return b"_editable_" in record and _SOURCE_LINK.search(record) is not None
    # `setup.py develop` and running in a working folder: metadata that stand beside the source.
    return (
        isinstance(place, Path)
        and place.name.endswith(".egg-info")
        and place.parent.name not in _SITES
    )
