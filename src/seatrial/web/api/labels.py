"""Labels of people, as programs give them, until they settle a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.errors import (
    Mistake,
    PassingError,
    RequestError,
    StoreError,
    UsageError,
    nearest,
)
from seatrial.review import items
from seatrial.review.deadlines import tend
from seatrial.review.items import Status
from seatrial.web.access.actor import operator
from seatrial.web.api import _bodies
from seatrial.web.api._answers import labels as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered, refused, sent
from seatrial.web.api.reviews import item_of
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.review.drawing import Place
    from seatrial.review.items import Item
    from seatrial.review.labelling import Label, Sheet


def look(request: Request) -> Response:
    """The rows that wait, as they were asked; nothing is drawn or noted by looking."""
    from seatrial.review import labelling

    operator(request)
    opened, item = project(request), item_of(request)
    try:
        return _told(opened, labelling.look(opened, item), [])
    except PassingError:
        raise
    except (UsageError, StoreError) as error:  # labels cannot answer it, or the log has lost it
        raise refused(409, error) from error


def give(request: Request) -> Response:
    """Note labels; where they settle it, what follows is done."""
    actor, said = operator(request), sent(request, _bodies.Labels)
    opened, item = project(request), item_of(request)
    tend(opened.ledger, opened.workspace.clock())
    try:
        return _given(opened, items.get(opened.ledger, item.id), said.labels, actor.name)
    except PassingError:
        raise
    except (UsageError, StoreError) as error:
        raise refused(409, error) from error


def settled(request: Request) -> Response:
    """Labels that have settled it, in the order in which they were asked for."""
    from seatrial.review import labelling

    opened, item = project(request), item_of(request)
    try:
        kept = labelling.settled(opened, item)
    except PassingError:
        raise
    except StoreError as error:  # what was kept is gone
        raise refused(409, error) from error
    if kept is None:
        raise RequestError(404, f"labels have not settled {item.id}")
    keys = ("model", "version", "against", "measure", "reason", "skipped", "rows")
    verdict = kept["measure"]["verdict"]
    return answered({**{key: kept[key] for key in keys}, "verdict": verdict})


def _given(opened: Project, item: Item, labels: Sequence[_bodies.Labelled], by: str) -> Response:
    from seatrial.review import labelling
    from seatrial.watch import by_labels

    if item.status is not Status.OPEN:
        what = f"it needs no label any more: {item.settled}"
        raise UsageError(Mistake(what, where=f"item {item.id}"))
    sheet = labelling.look(opened, item)
    if labels:
        sheet = labelling.record(opened, sheet, _fitting(sheet, labels), by)
    if not sheet.so_far.done and not sheet.waiting:
        sheet = labelling.open_sheet(opened, item)
    follows = by_labels.conclude(opened, sheet) if sheet.so_far.done else []
    return _told(opened, sheet, follows)


def _told(opened: Project, sheet: Sheet, follows: Sequence[str]) -> Response:
    from seatrial.review import label_document

    shown = label_document.features(opened, sheet)
    return answered(label_document.document(sheet, follows, shown))


def _fitting(sheet: Sheet, labels: Sequence[_bodies.Labelled]) -> dict[Place, Label | None]:
    """Labels by row; :class:`UsageError` with all that does not fit."""
    places = {(each.place.id, each.place.row): each.place for each in sheet.rows}
    mistakes = [mistake for each in labels for mistake in _mistakes(sheet, places, each)]
    found: dict[Place, Label | None] = {}
    for each in labels:
        place = places.get((each.id, each.row))
        if place is not None and found.setdefault(place, each.label) != each.label:
            mistakes.append(Mistake("two labels for one row", where=_where(each)))
    if mistakes:
        raise UsageError(*mistakes)
    return found


def _mistakes(
    sheet: Sheet, places: dict[tuple[str, int], Place], given: _bodies.Labelled
) -> Iterator[Mistake]:
    place, classes = places.get((given.id, given.row)), sheet.asked.classes
    if place is None:
        ids = {identity for identity, _ in places}
        fix = "only requests of the list count, for whoever picks them picks the verdict"
        yield Mistake("it was not asked for", _where(given), nearest(given.id, ids), fix)
        return
    if given.label is not None and given.label not in classes:
        words = [str(each) for each in classes]
        near = nearest(str(given.label), words)
        yield Mistake(
            f"{given.label!r} is no class", _where(given), near, f"one of {', '.join(words)}"
        )
    before = sheet.given.get(place)
    if before is not None and before.label != given.label:
        yield Mistake(
            f"{before.by} has labelled it otherwise before: the first label counts", _where(given)
        )


def _where(given: _bodies.Labelled) -> str:
    return f"row {given.row} of request {given.id!r}"


OPERATIONS = (
    Operation(
        method="GET",
        path="/reviews/{review}/labels",
        summary="The rows that wait for labels, and what the labels say so far",
        answer=look,
        gives=_answers.Sheet,
        refusals=(409,),
        operates=True,
    ),
    Operation(
        method="POST",
        path="/reviews/{review}/labels",
        summary="Give labels, all or none; where they settle the question, what follows is done",
        answer=give,
        gives=_answers.Sheet,
        takes=_bodies.Labels,
        refusals=(409,),
    ),
    Operation(
        method="GET",
        path="/reviews/{review}/settled",
        summary="Labels that settled a question, who gave them, and what both versions had said",
        answer=settled,
        gives=_answers.Settled,
        refusals=(409,),
    ),
)
ROUTES = routes(OPERATIONS)
