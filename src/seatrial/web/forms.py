"""What a form says: its fields as text."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from seatrial.errors import RequestError
from seatrial.web.visit import visit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 1000

LONGEST_REASON = 2000
"""Characters: a reason stands in the history for ever, and in every message about it."""

UNWRITABLE = "\x00"
"""The letter NUL, which PostgreSQL keeps in no text."""


def form(request: Request) -> Mapping[str, str]:
    """The fields of a posted form; the last one counts where a name stands twice.

    :class:`RequestError` when the request carries something else.
    """
    said = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if said != TYPE:
        raise RequestError(415, f"a form is sent as {TYPE}")
    return fields(visit(request).body)


def fields(body: bytes) -> dict[str, str]:
    """Fields as a browser writes them.

    >>> fields(b"reason=it+is+%22bad%22&expect=3")
    {'reason': 'it is "bad"', 'expect': '3'}
    """
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:  # not UTF-8, or too many
        raise RequestError(400, "the form cannot be read: it is no UTF-8, or too long") from error
    if any(UNWRITABLE in each for pair in pairs for each in pair):
        raise RequestError(400, "the form holds the letter NUL, which stands in no text")
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def reason(said: Mapping[str, str]) -> str:
    r"""Why, as one line; empty where nothing is said.

    :class:`RequestError` 400 when it is longer than :data:`LONGEST_REASON`.

    >>> reason({"reason": " it is bad,\n look "}), reason({})
    ('it is bad, look', '')
    """
    found = " ".join(said.get("reason", "").split())
    if len(found) > LONGEST_REASON:
        much = f"{len(found)} characters; {LONGEST_REASON} are enough"
        raise RequestError(400, f"the reason has {much}: say it in short, and where to read more")
    return found
