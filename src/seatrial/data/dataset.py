"""Where is a dataset, and which roles do its columns have?

A name is an entry under ``datasets:`` of the pipeline file, else a file or a folder in ``data/``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from seatrial.errors import FormError, Mistake, nearest

SUFFIXES = (
    *(".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".arrow", ".feather"),
    *(".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz"),
)
"""The endings of file names that can be opened."""

FOLDER = "data"
"""The folder, inside the project folder, where undeclared datasets are looked for."""

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""How a path that is no local one begins: ``s3://``, ``gs://``, ``https://`` …"""

_PASSWORD = re.compile(r"(?<=://)([^/@:]*):.*@")
_SECRET = re.compile(r"(?i)([?&][^=&]*(?:pass|pwd|sig|token|secret|key)[^=&]*=)[^&]+")
"""Where an address says in its query what nobody else should know."""

_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Declared: where the rows are, and the role of their columns.

    The rows are in exactly one place: ``path`` (a file, a folder or a pattern on this machine),
    ``address`` (a path elsewhere, such as ``s3://…``), or a ``table`` or ``query`` of the
    ``database`` (or of the one whose address is in the variable ``database_env``), or of Spark.
    """

    name: str
    path: Path | None = None
    target: str | None = None
    key: str | None = None
    time: str | None = None
    exclude: tuple[str, ...] = ()
    engine: str = "duckdb"
    address: str | None = None
    database: str | None = None
    database_env: str | None = None
    table: str | None = None
    query: str | None = None
    master: str | None = None
    """Of Spark: its master; ``local[*]`` when neither this nor ``remote`` is given."""
    remote: str | None = None
    """Of Spark: the address of a Spark Connect server, ``sc://…``."""

    @property
    def place(self) -> str:
        """Where the rows are, as it is shown to people: never with a password.

        >>> Dataset("d", database="postgresql://me:secret@host/db", table="flights").place
        'postgresql://me@host/db, table flights'
        >>> Dataset("d", address="https://host/a.csv?sig=secret&page=2").place
        'https://host/a.csv?sig=…&page=2'
        """
        if self.path is not None:
            return str(self.path)
        if self.address is not None:
            return _masked(self.address)
        what = f"table {self.table}" if self.table else "query"
        where = f"${self.database_env}" if self.database_env else self.database or self.engine
        return f"{_masked(where)}, {what}"

    @property
    def brief(self) -> str:
        """The place in a word or two: the name of a file without its folders."""
        return self.path.name if self.path is not None else self.place


def find(name: str, folder: Path, declared: Mapping[str, object]) -> Dataset:
    """The dataset that ``name`` means in the project folder ``folder``.

    ``declared`` is the ``datasets:`` of the pipeline file: name to path (or database and table),
    target, key, time and exclude; a relative path starts at ``folder``. Raises FormError when no
    file, or more than one, has that name. A declared path may not exist yet: opening it tells.

    >>> find("flights", Path("/project"), {"flights": {"path": "a.csv", "target": "late"}}).target
    'late'
    """
    entry = _entry(name, declared)
    words = {key: _word(entry, key) for key in ("target", "key", "time", "master", "remote")}
    words |= {key: _word(entry, key) for key in ("database_env", "table", "query")}
    given = _word(entry, "path")
    path, address = located(given, folder) if given else (None, None)
    if not (given or words["table"] or words["query"]):
        path = _only_place(name, folder, declared)
    return Dataset(
        name=name,
        path=path,
        address=address,
        exclude=_words(entry.get("exclude")),
        engine=_word(entry, "engine") or "duckdb",
        database=_SQLITE.sub(rf"\1{folder.absolute()}/\2", _word(entry, "database") or "") or None,
        **words,
    )


def located(text: str, folder: Path) -> tuple[Path | None, str | None]:
    """A path as it is written: on this machine (it starts at ``folder``), or an address.

    >>> located("s3://bucket/a.csv", Path("/project")), located("a.csv", Path("/project"))
    ((None, 's3://bucket/a.csv'), (PosixPath('/project/a.csv'), None))
    """
    if text.startswith("file://"):
        return Path(text.removeprefix("file://")), None
    return (None, text) if ADDRESS.match(text) else (folder / text, None)


def is_pattern(path: Path) -> bool:
    """Whether a path stands for several files: it has ``*``, ``?`` or ``[``, and is no file."""
    return any(sign in str(path) for sign in "*?[") and not os.path.lexists(path)


def named(text: str) -> Dataset:
    """The dataset that somebody named by its path or address on the command line.

    >>> named("data/flights.csv.gz").name, named("data/flights-*.parquet").name
    ('flights', 'flights')
    """
    path, address = located(text, Path())
    several = path is None or is_pattern(path)
    plain = re.split(r"[*?[]", text)[0].rstrip("-_") if several else text
    last = plain.rstrip("/").rpartition("/")[2]
    return Dataset(last.partition(".")[0] or "data", path, address=address)


def _masked(address: str) -> str:
    return _SECRET.sub(r"\1…", _PASSWORD.sub(r"\1@", address))


def _entry(name: str, declared: Mapping[str, object]) -> Mapping[str, object]:
    entry = declared.get(name, {})
    if isinstance(entry, Mapping):
        return cast("Mapping[str, object]", entry)
    raise FormError(
        Mistake(
            f"dataset {name!r} is declared as {entry!r}, not as a mapping",
            where=f"datasets: {name}",
            fix=f"write `{name}: {{path: data/{name}.csv, target: COLUMN}}`",
        )
    )


def _word(entry: Mapping[str, object], key: str) -> str | None:
    value = entry.get(key)
    return None if value is None else str(value)


def _words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(str(word) for word in value)
    return (str(value),)


def _only_place(name: str, folder: Path, declared: Mapping[str, object]) -> Path:
    """The one file ``data/<name>.<suffix>``, or the folder ``data/<name>``."""
    place = folder / FOLDER
    files = [place / f"{name}{suffix}" for suffix in SUFFIXES]
    found = [file for file in files if file.exists()]
    found += [place / name] if (place / name).is_dir() else []
    if len(found) == 1:
        return found[0]
    if found:
        raise FormError(
            Mistake(
                f"dataset {name!r} is ambiguous: {', '.join(file.name for file in found)}",
                where=str(place),
                fix=f"keep one of them, or say which under `datasets: {{{name}: {{path: …}}}}`",
            )
        )
    raise FormError(
        Mistake(
            f"dataset {name!r} was not found: no {name}.{{{','.join(s[1:] for s in SUFFIXES)}}}",
            where=str(place),
            nearest=_nearest_file(name, place, declared),
            fix=f"put {name}.csv there, or name its file under `datasets: {{{name}: {{path: …}}}}`",
        )
    )


def _nearest_file(name: str, place: Path, declared: Mapping[str, object]) -> str:
    files = sorted(place.iterdir()) if place.is_dir() else []
    by_stem = {
        file.name.removesuffix(suffix): file.name
        for suffix in SUFFIXES
        for file in files
        if file.name.endswith(suffix)
    }
    found = nearest(name, [*declared, *by_stem])
    return by_stem.get(found, found)
