"""Moving production by hand, whichever way: what its form carries, and what is said afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.errors import PassingError, RequestError, StoreError, UsageError
from seatrial.registry.registry import PRODUCTION, MovedError
from seatrial.review.items import minute
from seatrial.web.drawing import redirect
from seatrial.web.forms import form, reason
from seatrial.web.opened import project
from seatrial.web.pages.registry import number_of, path_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.report.about_model import About
    from seatrial.review.by_hand import Moved

NO_REASON = "A reason is needed: it stands in the history."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which version shall serve, why, and which revision of *production* the person has seen."""

    version: int
    expect: int
    reason: str


def wanted(request: Request, what: str) -> Wanted:
    """What the form says; :class:`RequestError` 400 where it does not say ``what``."""
    said = form(request)
    version, expect = (number_of(said.get(each, "")) for each in ("to", "expect"))
    if version is None or expect is None:
        raise RequestError(400, f"the form does not say what to {what}: reload the page")
    return Wanted(version=version, expect=expect, reason=reason(said))


def done(
    request: Request,
    model: str,
    asked: Wanted,
    move: Callable[[], Moved],
    refused: Callable[[str], Response],
) -> Response:
    """Do it, and lead to the model. ``refused`` shows the form again, with what is in the way."""
    try:
        moved = move()
    except MovedError as error:
        said = _unmoved(project(request), model, asked.version, error)
        return redirect(request, path_of(model), said, good=False)
    except PassingError:
        raise
    except (StoreError, UsageError) as error:
        return refused("; ".join(f"{each.what}: {each.fix}" for each in error.mistakes))
    return redirect(request, path_of(model), f"{moved.text}. Your reason: {asked.reason}")


def _unmoved(opened: Project, name: str, wanted: int, error: MovedError) -> str:
    """Why nothing was done: somebody else was first, or the same form was sent twice."""
    now = opened.registry.channel(name, PRODUCTION)
    if now is not None and now.version == wanted:
        at = minute(now.since)
        return (
            f"Version {wanted} is in production since {at} UTC already ({now.reason}): what you"
            " sent has changed nothing."
        )
    return f"Nothing was changed: {error.mistakes[0].what}. Look, then decide anew."


def is_watched(request: Request, found: About) -> bool:
    """Whether what serves is being watched, which the move ends."""
    from seatrial.registry import watches

    return watches.current(project(request).ledger, found.model) is not None
