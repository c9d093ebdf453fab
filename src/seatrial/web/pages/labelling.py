"""Labelling: one request after the other on which two versions differ, until that settles it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from string import ascii_lowercase
from typing import TYPE_CHECKING

from starlette.routing import Route

from seatrial.errors import RequestError, UsageError
from seatrial.outcome import Verdict
from seatrial.review import items
from seatrial.review.deadlines import tend
from seatrial.review.items import Status
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page, part, redirect
from seatrial.web.forms import form
from seatrial.web.opened import project
from seatrial.web.pages.reviews import HERE, item_of, path_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.review.drawing import Place
    from seatrial.review.items import Item
    from seatrial.review.labelling import Label, Sheet

    Row: TypeAlias = Mapping[str, float | str | None]

NOBODY_CAN_SAY = "none"
"""What the form sends for a row that cannot be judged."""

SKIP_KEY = "s"
KEPT = 1000
"""Rows whose features are kept in memory, so that the log is not read again for each."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: the class as it is shown, its place among the classes, and its key, if any."""

    said: str
    value: str
    key: str


@dataclass(frozen=True, slots=True)
class _Rows:
    """Features of rows that wait for labels, by project and row; the oldest are forgotten."""

    known: OrderedDict[tuple[str, str, Place], Row] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, opened: Project, sheet: Sheet, place: Place) -> Row:
        """What was asked in a row; StoreError when the log has lost it."""
        from seatrial.review.label_document import features

        folder = str(opened.workspace.home)
        with self.lock:
            key = (folder, sheet.item.id, place)
            if key not in self.known:
                for each, row in features(opened, sheet).items():
                    self.known[folder, sheet.item.id, each] = row
            found = self.known[key]
            while len(self.known) > KEPT:
                self.known.popitem(last=False)
            return found


_ROWS = _Rows()


def ask(request: Request) -> Response:
    """The next row that waits for its label; nothing is drawn or noted by looking."""
    from seatrial.review import labelling

    operator(request)
    opened, item = project(request), _now(request)
    if item.status is not Status.OPEN:
        return redirect(request, path_of(item))
    sheet = labelling.look(opened, item)
    return page(
        request,
        "labelling.html",
        title=f"Label: {item.asked.model}, version {sheet.asked.new}",
        here=HERE,
        item=item,
        **_card(opened, sheet),
    )


def begin(request: Request) -> Response:
    """Draw requests where none waits for a label, and do what follows if it is settled already."""
    from seatrial.review import labelling

    operator(request)
    opened, item = project(request), _now(request)
    if item.status is not Status.OPEN:
        return redirect(request, path_of(item))
    return _next(request, opened, labelling.open_sheet(opened, item))


def take(request: Request) -> Response:
    """Note a label: the first for each row counts, whoever gives it."""
    from seatrial.review import labelling

    actor, said, opened, item = operator(request), form(request), project(request), _now(request)
    if item.status is not Status.OPEN:
        return _gone(request, item)
    sheet = labelling.look(opened, item)
    place, label = _place(sheet, said), _label(sheet.asked.classes, said.get("label", ""))
    try:
        after = labelling.record(opened, sheet, {place: label}, actor.name)
    except UsageError as error:
        now = items.get(opened.ledger, item.id)
        if now.status is not Status.OPEN:
            return _gone(request, now)
        raise RequestError(409, error.mistakes[0].what) from error
    counts = after.given[place]
    second = (
        "" if counts.by == actor.name and counts.label == label else _second(counts.by, actor.name)
    )
    if not after.so_far.done and not after.waiting:
        after = labelling.open_sheet(opened, item)
    return _next(request, opened, after, second)


def _now(request: Request) -> Item:
    """The item that the path names as it stands, once what is overdue has left the queue."""
    opened = project(request)
    tend(opened.ledger, opened.workspace.clock())
    return item_of(request)


def _next(request: Request, opened: Project, sheet: Sheet, told: str = "") -> Response:
    """The next row; or, once the labels have settled it, what follows from them."""
    from seatrial.review.label_document import so_far
    from seatrial.watch import by_labels

    if sheet.so_far.done:
        try:
            follows = by_labels.conclude(opened, sheet)
        except UsageError as error:
            return redirect(request, _path(sheet.item), error.mistakes[0].what, good=False)
        said = ". ".join([*so_far(sheet), *follows])
        passed = sheet.so_far.measure.verdict is Verdict.PASS
        return redirect(request, path_of(sheet.item), f"{said}.", good=passed)
    if not _begun(sheet):
        # somebody has looked, and there was nothing
        told = told or so_far(sheet)[0]
    if "hx-request" in request.headers:
        card = _card(opened, sheet)
        return part(request, "labelling_card.html", item=sheet.item, told=told, **card)
    return redirect(request, _path(sheet.item), told, good=not told)


def _begun(sheet: Sheet) -> bool:
    """Whether any request was drawn; before, nobody knows whether there are some."""
    return bool(sheet.rows or sheet.so_far.requests)


def _card(opened: Project, sheet: Sheet) -> dict[str, object]:
    """What the card shows: a row, or why there is none."""
    from seatrial.review.label_document import answers, progress, so_far

    given = len(sheet.given)
    more = sheet.so_far.more_labels
    known = more is not None and more <= len(sheet.waiting)
    content: dict[str, object] = {
        "path_of": path_of(sheet.item),
        "done": sheet.so_far.done,
        "drawn": bool(sheet.rows),
        "given": given,
        "most": given + more if known and more is not None else len(sheet.rows),
        "progress": progress(sheet) if sheet.waiting else "",
        "so_far": so_far(sheet) if _begun(sheet) else [],
        "place": None,
    }
    if not sheet.waiting:
        return content
    place = sheet.waiting[0]
    asked, pair = sheet.asked.classes, answers(sheet, place)
    return content | {
        "place": place,
        "answered": f"{datetime.fromtimestamp(place.time_us / 1e6, UTC):%Y-%m-%d %H:%M:%S}",
        "features": _features(_ROWS.of(opened, sheet, place)),
        "answers": ["no class" if each is None else str(each) for each in pair],
        "all_classes": len(asked) == 2 and None not in pair,  # noqa: PLR2004
        "choices": choices(asked),
        "skip_key": SKIP_KEY,
        "nobody": NOBODY_CAN_SAY,
    }


def choices(classes: Sequence[Label]) -> list[Choice]:
    """A button for each class, with a key as long as there are keys.

    Where classes are digits, each has its own; a number never stands for another number.

    >>> [each.key for each in choices(("no", "yes"))], [each.key for each in choices((0, 1))]
    (['1', '2'], ['0', '1'])
    >>> [each.key for each in choices((10, 20))]
    ['a', 'b']
    """
    words = [str(each) for each in classes]
    letters = [each for each in ascii_lowercase if each != SKIP_KEY]
    if all(len(word) == 1 and word in "0123456789" for word in words):
        keys = words
    elif any(word.lstrip("-").isdecimal() for word in words):
        keys = letters
    else:
        keys = [*"123456789", *letters]
    padded = [*keys, *[""] * len(words)]
    return [Choice(word, str(number), padded[number]) for number, word in enumerate(words)]


def _features(row: Row) -> list[tuple[str, str]]:
    """What was asked, column by column; a dash is a missing value."""
    return [
        (name, "-" if value is None else f"{value:.9g}" if isinstance(value, float) else value)
        for name, value in row.items()
    ]


def _place(sheet: Sheet, said: Mapping[str, str]) -> Place:
    """The row that the form was made for."""
    wanted = tuple(said.get(each, "") for each in ("id", "row", "time"))
    known = (each.place for each in sheet.rows)
    found = next((each for each in known if tuple(map(str, each)) == wanted), None)
    if found is None:
        raise RequestError(400, "the form is about a request that was not asked for: reload it")
    return found


def _label(classes: Sequence[Label], said: str) -> Label | None:
    if said == NOBODY_CAN_SAY:
        return None
    if said.isascii() and said.isdecimal() and len(said) < 7 and int(said) < len(classes):  # noqa: PLR2004
        return classes[int(said)]
    raise RequestError(400, "the form does not say which class it is: reload it")


def _second(by: str, actor: str) -> str:
    who = "You have" if by == actor else f"{by} has"
    return f"{who} labelled that request before: the first label counts, this one was not taken."


def _gone(request: Request, item: Item) -> Response:
    said = f"It needs no label any more: {item.settled}. Your label was not taken."
    return redirect(request, path_of(item), said, good=False)


def _path(item: Item) -> str:
    return f"{path_of(item)}/label"


ROUTES = (
    Route("/reviews/{identity}/label", ask, methods=["GET"], name="label"),
    Route("/reviews/{identity}/label", take, methods=["POST"]),
    Route("/reviews/{identity}/label/begin", begin, methods=["POST"]),
)
