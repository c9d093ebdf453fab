"""Which form of an answer does a client like best? ``Accept`` of RFC 9110, 12.5.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import Mistake, RequestError

if TYPE_CHECKING:
    from collections.abc import Sequence


def accepted(header: str | None, offered: Sequence[str]) -> str:
    """The media type of ``offered`` that is liked best, the first of equals.

    :class:`RequestError` 406 when none is accepted.

    >>> accepted("text/*;q=0.5, text/markdown", ["application/json", "text/html", "text/markdown"])
    'text/markdown'
    >>> accepted(None, ["application/json", "text/html"])
    'application/json'
    """
    liked = _liked(header) if header and header.strip() else {"*/*": 1.0}
    best = max(offered, key=lambda kind: _weight(kind, liked))
    if _weight(best, liked) <= 0:
        fix = f"Accept: {', '.join(dict.fromkeys(offered))}"
        raise RequestError(406, Mistake(f"no form of it is {header!r}", "Accept", fix=fix))
    return best


def _weight(kind: str, liked: dict[str, float]) -> float:
    """The most specific range counts."""
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((liked[each] for each in ranges if each in liked), 0.0)


def _liked(header: str) -> dict[str, float]:
    """How much each range is liked; what cannot be read counts as not being there."""
    found = {}
    for part in header.split(","):
        kind, *parameters = (each.strip().lower() for each in part.split(";"))
        weights = [each[2:] for each in parameters if each.startswith("q=")]
        try:
            found[kind] = float(weights[0]) if weights else 1.0
        except ValueError:
            continue
    return found
