"""Where is a dataset, and which roles do its columns have?

A name is an entry under ``datasets:`` of the pipeline file, else a file in ``data/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - resolvable when it runs
from typing import cast

from seatrial.errors import FormError, Mistake, nearest

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".arrow", ".json", ".jsonl")
"""The endings of file names that can be opened."""

FOLDER = "data"
"""The folder, inside the project folder, where undeclared datasets are looked for."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Declared: where the rows are, and the role of their columns."""

    name: str
    path: Path
    target: str | None = None
    key: str | None = None
    time: str | None = None
    exclude: tuple[str, ...] = ()
    engine: str = "duckdb"

    @property
    def place(self) -> str:
        """Where the rows are, as it is shown to people."""
        return str(self.path)


def find(name: str, folder: Path, declared: Mapping[str, object]) -> Dataset:
    """The dataset that ``name`` means in the project folder ``folder``.

    ``declared`` is the ``datasets:`` of the pipeline file: name to path, target, key, time and
    exclude; a relative path starts at ``folder``. Raises FormError when no file, or more than
    one, has that name. A declared path may not exist yet: opening it tells.

    >>> find("flights", Path("/project"), {"flights": {"path": "a.csv", "target": "late"}}).target
    'late'
    """
    entry = _entry(name, declared)
    path = entry.get("path")
    return Dataset(
        name=name,
        path=folder / str(path) if path is not None else _only_file(name, folder, declared),
        target=_word(entry, "target"),
        key=_word(entry, "key"),
        time=_word(entry, "time"),
        exclude=_words(entry.get("exclude")),
        engine=_word(entry, "engine") or "duckdb",
    )


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


def _only_file(name: str, folder: Path, declared: Mapping[str, object]) -> Path:
    """The one file ``data/<name>.<suffix>``."""
    place = folder / FOLDER
    files = [place / f"{name}{suffix}" for suffix in SUFFIXES]
    found = [file for file in files if file.exists()]
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
