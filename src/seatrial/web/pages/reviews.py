"""Reviews: what people are asked, one question with its evidence, and the answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import Mistake, RequestError, UsageError
from seatrial.ledger import paths
from seatrial.report.section import Badge, Link, Table
from seatrial.review import items
from seatrial.review.deadlines import tend
from seatrial.review.document import history
from seatrial.review.items import Choice, Status, minute
from seatrial.review.meaning import means
from seatrial.review.time_left import left, spell
from seatrial.web.access.actor import operator, viewer
from seatrial.web.drawing import page, redirect
from seatrial.web.forms import form
from seatrial.web.forms import reason as reason_of
from seatrial.web.opened import project
from seatrial.web.pages._evidence import by_labels, evidence
from seatrial.web.pages._heading import heading
from seatrial.web.pages._paged import paged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.report.section import Cell
    from seatrial.review.items import Item

HERE = "reviews"

NO_REASON = Mistake("A reason is needed: it stands in the history.")


def queue(request: Request) -> Response:
    """What waits for an answer; with ``?all=1`` everything that was ever asked."""
    opened, every = project(request), request.query_params.get("all") == "1"
    now = opened.workspace.clock()
    with opened.ledger.read() as connection:
        found = _Asked(connection) if every else items.waiting(connection)
        shown = paged(request, found)
    table = _all(shown.rows) if every else _open(shown.rows, now)
    return page(
        request,
        "reviews.html",
        title="Reviews",
        here=HERE,
        every=every,
        shown=shown,
        table=table,
    )


class _Asked:
    """Everything that was ever asked, newest first, of which only what is shown is read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __len__(self) -> int:
        return items.count(self._connection)

    def __getitem__(self, of: slice) -> Sequence[Item]:
        return items.everything(self._connection, of.stop - of.start, skip=of.start)


def one(request: Request) -> Response:
    """A question, what it rests on, what happened to it, and how to answer."""
    opened, item = project(request), item_of(request)
    return _shown(request, opened, item)


def decide(request: Request) -> Response:
    """Approve or reject, and say what follows; whoever comes second is told who was first."""
    from seatrial.review.follows import follows

    actor, said, opened, item = operator(request), form(request), project(request), item_of(request)
    choice, reason = said.get("choice", ""), reason_of(said)
    if choice not in {*Choice}:
        raise RequestError(400, "the form does not say whether to approve or to reject")
    if not reason:
        return _shown(request, opened, item, NO_REASON, 400)
    tend(opened.ledger, opened.workspace.clock())
    try:
        decided = items.decide(opened.ledger, item.id, choice, actor.name, reason)
    except UsageError as error:
        now = items.get(opened.ledger, item.id)
        if now.status is not Status.OPEN:
            return redirect(request, path_of(item), _second(now, actor.name), good=False)
        return _shown(request, opened, now, error.mistakes[0], 409, reason)
    told = (f"You {decided.status} it", *follows(opened.ledger, decided))
    return redirect(request, path_of(item), " ".join(map(_sentence, told)))


def _sentence(said: str) -> str:
    """Among others: it begins with a capital letter and ends with a stop."""
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def item_of(request: Request) -> Item:
    """The item that the path names; :class:`RequestError` 404 when there is none."""
    identity = str(request.path_params["identity"])
    try:
        return items.get(project(request).ledger, identity)
    except UsageError as error:
        raise RequestError(404, error.mistakes[0].what) from error


def path_of(item: Item) -> str:
    """Where an item is shown."""
    return paths.of_review(item.id)


def _second(item: Item, by: str) -> str:
    who = "You have" if item.by == by else f"{item.by} has"
    if item.by is None:
        return f"It needs no answer any more: {item.settled}. Yours was not taken."
    return f"{who} decided already: {item.settled}. Your answer was not taken."


def _shown(
    request: Request,
    opened: Project,
    item: Item,
    mistake: Mistake | None = None,
    status: int = 200,
    reason: str = "",
) -> Response:
    asked, is_open = item.asked, item.status is Status.OPEN
    who = viewer(request)
    response = page(
        request,
        "review.html",
        title=heading(item),
        here=HERE,
        item=item,
        path_of=path_of(item),
        is_open=is_open,
        left=left(item, opened.workspace.clock()) if is_open else "",
        overdue=item.overdue(opened.workspace.clock()),
        took="" if item.seconds is None else spell(item.seconds),
        evidence=tuple(evidence(opened, item)),
        labelled=tuple(by_labels(opened, item)) if item.decided else (),
        history=_history(opened, item),
        labels_settle=is_open and _labels_settle(opened, item),
        means={choice: means(item, choice) for choice in asked.options},
        silence=means(item, asked.on_timeout),
        own=asked.four_eyes and who.name == asked.by,
        reason=reason,
        mistake=mistake,
    )
    response.status_code = status
    return response


def _labels_settle(opened: Project, item: Item) -> bool:
    from seatrial.review.label_questions import labels_settle

    return labels_settle(opened, item)


def _open(found: Sequence[Item], now: datetime) -> Table:
    """The one that is due first first."""
    return Table(
        heads=("question", "about", "recommended", "due in", "else"),
        rows=tuple(
            (
                Link(item.asked.question, path_of(item)),
                item.subject,
                item.asked.recommended,
                left(item, now),
                item.asked.on_timeout,
            )
            for item in found
        ),
        caption="Waiting for an answer",
    )


def _all(found: Sequence[Item]) -> Table:
    """Newest first."""
    return Table(
        heads=("question", "about", "asked (UTC)", "stands", "by", "took", "why"),
        rows=tuple(
            (
                Link(item.asked.question, path_of(item)),
                item.subject,
                minute(item.created),
                Badge(item.status),
                item.by or "",
                "" if item.seconds is None else spell(item.seconds),
                item.reason or "",
            )
            for item in found
        ),
        caption="Everything that was ever asked",
    )


def _history(opened: Project, item: Item) -> Table:
    return Table(
        heads=("at (UTC)", "what", "by", "why"),
        rows=tuple(_events(opened, item)),
        caption="What happened to it",
    )


def _events(opened: Project, item: Item) -> Iterator[tuple[Cell, ...]]:
    for event in history(opened.ledger, item):
        said = str(event["event"]).removeprefix("review_").replace("_", " ")
        yield minute(str(event["at"])), said, str(event["by"] or ""), str(event["reason"] or "")


ROUTES = (
    Route("/reviews", queue, methods=["GET"], name="reviews"),
    Route("/reviews/{identity}", one, methods=["GET"], name="review"),
    # where an answer was refused: read anew, or come back to after a login
    Route("/reviews/{identity}/decide", one, methods=["GET"]),
    Route("/reviews/{identity}/decide", decide, methods=["POST"], name="decide"),
)
