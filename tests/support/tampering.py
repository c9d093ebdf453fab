"""What somebody could do to a ledger past the program: with its file, or with a password."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)
"""What a database raises that refuses a change of events."""


def tamper(place: Path | str, *statements: str) -> None:
    """Run statements, all of them or none."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as file, file:
            for statement in statements:
                file.execute(statement)
    else:
        with psycopg.connect(place) as server:
            for statement in statements:
                server.execute(statement.encode())


def unguarded(place: Path | str, *statements: str) -> None:
    """The same by somebody who took away what refuses a change of events."""
    if isinstance(place, Path):
        names = ("event_no_update", "event_no_delete", "event_no_replace")
        guards = tuple(f"DROP TRIGGER {name}" for name in names)
    else:
        guards = ("ALTER TABLE event DISABLE TRIGGER USER",)
    tamper(place, *guards, *statements)


def asked(place: Path | str, query: str) -> list[tuple[Any, ...]]:
    """Rows, read past the program."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as file:
            return file.execute(query).fetchall()
    with psycopg.connect(place) as server:
        return server.execute(query.encode()).fetchall()
