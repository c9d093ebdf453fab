"""What a browser must fetch before a web application shows anything: read from its wheel.

Counted is what the page itself names (scripts, preloaded modules, styles), at the least: what the
scripts fetch afterwards, and the data, come on top.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from posixpath import basename, dirname, normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ENDINGS = (".js", ".css")
_LINKED = re.compile(rb"""(?:src|href)=["']?([^"' >]+\.(?:js|css))["' >]""")


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files of scripts and styles: how many, and their bytes as they are and by ``gzip -9``."""

    files: int
    size: int
    packed: int


def of(contents: Sequence[bytes]) -> Bundle:
    """The sums."""
    return Bundle(
        files=len(contents),
        size=sum(map(len, contents)),
        packed=sum(len(gzip.compress(each, 9, mtime=0)) for each in contents),
    )


def wheel(requirement: str, folder: Path) -> Path:
    """The wheel of a release, fetched without what it depends on."""
    place = folder / requirement
    fetch = [
        *(sys.executable, "-m", "pip", "download"),
        *("--quiet", "--no-deps", "--only-binary=:all:"),
    ]
    subprocess.run([*fetch, "--dest", str(place), requirement], check=True, capture_output=True)
    (found,) = place.glob("*.whl")
    return found


def first_page(file: Path, page: str) -> tuple[Bundle, Bundle]:
    """What ``page`` of a wheel names, and all scripts and styles of its folder."""
    with zipfile.ZipFile(file) as opened:
        below = dirname(page)
        every = [x for x in opened.namelist() if x.startswith(f"{below}/") and x.endswith(ENDINGS)]
        linked = [_found(each.decode(), every) for each in _LINKED.findall(opened.read(page))]
        if not linked:
            raise RuntimeError(f"{page} of {file.name} names no scripts")
        named, whole = (
            [opened.read(x) for x in names] for names in ([*dict.fromkeys(linked)], every)
        )
    return of(named), of(whole)


def _found(address: str, every: Sequence[str]) -> str:
    """The one file that an address means; servers put it below a root of their own."""
    ends = normpath(address).rsplit("/", 2)[-2:]
    found = [each for each in every if each.split("/")[-2:] == ends]
    if len(found) != 1:
        found = [each for each in every if basename(each) == basename(address)]
    if len(found) != 1:
        raise RuntimeError(f"{address} is {len(found)} files of the wheel")
    return found[0]
