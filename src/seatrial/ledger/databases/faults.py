"""What is in the way when PostgreSQL refuses or does not answer, and may it pass by itself?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, PassingError, StoreError, UsageError

if TYPE_CHECKING:
    from sqlalchemy import exc

_LINE = 240
"""How much is told of what a server says, in characters."""

_LOCKED = "55P03"
_HURRIED = "57014"
_PASSING = ("40", "53300", "53400", "57P", "25006", "08")
"""Conflicts, too many connections, a server that goes or has become a copy, a line that broke."""

_NO_RIGHT = "42501"
_GONE = ("42P01", "3F000", "42703")
"""No such table, schema, column."""

_REFUSED = (
    (r"password", "correct the user and the password"),
    (r"pg_hba\.conf", "let this machine and user in: the server's pg_hba.conf says who may enter"),
    (r"permission denied for database", "let this user connect to the database"),
    (r'role ".*" (does not exist|is not)', "create the user with LOGIN, or correct its name"),
    (r'database ".*" does not exist', "`createdb -E UTF8 NAME`, or correct the name"),
    (r"not support SSL|certificate", "correct ?sslmode= in the address, or the certificates"),
)
"""What is said when somebody is not let in, and what to do about it."""

_NEEDLESS = re.compile(
    r"^(connection (failed|is bad)|consuming input failed): |connection to server [^;]* failed: "
)
"""The address is told anyway."""


def not_connected(error: exc.DBAPIError, where: str) -> StoreError | UsageError:
    """Nobody answers, or does not let us in. The driver gives no code for this, only words."""
    said = said_by(error, lines=1)
    if said.startswith("invalid "):
        return UsageError(Mistake(f"the address of the database is wrong: {said}", where=where))
    for words, fix in _REFUSED:
        if re.search(words, said):
            what = f"the database of the ledger does not let us in: {said}"
            return StoreError(Mistake(what, where=where, fix=fix))
    what = f"the database of the ledger does not answer: {said}"
    return PassingError(Mistake(what, where=where, fix="start it, or correct its address"))


def met(error: exc.DBAPIError, where: str) -> StoreError:
    """Something came in the way of a look or of a change."""
    said, code = said_by(error), getattr(error.orig, "sqlstate", None) or ""
    if code == _LOCKED:
        what = "another process has been writing to the ledger for too long"
        return PassingError(Mistake(what, where=where, fix="run again; see pg_locks for who it is"))
    if code == _HURRIED:
        what = f"the server gave up on the ledger: {said_by(error, lines=1)}"
        fix = "run again; with a statement_timeout over 30 s, whoever writes can wait for others"
        return PassingError(Mistake(what, where=where, fix=fix))
    if error.connection_invalidated or code.startswith(_PASSING):
        what = f"the connection to the ledger was lost: {said_by(error, lines=1)}"
        return PassingError(Mistake(what, where=where, fix="run again: nothing was done by halves"))
    if code == _NO_RIGHT:
        what = f"the user of the database may not do this: {said}"
        fix = "grant it USAGE and CREATE on the schema, and let it own the tables there"
        return StoreError(Mistake(what, where=where, fix=fix))
    if code in _GONE:
        what = f"the ledger is gone, or was made by somebody else: {said}"
        return StoreError(Mistake(what, where=where, fix="restore it from a backup"))
    return StoreError(Mistake(f"the ledger cannot be used: {said}", where=where))


def said_by(error: BaseException, lines: int = 2) -> str:
    """The first words of the driver or the server, on one line; they never hold the password."""
    original = getattr(error, "orig", error)
    said = [line.strip() for line in str(original).splitlines() if line.strip()]
    return _NEEDLESS.sub("", " ".join(" ".join(said[:lines]).split()))[:_LINE]
