"""What a bundle says of itself in its ``bundle.json``: its files, with sizes and digests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatrial.errors import FileError, Mistake

FORMAT = "seatrial.bundle/1"
NAME = "bundle.json"
LONGEST_BYTES = 1 << 20
"""A longer ``bundle.json`` is none of ours: it has one short line a file."""

LARGEST = 1 << 62
"""No version has a greater number, and no file a greater size."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MODEL = re.compile(r"[a-z_][a-z0-9_]{0,199}")
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PATH = re.compile(rf"{_PART}(/{_PART})*")
"""Parts of plain letters: no absolute path, no ``..``, no drive, no hidden file."""

_TYPES: dict[str, type] = {
    "model": str, "version": int, "digest": str, "created": str, "made_by": str, "files": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """The digest (``sha256:…``) of one file, and its size in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """``digest`` is of the version's manifest; ``files`` are all but ``bundle.json`` itself."""

    model: str
    version: int
    digest: str
    created: str
    made_by: str
    files: Mapping[str, Entry]

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(each.size for each in self.files.values())

    def written(self) -> bytes:
        """The content of ``bundle.json``; :func:`read` reads it back."""
        document = {
            "format": FORMAT,
            **{key: getattr(self, key) for key in _TYPES if key != "files"},
            "files": {
                name: {"sha256": each.digest, "bytes": each.size}
                for name, each in sorted(self.files.items())
            },
        }
        return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def entry(content: bytes) -> Entry:
    """What is listed for a file.

    >>> entry(b"").digest[:14]
    'sha256:e3b0c44'
    """
    return Entry(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content))


def read(content: bytes, where: str) -> Listing:
    """Read ``bundle.json``; a FileError when it is none, or is of a later format.

    Fields that are not known are passed over: a later release may say more.
    """
    document = _document(content, where)
    wrong = [key for key, kind in _TYPES.items() if type(document.get(key)) is not kind]
    if wrong:
        raise _none(f"it has no {wrong[0]!r} of the right type", where)
    if not _DIGEST.fullmatch(document["digest"]):
        raise _none(f"its digest is {document['digest'][:80]!r}", where)
    if not _MODEL.fullmatch(document["model"]):
        raise _none(f"its model is {document['model'][:80]!r}", where)
    if not 0 <= document["version"] <= LARGEST:
        raise _none("its version is none", where)
    files = {name: _entry(name, told, where) for name, told in document["files"].items()}
    return Listing(files=files, **{key: document[key] for key in _TYPES if key != "files"})


def _document(content: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _none(f"it is no JSON, or was cut: {error}", where) from error
    if not isinstance(document, dict):
        raise _none("it is no JSON object", where)
    told = document.get("format")
    if told == FORMAT:
        return document
    if isinstance(told, str) and told.startswith(FORMAT.rstrip("1")):
        what = f"the bundle has the format {told[:80]!r}, and only {FORMAT!r} is known here"
        fix = "use the program that lies in the bundle: `python -m seatrial.environment verify .`"
        raise FileError(Mistake(what, where=where, fix=fix))
    raise _none(f"its format is {repr(told)[:80]}, not {FORMAT!r}", where)


def _entry(name: str, told: object, where: str) -> Entry:
    if not _PATH.fullmatch(name) or name == NAME:
        raise _none(f"it lists the path {name[:80]!r}, which no bundle holds", where)
    if isinstance(told, Mapping):
        digest, size = told.get("sha256"), told.get("bytes")
        if (
            isinstance(digest, str)
            and _DIGEST.fullmatch(digest)
            and type(size) is int
            and 0 <= size <= LARGEST
        ):
            return Entry(digest, size)
    raise _none(f"it says no digest and size of {name}", where)


def _none(why: str, where: str) -> FileError:
    fix = "copy the bundle anew, or make it anew with `seatrial bundle`"
    return FileError(Mistake(f"this is no {NAME} of a bundle: {why}", where=where, fix=fix))
