"""What may an entry under ``datasets:`` say?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.pipeline.notes import kind, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.pipeline.located import Path
    from seatrial.pipeline.notes import Notes

ROLES = ("target", "key", "time", "exclude")
"""What columns are for; ``exclude`` takes a list of columns too."""

PLACES = ("path", "database", "database_env", "table", "query")
"""Where the rows are."""

ENTRY = (*PLACES, *ROLES, "engine", "master", "remote")
"""What an entry under ``datasets:`` may say."""

ENGINES = ("duckdb", "spark")
"""Where the rows are counted."""

DATABASES = ("sqlite", "postgresql+psycopg", "postgresql")
"""How the address of a database may begin."""

_LISTS = frozenset({"exclude"})
_ADDRESS = re.compile(r"([\w+.-]+)://(.*)", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def entry(given: Mapping[object, object], path: Path, notes: Notes) -> dict[str, object]:
    """The keys that are known and right; what is wrong with the others is noted."""
    found: dict[str, object] = {}
    for key, value in given.items():
        step: Path = (*path, key if isinstance(key, int) else str(key))
        if not isinstance(key, str) or key not in ENTRY:
            notes.unknown(step, f"the dataset {path[-1]!r} has an unknown key", key, ENTRY)
        elif (isinstance(value, str) and value) or (key in _LISTS and _texts(value)):
            found[key] = value
        else:
            asked = "a text or a list of texts" if key in _LISTS else "a text"
            mixed = "a list with other things" if value and isinstance(value, list) else kind(value)
            what = f"{key!r} of the dataset {path[-1]!r} must be {asked}, not {mixed}"
            notes.wrong(step, what, fix="put column names that look like numbers into quotes")
    before = len(notes.mistakes)
    _words(found, path, notes)
    if len(notes.mistakes) == before:
        _together(found, path, notes)
    return found


def _words(found: Mapping[str, object], path: Path, notes: Notes) -> None:
    """What is wrong with one value alone."""
    if (engine := found.get("engine")) and engine not in ENGINES:
        notes.unknown((*path, "engine"), f"the dataset {path[-1]!r} cannot have the engine",
                      engine, ENGINES)  # fmt: skip
    for key in ("path", "database"):
        if _holds_password(str(found.get(key, ""))):
            other = "`database_env: NAME`" if key == "database" else "its own variables or files"
            what = f"{key!r} of the dataset {path[-1]!r} holds a password, for all to read"
            fix = f"take it out; give the secret through {other}"
            notes.wrong((*path, key), what, fix=fix)
    if (database := found.get("database")) is not None:
        scheme = _ADDRESS.match(str(database))
        if scheme is None:
            what = f"'database' of the dataset {path[-1]!r} is no address: {short(database)}"
            fix = "write such as sqlite:///flights.db or postgresql+psycopg://user@host/name"
            notes.wrong((*path, "database"), what, fix=fix)
        elif scheme[1] not in DATABASES:
            what = f"the dataset {path[-1]!r} cannot come from the database"
            notes.unknown((*path, "database"), what, scheme[1], DATABASES)
    variable = found.get("database_env")
    if variable is not None and not _VARIABLE.fullmatch(str(variable)):
        # Not shown: somebody may have written the address itself.
        what = f"'database_env' of the dataset {path[-1]!r} is no name of a variable"
        fix = "write such as database_env: WAREHOUSE, and put the address into that variable"
        notes.wrong((*path, "database_env"), what, fix=fix)
    if (remote := found.get("remote")) and not str(remote).startswith("sc://"):
        what = f"'remote' of the dataset {path[-1]!r} is no Spark Connect address: {short(remote)}"
        notes.wrong((*path, "remote"), what, fix="write such as remote: sc://host:15002")


def _together(found: Mapping[str, object], path: Path, notes: Notes) -> None:
    """What is wrong with values that do not go together: the first such thing."""
    spark = found.get("engine") == "spark"
    base = next((key for key in ("database", "database_env") if key in found), None)
    selected = [key for key in ("table", "query") if key in found]

    def wrong(key: str, what: str, fix: str) -> None:
        notes.wrong((*path, key), f"the dataset {path[-1]!r} {what}", fix=fix)

    for first, second in (
        ("path", "database"),
        ("path", "database_env"),
        ("path", "table"),
        ("path", "query"),
        ("database", "database_env"),
        ("table", "query"),
        ("master", "remote"),
    ):
        if first in found and second in found:
            wrong(second, f"has both {first!r} and {second!r}", "keep one of the two")
            return
    if base and spark:
        wrong(base, f"has {base!r}, which Spark does not read", "leave out `engine: spark`")
    elif base and not selected:
        fix = "say `table: NAME`, or `query: SELECT … ORDER BY …`"
        wrong(base, f"has {base!r}, but neither 'table' nor 'query'", fix)
    elif selected and not (base or spark):
        fix = "say `database: …` or `database_env: NAME` beside it"
        wrong(selected[0], f"has {selected[0]!r}, but no database", fix)
    elif not spark and (key := next((k for k in ("master", "remote") if k in found), None)):
        wrong(key, f"has {key!r}, but its engine is not spark", "say `engine: spark`")


def _holds_password(address: str) -> bool:
    """Whether an address names a password: before the ``@``, or as a parameter behind ``?``.

    >>> _holds_password("postgresql://me:secret@host/db"), _holds_password("postgresql://me@host")
    (True, False)
    """
    found = _ADDRESS.match(address)
    if not found:
        return False
    host, _, parameters = found[2].partition("?")
    user = host.partition("/")[0].rpartition("@")[0] or host.rpartition("@")[0]
    return ":" in user or re.search(r"(^|&)(password|passfile)=", parameters) is not None


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
