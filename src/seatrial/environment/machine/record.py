"""What a package's RECORD says about its files, and whether they still are what it says.

Installers add lines of their own to the RECORD of a wheel and write scripts anew; what is left
without these is the same for every installer and every folder.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = 20
"""So many files of a package that are not what its RECORD says are named; the rest is counted."""

ALGORITHMS = frozenset({"sha256", "sha384", "sha512"})
"""Those that a RECORD may name and that still prove something."""

_INSTALLERS = frozenset(
    {
        *("INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json"),
        *("uv_build.json", "uv_cache.json"),
        *("RECORD", "RECORD.jws", "RECORD.p7s"),
    }
)
"""What stands in a folder of metadata because of who installed it, when and from where."""

_MOVED = ("bin/", "Scripts/", "include/", "Include/")
"""Scripts carry the interpreter's path, and headers lie where each installer likes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One file. ``digest`` is ``algorithm=text``, or empty; ``size`` in bytes, or empty."""

    path: str
    digest: str
    size: str


def digest(record: bytes) -> str:
    r"""SHA-256 over the names and digests of the files that came with the package.

    >>> digest(b"a.py,sha256=YQ,1\na.pyc,,\n") == digest(b"../bin/a,sha256=Yg,1\na.py,sha256=YQ,1")
    True
    """
    kept = sorted(
        f"{path},{row.digest}" for row in rows(record) if (path := _in_any_installation(row.path))
    )
    text = "\n".join(kept).encode("utf-8", "surrogateescape")
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def rows(record: bytes) -> Iterator[Row]:
    r"""The files of a RECORD; a line that is none is a file without a digest.

    Compiled Python, which is half of the files and has no digest, is left out.

    >>> [row.path for row in rows(b'a.py,sha256=YQ,1\n"b,c.txt",sha256=Yg,2\na.pyc,,')]
    ['a.py', 'b,c.txt']
    """
    for line in record.decode("utf-8", "surrogateescape").split("\n"):
        if line.endswith((".pyc,,", ".pyc,,\r")):
            continue
        parts = line.rstrip("\r").rsplit(",", 2)
        if '"' in line:
            parts = next(csv.reader([line.rstrip("\r")]))
        path, found, size = [*parts, "", ""][:3]
        if path:
            yield Row(path, found, size)


def altered(record: bytes, folder: Path) -> list[str] | None:
    """The files in ``folder`` that are not what the RECORD says; None when it cannot tell.

    Compiled Python and files without a digest do not count, and neither do files outside of
    ``folder`` that are not there: installers that move a package forget to say so.
    """
    digested = [row for row in rows(record) if row.digest and not _is_compiled(row.path)]
    known = [row for row in digested if row.digest.partition("=")[0] in ALGORITHMS]
    seen = {row.path: _seen(folder, row) for row in known}
    found = [
        path if word == "altered" else f"{path} ({word})"
        for path, word in seen.items()
        if word != "same" and not (word == "missing" and path.startswith(("../", "/")))
    ]
    if not found and (not digested or len(known) < len(digested)):
        return None
    more = len(found) - FILES
    return [*found[:FILES], f"and {more} more"] if more > 0 else found


def _in_any_installation(path: str) -> str:
    """The path as every installer would write it; empty for a file that depends on them."""
    if _is_compiled(path) or path.startswith("/") or path[1:2] == ":":
        return ""
    while path.startswith("../"):
        path = path[3:]
    folder, _, name = path.rpartition("/")
    added = name in _INSTALLERS and folder.endswith(".dist-info")
    return "" if added or path.startswith(_MOVED) else path


def _is_compiled(path: str) -> bool:
    return path.endswith(".pyc") or "__pycache__/" in path


def _seen(folder: Path, row: Row) -> Literal["same", "altered", "missing", "not readable"]:
    path = os.path.join(folder, row.path)  # noqa: PTH118 - ten times as fast, for each of thousands
    algorithm, _, expected = row.digest.partition("=")
    try:
        about = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(about.st_mode) or row.size not in {"", str(about.st_size)}:
            return "altered"
        with open(path, "rb") as file:  # noqa: PTH123
            found = hashlib.file_digest(file, algorithm).digest()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError):  # no file has a name with a zero in it
        return "not readable"
    text = base64.urlsafe_b64encode(found).rstrip(b"=").decode()
    return "same" if text == expected.rstrip("=") else "altered"
