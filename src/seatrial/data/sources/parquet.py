"""Parquet: one file, or several of one schema, whose folders may say more (hive partitions)."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

import duckdb

from seatrial.data.column import quoted
from seatrial.data.sources.refusals import at, damaged, unique_names
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seatrial.data.sources import Place


def read_parquet(place: Place, path: Path) -> int | None:
    """One file; it stays on disk and is read when asked."""
    unique_names(place.dataset, _names(place, path))
    source = f"read_parquet({_literal(path)}, hive_partitioning = false)"
    place.connection.execute(f"CREATE VIEW rows AS FROM {source}")
    return None


def read_parts(place: Place, folder: Path, parts: Mapping[str, Path]) -> int | None:
    """Files below a folder, one after another by name; they must have one schema.

    ``year=2024`` in the name of a folder is a column ``year`` of the rows below it.
    """
    _same_columns(place, parts)
    literals = ", ".join(_literal(path) for path in parts.values())
    keys = {part.partition("=")[0] for name in parts for part in name.split("/")[:-1]}
    hive = bool(keys) and all("=" in part for name in parts for part in name.split("/")[:-1])
    source = f"read_parquet([{literals}], hive_partitioning = {hive})"
    names = [name for name, *_ in place.connection.execute(f"DESCRIBE FROM {source}").fetchall()]
    # duckdb reads the folders above as well, which say where the data lie and not what they are.
    above = {part.partition("=")[0] for part in folder.absolute().parts if "=" in part} - keys
    dropped = [name for name in names if hive and name in above]
    without = f" EXCLUDE ({', '.join(map(quoted, dropped))})" if dropped else ""
    unique_names(place.dataset, [name for name in names if name not in dropped])
    place.connection.execute(f"CREATE VIEW rows AS SELECT *{without} FROM {source}")  # noqa: S608
    return None


def _same_columns(place: Place, parts: Mapping[str, Path]) -> None:
    """Refuse files whose columns differ from those of the first."""
    (first, path), *others = parts.items()
    expected = _columns(place, path, first)
    unique_names(place.dataset, _names(place, path))
    mistakes = [
        Mistake(
            f"dataset {place.dataset.name!r}: the files do not have one schema: {what}",
            where=at(place.dataset, name),
            nearest=near,
            fix=f"write all files with the columns and types of {first}",
        )
        for name, path in others
        for what, near in _differences(expected, _columns(place, path, name), first)
    ]
    if mistakes:
        raise FormError(*mistakes)


def _differences(
    expected: Mapping[str, str], found: Mapping[str, str], first: str
) -> Iterator[tuple[str, str]]:
    extra = [name for name in found if name not in expected]
    for name, kind in expected.items():
        if name not in found:
            yield f"column {name!r} is missing", nearest(name, extra)
        elif found[name] != kind:
            yield f"column {name!r} is {found[name]}, but {kind} in {first}", ""
    for name in extra:
        yield f"column {name!r} is not in {first}", nearest(name, expected)


def _columns(place: Place, path: Path, name: str) -> dict[str, str]:
    """The names and types of a file's columns."""
    source = f"read_parquet({_literal(path)}, hive_partitioning = false)"
    try:
        found = place.connection.execute(f"DESCRIBE FROM {source}").fetchall()
    except (duckdb.Error, OSError) as fault:
        raise damaged(place.dataset, fault, name) from fault
    return {column: kind for column, kind, *_ in found}


def _names(place: Place, path: Path) -> list[str]:
    """The names of the columns as the file has them: duckdb renames equal ones."""
    parts = place.connection.execute(
        "SELECT name, num_children FROM parquet_schema($path)",
        {"path": glob.escape(str(path.absolute()))},
    ).fetchall()
    return _top(parts)


def _top(parts: list[tuple[str, int | None]]) -> list[str]:
    """The names below the root of a Parquet schema, which is listed depth first.

    >>> _top([("root", 2), ("a", None), ("b", 1), ("inside b", None)])
    ['a', 'b']
    """
    names: list[str] = []
    pending = 0
    for name, children in parts[1:]:
        if pending:
            pending -= 1
        else:
            names.append(name)
        pending += children or 0
    return names


def _literal(path: Path) -> str:
    """The path as a pattern that matches only itself; a view takes no parameters."""
    return "'" + glob.escape(str(path.absolute())).replace("'", "''") + "'"
