"""Overview: who serves, since when, why; live traffic and evidence; what waits, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from seatrial.ledger import paths
from seatrial.ledger import runs as stored
from seatrial.registry.registry import PRODUCTION
from seatrial.report import status as standing
from seatrial.report.drifted import line
from seatrial.report.headline import minute
from seatrial.report.section import Badge, Link, Note, Section, Table
from seatrial.serve.throughput import between, so_far
from seatrial.web.drawing import page, part
from seatrial.web.opened import project
from seatrial.web.pages._under_way import under_way
from seatrial.web.pages.runs import path_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.gateway.scraped import Which
    from seatrial.registry.project import Project
    from seatrial.report.section import Cell, Part
    from seatrial.serve.pulse import Beat
    from seatrial.serve.throughput import Throughput

    Paces: TypeAlias = Mapping[Which, Throughput]

HERE = "overview"
CARDS = 12
"""So many models have a card; the registry has all."""

ROWS = 20
NEWEST = 10
"""So many lines of anything, and so many runs, are shown here."""


def overview(request: Request) -> Response:
    """The whole page."""
    return page(request, "overview.html", title="Overview", here=HERE, **_looked(request))


def live(request: Request) -> Response:
    """What is shown anew every two seconds: all but the head."""
    return part(request, "overview_live.html", **_looked(request))


def _looked(request: Request) -> dict[str, Any]:
    opened = project(request)
    with opened.ledger.one_connection():
        return _content(request, opened)


def _content(request: Request, opened: Project) -> dict[str, Any]:
    from seatrial.serve.pipelines import listeners_of

    pulse = request.app.state.pulse
    told = standing.status(opened, listeners_of(opened.workspace.folder))
    newest = stored.latest(opened.ledger, NEWEST)
    beats, more = pulse.look(opened)
    paces = between([each.looks for each in beats if each.looks is not None])
    sections = [
        *_people(told["reviews"]),
        *_held(told),
        _traffic(opened, beats, more, paces),
        *under_way(opened),
        *_time(opened, told["waiting"]),
        *_remarks(told),
    ]
    return {
        "models": [_card(each, paces) for each in told["models"][:CARDS]],
        "more_models": max(0, len(told["models"]) - CARDS),
        "sections": [each for each in sections if each.parts],
        "newest": table_of(newest, ""),
        "now": opened.workspace.clock().isoformat()[:19].replace("T", " "),
    }


def _card(model: Mapping[str, Any], paces: Paces) -> dict[str, Any]:
    """What serves, and in a few figures how much and how well."""
    pace = paces.get((model["name"], model["production"] or 0))
    figures = []
    if pace is not None and model["production"] is not None:
        figures = [("requests/s", _brief(pace.per_s)), ("errors", _errors(pace))]
        if pace.p99_ms is not None:
            figures.append(("99 % within", f"{_brief(pace.p99_ms)} ms"))
    return {**model, "path": paths.of_model(model["name"]), "figures": figures}


def _traffic(opened: Project, beats: Sequence[Beat], more: int, paces: Paces) -> Section:
    """What live gateways do now, and which of them are not in that."""
    parts: list[Part] = []
    if not beats:
        parts.append(Note("No gateway is running: `seatrial serve` starts one, with this page."))
    for beat in beats:
        if beat.trouble:
            parts.append(Note(f"{beat.gateway} gives no answer: {beat.trouble}."))
        elif beat.unheard:
            parts.append(Note(f"{beat.gateway} is being asked: look again in a moment."))
    if more:
        parts.append(Note(f"{more} more gateways are running, whose numbers are not in here."))
    if any(beat.looks for beat in beats):
        parts.append(_table(opened, beats, paces))
    return Section(anchor="traffic", title="Traffic", parts=tuple(parts))


def _table(opened: Project, beats: Sequence[Beat], paces: Paces) -> Table:
    """Each version that was ever asked. Its pace is that of the last half minute at most."""
    # of a version in both channels production is said: it comes last
    channels = sorted(opened.registry.channels(), key=lambda each: each.channel == PRODUCTION)
    serving = {(each.model, each.version): each.channel for each in channels}
    rows = tuple(
        (
            Link(which[0], paths.of_model(which[0])),
            str(which[1] or "earlier"),
            Badge(serving[which]) if which in serving else "",
            *_numbers(paces.get(which)),
            str(requests),
        )
        for which, requests in so_far([each.looks for each in beats if each.looks]).items()
    )
    return Table(
        heads=(
            *("model", "version", "channel", "requests/s", "errors"),
            *("p50, ms", "p95, ms", "p99, ms", "requests so far"),
        ),
        rows=rows[:ROWS],
        numbers=frozenset({1, *range(3, 9)}),
        caption="What the gateways answer now",
        left_out=max(0, len(rows) - ROWS),
    )


def _numbers(pace: Throughput | None) -> tuple[str, ...]:
    """Dots where there was only one look yet, a hyphen where nothing was asked."""
    if pace is None:
        return ("…", "", "", "", "")
    times = (pace.p50_ms, pace.p95_ms, pace.p99_ms)
    return (_brief(pace.per_s), _errors(pace), *(_brief(each) for each in times))


def _errors(pace: Throughput) -> str:
    return f"{_brief(pace.errors_percent)} %" if pace.per_s else "-"


def _brief(value: float | None) -> str:
    """Three digits of what is another number at the next look; whole numbers are whole.

    >>> _brief(0.7558), _brief(61.98), _brief(1234.5), _brief(None)
    ('0.756', '62', '1234', '-')
    """
    if value is None:
        return "-"
    whole = abs(value) >= 100  # noqa: PLR2004 - three digits before the point
    return f"{value:.0f}" if whole else f"{value:.3g}"


def _people(reviews: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    rows = tuple(
        (
            Link(each["question"], paths.of_review(each["id"])),
            each["subject"],
            each["recommended"],
            minute(each["due"]),
            each["on_timeout"],
        )
        for each in reviews
    )
    heads = ("question", "about", "recommended", "until (UTC)", "else")
    yield from _listed("people", "Waits for a person", heads, rows)


def _time(opened: Project, waiting: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    """Runs that have not ended, and the steps that they stand at."""
    steps = {each["run"]: each for each in waiting}
    rows = tuple(
        (
            Link(run.id, path_of(run.id)),
            Badge(run.state),
            run.pipeline,
            at.get("step", ""),
            minute(at.get("until")),
            at.get("reason") or "; ".join(run.errors),
        )
        for run in stored.unfinished(opened.ledger)
        for at in (steps.get(run.id, {}),)
    )
    heads = ("run", "stands", "pipeline", "at", "until (UTC)", "why")
    yield from _listed("under-way", "Runs under way", heads, rows)


def _held(told: standing.Document) -> Iterator[Section]:
    rows = tuple(
        (
            Link(each["what"], paths.of_model(each["model"])),
            minute(each["since"]),
            each["reason"],
        )
        for each in told["held"]
    )
    yield from _listed("held", "Held", ("what", "since (UTC)", "why"), rows)


def _remarks(told: standing.Document) -> Iterator[Section]:
    """What moved in the traffic, and who does not serve or does not listen."""
    said = [line(each) for each in told["drift"]]
    said += [
        f"Gateway {each['address']} on {each['model']} version {each['version']}: {each['reason']}"
        for each in told["remarks"]
    ]
    said += [
        f"{each['channel']} takes no messages since {minute(each['since'])} UTC"
        f" ({each['waiting']} wait, {each['given_up']} given up): {each['error']}"
        for each in told["trouble"]
    ]
    parts = tuple(Note(each) for each in said if each)
    yield Section(anchor="remarks", title="Remarks", parts=parts[:ROWS])


def _listed(
    anchor: str, title: str, heads: tuple[str, ...], rows: Sequence[tuple[Cell, ...]]
) -> Iterator[Section]:
    if rows:
        table = Table(heads=heads, rows=tuple(rows[:ROWS]), left_out=max(0, len(rows) - ROWS))
        yield Section(anchor=anchor, title=title, parts=(table,))


ROUTES = (
    Route("/", overview, methods=["GET"], name="overview"),
    Route("/live", live, methods=["GET"], name="live"),
)
