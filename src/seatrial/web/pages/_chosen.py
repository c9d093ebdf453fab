"""Which model is a page about that can be about any?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import RequestError
from seatrial.registry.registry import PRODUCTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.registry.project import Project


def chosen(opened: Project, asked: str) -> tuple[Sequence[str], str]:
    """The names of all models; and the one that is asked for, else what went into production last.

    Where nothing is in production the first one; empty without any. :class:`RequestError` 404 when
    there is none of the name.
    """
    known = opened.registry.models()
    if asked and asked not in known:
        raise RequestError(404, f"there is no model {asked!r} in this project")
    serving = [each for each in opened.registry.channels() if each.channel == PRODUCTION]
    newest = max(serving, key=lambda each: each.since, default=None)
    return known, asked or (next(iter(known), "") if newest is None else newest.model)
