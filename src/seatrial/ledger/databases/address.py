"""What does the address of a database say, and how is it shown to people?"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import exc

from seatrial.errors import Mistake, UsageError
from seatrial.workspace import DATABASE

_SCHEMES = ("postgresql+psycopg", "postgresql")
_EXAMPLE = "postgresql://USER:PASSWORD@HOST/NAME"
_SHOWN = ("host", "port", "service", "options")
"""What may stand behind the question mark and tells where a ledger is; the rest may be secret."""


def read(address: str, where: str = DATABASE) -> sa.URL:
    """The parts of an address; :class:`UsageError` when it is none of PostgreSQL.

    ``where`` is what gave it, for the error.
    """
    scheme, found, _ = address.partition("://")
    if found and scheme not in _SCHEMES:
        raise UsageError(
            Mistake(
                f"a ledger cannot lie in {scheme}://",
                where=where,
                nearest=_SCHEMES[1] if scheme.startswith("postgres") else "",
                fix=f"write {_EXAMPLE}, or leave it out: the ledger is a file then",
            )
        )
    try:
        url = sa.make_url(address).set(drivername=_SCHEMES[0])
    except (exc.ArgumentError, ValueError):  # their own words may hold the password
        raise _not_understood(where) from None
    if "@" in (url.host or ""):  # it is the end of the password
        raise _not_understood(where)
    return url


def _not_understood(where: str) -> UsageError:
    return UsageError(
        Mistake(
            "the address of the database cannot be understood",
            where=where,
            fix=f"write {_EXAMPLE}; %40 stands for @, %3A for :, %2F for / in a password",
        )
    )


def shown(address: str) -> str:
    """An address without its secrets.

    >>> shown("postgresql://ann:secret@db/ledger?sslmode=require&options=-csearch_path%3Dfleet")
    'postgresql://ann:***@db/ledger?options=-csearch_path%3Dfleet'
    """
    url = read(address)
    safe = {key: value for key, value in url.query.items() if key in _SHOWN}
    return url.set(drivername=_SCHEMES[1], query=safe).render_as_string(hide_password=True)
