"""Runs, as programs ask for them: a list, one with all that it decided, its report, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from seatrial.errors import Mistake, RequestError, UsageError, nearest
from seatrial.ledger import runs as stored
from seatrial.ledger.runs import STANDS
from seatrial.report.ending import TYPES
from seatrial.web.access.actor import operator
from seatrial.web.api import _bodies
from seatrial.web.api._accepted import accepted
from seatrial.web.api._answers import runs as _answers
from seatrial.web.api._operation import JSON, Operation, routes
from seatrial.web.api._said import answered, asked, named, or_none, page, refused, sent
from seatrial.web.opened import project

if TYPE_CHECKING:
    from starlette.requests import Request

    from seatrial.ledger.runs import Run


def runs(request: Request) -> Response:
    """Newest first."""
    from seatrial.report.run_list import run_list

    wanted = asked(request, _bodies.WhichRuns)
    stands = or_none(wanted.stands)
    if stands is not None and stands not in STANDS:
        what, near = f"no run ever stands so: {stands!r}", nearest(stands, STANDS)
        raise RequestError(400, Mistake(what, "the query, stands", near, ", ".join(STANDS)))
    try:
        found = stored.latest(
            project(request).ledger,
            wanted.limit + 1,
            before=or_none(wanted.before),
            pipeline=or_none(wanted.pipeline),
            stands=None if stands is None else STANDS[stands],
        )
    except UsageError as error:  # there is no run to begin after
        raise refused(404, error) from error
    shown, more = page(request, found, wanted.limit, lambda run: run.id)
    return answered(run_list(shown), more)


def run(request: Request) -> Response:
    """Every task of it, with what decided."""
    from seatrial.report.document import document

    return answered(document(project(request), _named(request)))


def report(request: Request) -> Response:
    """In the form that the query says, else in the one that is accepted most gladly."""
    from seatrial.report.forms import FORMS
    from seatrial.report.sections import sources

    form, found = or_none(asked(request, _bodies.WhichForm).form), _named(request)
    by_type = {kind.partition(";")[0]: ending for ending, kind in TYPES.items()}
    if form is None:
        ending = by_type[accepted(request.headers.get("accept"), [JSON, *by_type])]
    else:
        ending = f".{form}"
    headers = {"Vary": "Accept"}
    if ending == ".html":  # it is a page of its own, and not one of this server's
        headers["Content-Disposition"] = 'attachment; filename="report.html"'
    content = FORMS[ending](sources(project(request), found))
    return Response(content, media_type=TYPES[ending], headers=headers)


def cancel(request: Request) -> Response:
    """Production stays as it is."""
    from seatrial.report.document import document

    actor, why = operator(request), sent(request, _bodies.Why)
    found, opened = _named(request), project(request)
    try:
        stored.cancel(opened.ledger, found.id, actor.name, " ".join(why.reason.split()))
    except UsageError as error:
        raise refused(409, error) from error
    return answered(document(opened, stored.get(opened.ledger, found.id)))


def _named(request: Request) -> Run:
    """The run whose id the path is, or begins."""
    try:
        return stored.get(project(request).ledger, named(request, "run"))
    except UsageError as error:
        raise refused(404, error) from error


OPERATIONS = (
    Operation(
        method="GET",
        path="/runs",
        summary="Runs, newest first",
        answer=runs,
        gives=list[_answers.ListedRun],
        query=_bodies.WhichRuns,
        paged=True,
    ),
    Operation(
        method="GET",
        path="/runs/{run}",
        summary="A run: every task, with what decided",
        answer=run,
        gives=_answers.ToldRun,
    ),
    Operation(
        method="GET",
        path="/runs/{run}/report",
        summary="The report of a run",
        answer=report,
        gives=_answers.ToldRun,
        query=_bodies.WhichForm,
        refusals=(406,),
        forms=tuple(kind.partition(";")[0] for kind in TYPES.values() if kind != JSON),
    ),
    Operation(
        method="POST",
        path="/runs/{run}/cancel",
        summary="End a run that has not ended; production stays as it is",
        answer=cancel,
        gives=_answers.ToldRun,
        takes=_bodies.Why,
        refusals=(409,),
    ),
)
ROUTES = routes(OPERATIONS)
