"""Runs: all of them, the newest first; one with what decided and why; its end by hand."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from seatrial.errors import RequestError, UsageError
from seatrial.ledger import paths
from seatrial.ledger import runs as stored
from seatrial.ledger.runs import STANDS, State
from seatrial.report.ending import TYPES
from seatrial.report.headline import minute
from seatrial.report.section import Badge, Link, Table
from seatrial.review.time_left import spell
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page, part, redirect
from seatrial.web.forms import form
from seatrial.web.forms import reason as reason_of
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from seatrial.ledger.runs import Run
    from seatrial.report.section import Cell

HERE = "runs"
ROWS = 50
"""Of a page."""

NAMED = 5
"""So many runs are named where an id could mean several."""

BY_OTHERS = frozenset({State.CANCELLED, State.SUPERSEDED})
"""How a run ends that something else ended: why, its first sentence says."""


def runs(request: Request) -> Response:
    """Runs of a pipeline, or that stand so, page by page."""
    opened, asked = project(request), request.query_params
    pipeline, word, before = (asked.get(key, "") for key in ("pipeline", "stands", "before"))
    if word and word not in STANDS:
        raise RequestError(400, f"no run ever stands so: {word!r}")
    found = stored.latest(
        opened.ledger,
        ROWS + 1,
        pipeline=pipeline or None,
        stands=STANDS.get(word),
        before=before or None,
    )
    shown = found[:ROWS]
    kept = {key: said for key, said in (("pipeline", pipeline), ("stands", word)) if said}
    more = len(found) > ROWS
    return page(
        request,
        "runs.html",
        title="Runs",
        here=HERE,
        table=table_of(shown),
        pipelines=stored.pipelines(opened.ledger),
        pipeline=pipeline,
        words=STANDS,
        word=word,
        newest=_to(kept) if before else None,
        older=_to({**kept, "before": shown[-1].id}) if more else None,
    )


def run(request: Request) -> Response:
    """What a run decided and why: its report as a page."""
    from seatrial.report.sections import sections, sources
    from seatrial.report.within import ROOMS, cut

    found = _named(request)
    if isinstance(found, Response):
        return found
    told = sources(project(request), found)
    return page(
        request,
        "run.html",
        **_standing(found, told.account),
        sections=[cut(each, ROOMS[1]) for each in sections(told)],
        compare=_beside(told.account.document["model"]),
        endings=TYPES,
    )


def live(request: Request) -> Response:
    """How a run stands that goes on; the page is loaded anew once it has ended."""
    from seatrial.report.account import account

    found = _named(request)
    if isinstance(found, Response):
        return found
    answer = part(request, "run_live.html", **_standing(found, account(project(request), found)))
    if found.ended:
        answer.headers["HX-Refresh"] = "true"
    return answer


def download(request: Request) -> Response:
    """The report of a run as a file."""
    from seatrial.report.forms import FORMS
    from seatrial.report.sections import sources

    found, ending = _named(request), f".{request.path_params['ending']}"
    if isinstance(found, Response):
        return found
    if ending not in FORMS:
        raise RequestError(404, f"no report ends in {ending!r}: {', '.join(FORMS)} are the endings")
    content = FORMS[ending](sources(project(request), found))
    name = f"run-{re.sub(r'[^0-9A-Za-z]', '_', found.id)}{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=TYPES[ending], headers=headers)


def cancel(request: Request) -> Response:
    """End a run that has not ended; of two who do so, the second is told."""
    actor, said, found = operator(request), form(request), _named(request)
    if isinstance(found, Response):
        return found
    reason = reason_of(said)
    if not reason:
        raise RequestError(400, "a reason is needed: it stands in the report of the run")
    try:
        stored.cancel(project(request).ledger, found.id, actor.name, reason)
    except UsageError as error:
        return redirect(request, path_of(found.id), error.mistakes[0].what, good=False)
    return redirect(request, path_of(found.id), "The run is cancelled; production stays as it is.")


def path_of(run: str) -> str:
    """Where a run is shown."""
    return paths.of_run(run)


def table_of(found: Sequence[Run], caption: str = "Runs, newest first") -> Table:
    """Runs as lines that lead to them."""
    return Table(
        heads=("run", "stands", "pipeline", "began (UTC)", "took"),
        rows=tuple(_line(each) for each in found),
        caption=caption,
    )


def stands(run: Run) -> str:
    """How a run stands, in a word: its verdict once it has one."""
    return str(run.verdict or run.state)


def _to(terms: Mapping[str, str]) -> str:
    return f"/runs?{urlencode(terms)}" if terms else "/runs"


def _line(run: Run) -> tuple[Cell, ...]:
    return (
        Link(run.id, path_of(run.id)),
        Badge(stands(run)),
        run.pipeline,
        minute(run.started),
        spell(_seconds(run.started, run.ended)) if run.ended else "",
    )


def _seconds(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds()


def _standing(found: Run, account: Any) -> dict[str, Any]:
    """What the top of the page shows, and what is shown anew while the run goes on."""
    from seatrial.report.as_html import lead
    from seatrial.report.headline import headline
    from seatrial.report.stages import stages

    return {
        "title": f"{found.pipeline}: run {found.id}",
        "here": HERE,
        "run": found,
        "path_of": path_of(found.id),
        "badge": Badge(headline(account).state),
        "lead": lead(account),
        "stages": stages(account),
        "errors": () if found.state in BY_OTHERS else found.errors,
        "open_ones": [each for each in account.asked if each.status == "open"],
    }


def _beside(model: Mapping[str, Any] | None) -> str:
    """Where the version of a run is held beside what serves; empty without a version."""
    if model is None:
        return ""
    return f"/compare?{urlencode({'model': model['name'], 'a': model['version']})}"


def _named(request: Request) -> Run | Response:
    """The run whose id the path is, or begins; where there is none, or several, what is known."""
    asked = str(request.path_params["run"])
    found = stored.beginning_with(project(request).ledger, asked, NAMED + 1)
    return found[0] if len(found) == 1 else _unknown(request, asked, found)


def _unknown(request: Request, asked: str, found: Sequence[Run]) -> Response:
    known = found or stored.latest(project(request).ledger, NAMED)
    answer = page(
        request,
        "no_run.html",
        title="There is no such run",
        here=HERE,
        asked=asked,
        several=len(found) > 1,
        more=len(found) > NAMED,
        table=table_of(known[:NAMED], "They begin so" if found else "The newest runs"),
    )
    answer.status_code = 404
    return answer


ROUTES = (
    Route("/runs", runs, methods=["GET"], name="runs"),
    Route("/runs/{run}", run, methods=["GET"], name="run"),
    Route("/runs/{run}/live", live, methods=["GET"]),
    Route("/runs/{run}/report.{ending}", download, methods=["GET"], name="report"),
    Route("/runs/{run}/cancel", cancel, methods=["POST"]),
)
