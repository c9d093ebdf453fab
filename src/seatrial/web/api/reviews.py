"""What people are asked, as programs ask for it, and the answers to it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from seatrial.errors import RequestError, UsageError
from seatrial.review import items
from seatrial.review.deadlines import tend
from seatrial.review.document import document
from seatrial.review.document import history as events
from seatrial.review.items import Choice
from seatrial.web.access.actor import operator
from seatrial.web.api import _bodies
from seatrial.web.api._answers import reviews as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered, asked, named, or_none, page, refused, sent
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.ledger.store import Ledger
    from seatrial.review.items import Item


def reviews(request: Request) -> Response:
    """The open ones, or all."""
    wanted = asked(request, _bodies.WhichReviews)
    before, ledger = or_none(wanted.before), project(request).ledger
    if wanted.all:
        last = None if before is None else _asked_before(ledger, before)
        with ledger.read() as connection:
            left: Sequence[Item] = items.everything(connection, wanted.limit + 1, last)
    else:
        with ledger.read() as connection:
            left = _after(items.waiting(connection), before)
    shown, more = page(request, left, wanted.limit, lambda item: item.id)
    return answered([document(each) for each in shown], more)


def review(request: Request) -> Response:
    """One, with what happened to it."""
    item = item_of(request)
    return answered({**document(item), "history": events(project(request).ledger, item)})


def item_of(request: Request) -> Item:
    """The question whose id the path is, or begins; :class:`RequestError` 404 without one."""
    try:
        return items.get(project(request).ledger, named(request, "review"))
    except UsageError as error:
        raise refused(404, error) from error


def _decide(choice: Choice, request: Request) -> Response:
    """Of two who answer, the second is told who was first."""
    actor, why = operator(request), sent(request, _bodies.Why)
    opened, item = project(request), item_of(request)
    tend(opened.ledger, opened.workspace.clock())
    try:
        decided = items.decide(opened.ledger, item.id, choice, actor.name, why.reason)
    except UsageError as error:
        raise refused(409, error) from error
    return answered(document(decided))


def _after(found: Sequence[Item], before: str | None) -> Sequence[Item]:
    """Those that come after one of the list."""
    if before is None:
        return found
    place = next((n for n, each in enumerate(found) if each.id == before.upper()), None)
    if place is None:
        raise _not_listed(before)
    return found[place + 1 :]


def _asked_before(ledger: Ledger, before: str) -> Item:
    try:
        found = items.get(ledger, before)
    except UsageError as error:
        raise _not_listed(before) from error
    if found.id != before.upper():
        raise _not_listed(before)
    return found


def _not_listed(before: str) -> RequestError:
    return RequestError(404, f"{before!r} is not in this list: begin anew without it")


OPERATIONS = (
    Operation(
        method="GET",
        path="/reviews",
        summary="What people are asked",
        answer=reviews,
        gives=list[_answers.ToldReview],
        query=_bodies.WhichReviews,
        paged=True,
    ),
    Operation(
        method="GET",
        path="/reviews/{review}",
        summary="One question with its evidence, and what happened to it",
        answer=review,
        gives=_answers.WholeReview,
    ),
    Operation(
        method="POST",
        path="/reviews/{review}/approve",
        summary="Approve what is asked; of two who answer, the second gets 409",
        answer=partial(_decide, Choice.APPROVE),
        gives=_answers.ToldReview,
        takes=_bodies.Why,
        refusals=(409,),
    ),
    Operation(
        method="POST",
        path="/reviews/{review}/reject",
        summary="Reject what is asked; of two who answer, the second gets 409",
        answer=partial(_decide, Choice.REJECT),
        gives=_answers.ToldReview,
        takes=_bodies.Why,
        refusals=(409,),
    ),
)
ROUTES = routes(OPERATIONS)
