"""Registry: the models, and of each its versions and who was in production when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from seatrial.errors import RequestError
from seatrial.ledger import paths
from seatrial.registry import brakes
from seatrial.registry.registry import PRODUCTION
from seatrial.report.about_model import about
from seatrial.report.section import Badge, Code, Link, Table
from seatrial.review.items import minute
from seatrial.web.drawing import page
from seatrial.web.opened import project
from seatrial.web.pages._paged import paged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.report.about_model import About, Kept, Term
    from seatrial.report.section import Cell

HERE = "registry"
DIGITS = 12
"""So much of a digest tells it from the others of a project; the whole is in `seatrial models`."""


def models(request: Request) -> Response:
    """Every model, and what of it serves."""
    opened = project(request)
    channels = opened.registry.channels()
    serving = {each.model: each for each in channels if each.channel == PRODUCTION}
    frozen = {each.model for each in brakes.all_frozen(opened.ledger)}
    rows: list[tuple[Cell, ...]] = []
    for name in opened.registry.models():
        now = serving.get(name)
        served = ("nothing", "", "") if now is None else _serves(now.version, now.since, now.reason)
        standing: Cell = Badge("frozen") if name in frozen else ""
        rows.append((Link(name, path_of(name)), *served, standing))
    table = Table(
        heads=("model", "in production", "since (UTC)", "why", "stands"),
        rows=tuple(rows),
        caption="Models of this project",
    )
    return page(request, "models.html", title="Registry", here=HERE, models=table)


def model(request: Request) -> Response:
    """One model: what serves, its versions, its history."""
    found = about_of(request)
    event, words = (request.query_params.get(each, "").strip() for each in ("event", "words"))
    terms = [each for each in found.terms if _fits(each, event, words)]
    versions = paged(request, found.versions, "versions", "versions")
    history = paged(request, terms, anchor="history")
    return page(
        request,
        "model.html",
        title=found.model,
        here=HERE,
        about=found,
        path_of=path_of(found.model),
        production=kept_in(found, found.production.version) if found.production else None,
        versions=versions,
        version_table=_versions(found.model, versions.rows),
        history=history,
        history_table=_history(history.rows),
        events=sorted({each.event for each in found.terms}),
        event=event,
        words=words,
    )


def about_of(request: Request) -> About:
    """What is known of the model that the path names; 404 when there is none."""
    name, opened = name_of(request), project(request)
    if name not in opened.registry.models():
        raise RequestError(404, f"there is no model {name!r} in this project")
    return about(opened, name)


def name_of(request: Request) -> str:
    """What the path calls the model."""
    return str(request.path_params["model"])


def path_of(name: str) -> str:
    """Where a model is shown."""
    return paths.of_model(name)


def _serves(number: int, since: str, reason: str) -> tuple[Cell, ...]:
    return f"version {number}", minute(since), reason


def kept_in(found: About, number: int) -> Kept | None:
    """The version of that number, if there is one."""
    return next((each for each in found.versions if each.version.version == number), None)


def _fits(term: Term, event: str, words: str) -> bool:
    """Whether a filter lets it through: by what happened, and by a text in what is shown of it."""
    shown = f"version {term.version} {term.by} {term.reason} {term.at}".lower()
    return event in {"", term.event} and words.lower() in shown


def _versions(name: str, kept: Sequence[Kept]) -> Table:
    """Newest first."""
    return Table(
        heads=("version", "stands", "created (UTC)", "its run", "verdict", "label", "digest"),
        rows=tuple(
            (
                str(each.version.version),
                _standing(each),
                minute(each.version.created),
                Link(each.version.run, paths.of_run(each.version.run)) if each.version.run else "",
                Badge(each.verdict) if each.verdict else "",
                each.version.label,
                Code(_short(each.version.digest)),
            )
            for each in kept
        ),
        numbers=frozenset({0}),
        caption=f"Versions of {name}",
    )


def _standing(kept: Kept) -> Cell:
    """The most that can be said of it in a word."""
    return next((Badge(word) for word in _words(kept)), "")


def _words(kept: Kept) -> Iterator[str]:
    if kept.channels:
        yield ", ".join(sorted(kept.channels))
    if kept.quarantined is not None:
        yield "quarantined"
    if not kept.whole:
        yield "collected"
    if kept.served:
        yield "served before"


def _history(terms: Sequence[Term]) -> Table:
    """Newest first."""
    return Table(
        heads=("from (UTC)", "until (UTC)", "version", "how", "by", "why", "evidence"),
        rows=tuple(
            (
                minute(each.at),
                minute(each.until) if each.until else "still serves",
                str(each.version),
                Badge(each.event),
                each.by,
                each.reason,
                Code(_short(each.evidence)) if each.evidence else "",
            )
            for each in terms
        ),
        numbers=frozenset({2}),
        caption="Who was in production when, and why",
    )


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:DIGITS]


def number_of(text: str) -> int | None:
    """A version or a revision, as a form carries it."""
    known: Any = text if text.isascii() and text.isdecimal() and len(text) < 10 else None  # noqa: PLR2004
    return None if known is None else int(known)


ROUTES = (
    Route("/models", models, methods=["GET"], name="models"),
    Route("/models/{model}", model, methods=["GET"], name="model"),
)
