"""Files of this machine: one file, or a folder or a pattern of Parquet files."""

from __future__ import annotations

import glob
import gzip
import itertools
import os
import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from seatrial.data.dataset import SUFFIXES, is_pattern
from seatrial.data.sources import Opened
from seatrial.data.sources.arrow import read_arrow
from seatrial.data.sources.delimited import read_commas, read_tabs
from seatrial.data.sources.fingerprint import hashed, look
from seatrial.data.sources.parquet import read_parquet, read_parts
from seatrial.data.sources.records import read_json, read_lines
from seatrial.data.sources.refusals import damaged, unknown_kind
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.data.sources import Place, Reader

READERS: dict[str, Reader] = {
    ".csv": read_commas,
    ".tsv": read_tabs,
    ".json": read_json,
    ".jsonl": read_lines,
    ".ndjson": read_lines,
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".feather": read_arrow,
}

_PACKED = ".gz"


def open_local(place: Place, path: Path) -> Opened:
    """Make the relation ``rows`` from a file, a folder or a pattern."""
    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where it may not look
        return _several(place, path, _in_folder(place, path))
    if is_pattern(path):
        return _several(place, *_matching(place, path))
    return _one(place, path)


def _one(place: Place, path: Path) -> Opened:
    name = path.name.lower()
    suffix = max((s for s in SUFFIXES if name.endswith(s)), key=len, default="")
    if not suffix:
        raise unknown_kind(place.dataset, path.suffix, SUFFIXES)
    read = READERS[suffix.removesuffix(_PACKED)]
    if suffix.endswith(_PACKED):
        return _opened(place, {"": path}, lambda: read(place, _unpacked(place, path, suffix)))
    return _opened(place, {"": path}, lambda: read(place, path))


def _several(place: Place, folder: Path, found: Mapping[str, Path]) -> Opened:
    others = [name for name, path in found.items() if path.suffix.lower() != ".parquet"]
    if others:
        raise FormError(
            Mistake(
                f"dataset {place.dataset.name!r}: {others[0]} is no Parquet file",
                where=place.dataset.place,
                fix="only Parquet may come in several files; name one file, or convert them",
            )
        )
    return _opened(place, found, lambda: read_parts(place, folder, found))


def _opened(place: Place, paths: Mapping[str, Path], read: Callable[[], int | None]) -> Opened:
    """Read files while another thread hashes them; they must be the same before and after."""
    files = look(place.dataset, paths)
    with hashed(files) as fingerprint:
        try:
            rows = read()
        except (duckdb.Error, OSError, EOFError, zlib.error) as fault:
            files.check()
            raise damaged(place.dataset, fault) from fault
        told = fingerprint()
    files.check()
    return Opened(told, files, rows)


def _unpacked(place: Place, path: Path, suffix: str) -> Path:
    target = place.scratch.path / f"unpacked{suffix.removesuffix(_PACKED)}"
    with gzip.open(path, "rb") as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain, 1 << 20)
    return target


def _in_folder(place: Place, folder: Path) -> dict[str, Path]:
    """The data files below a folder, by name; what begins with _ or . is its writer's note."""
    found = {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*"))
        if path.name.lower().endswith(SUFFIXES)
        and path.is_file()
        and not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    }
    if found:
        return found
    raise FormError(
        Mistake(
            f"dataset {place.dataset.name!r} is a folder without a Parquet file",
            where=place.dataset.place,
            fix="name the folder that holds the *.parquet files, or one file",
        )
    )


def _matching(place: Place, pattern: Path) -> tuple[Path, dict[str, Path]]:
    """The folder before the first sign of a pattern, and what the pattern fits below it."""
    plain = itertools.takewhile(lambda part: not set("*?[") & set(part), pattern.parts)
    folder = Path(*plain)
    found = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if found:
        return folder, {str(path.relative_to(folder)): path for path in found}
    raise FormError(
        Mistake(
            f"dataset {place.dataset.name!r}: no file fits the pattern",
            where=place.dataset.place,
            fix="correct the path; * stands for any part of a name",
        )
    )
