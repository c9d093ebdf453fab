"""Registry: the versions of a model, who was in production when and why, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from seatrial.errors import PassingError, RequestError, StoreError
from seatrial.ledger import paths
from seatrial.registry import brakes
from seatrial.registry.registry import PRODUCTION, MovedError
from seatrial.report.about_model import about
from seatrial.report.section import Badge, Code, Link, Table
from seatrial.review.items import minute
from seatrial.web.access.actor import operator
from seatrial.web.drawing import page, redirect
from seatrial.web.forms import form
from seatrial.web.forms import reason as reason_of
from seatrial.web.opened import project
from seatrial.web.pages._paged import paged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
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


def confirm(request: Request) -> Response:
    """What going back to a version would do, and the button that does it."""
    operator(request)
    found = about_of(request)
    number = number_of(request.query_params.get("to", ""))
    return _confirmation(request, found, found.target if number is None else number)


def roll_back(request: Request) -> Response:
    """Do it, once, and only from what the person has seen."""
    from seatrial.review.by_hand import ROLLBACK, move_by_hand, to_go_back_to

    actor, said, opened, name = operator(request), form(request), project(request), name_of(request)
    reason, expect = reason_of(said), number_of(said.get("expect", ""))
    wanted = number_of(said.get("to", ""))
    if wanted is None or expect is None:
        raise RequestError(400, "the form does not say what to go back to: reload the page")
    if not reason:
        found, mistake = about_of(request), "A reason is needed: it stands in the history."
        return _confirmation(request, found, wanted, mistake=mistake, status=400)
    try:
        number = to_go_back_to(opened, name, wanted)
        moved = move_by_hand(opened, name, number, ROLLBACK, reason, by=actor.name, expect=expect)
    except MovedError as error:
        return redirect(request, path_of(name), unmoved(opened, name, wanted, error), good=False)
    except PassingError:
        raise
    except StoreError as error:
        mistake = "; ".join(f"{each.what}: {each.fix}" for each in error.mistakes)
        return _confirmation(request, about_of(request), wanted, reason, mistake, status=409)
    return redirect(request, path_of(name), f"{moved.text}. Your reason: {reason}")


def unmoved(opened: Project, name: str, wanted: int, error: MovedError) -> str:
    """Why nothing was done: somebody else was first, or the same form was sent twice."""
    now = opened.registry.channel(name, PRODUCTION)
    if now is not None and now.version == wanted:
        at = minute(now.since)
        return (
            f"Version {wanted} is in production since {at} UTC already ({now.reason}): what you"
            " sent has changed nothing."
        )
    return f"Nothing was changed: {error.mistakes[0].what}. Look, then decide anew."


def _confirmation(
    request: Request,
    found: About,
    number: int | None,
    reason: str = "",
    mistake: str = "",
    status: int = 200,
) -> Response:
    target = None if number is None else kept_in(found, number)
    if found.production is None or target is None or target not in found.targets:
        raise RequestError(409, _no_way_back(found, number, target))
    response = page(
        request,
        "rollback.html",
        title=f"Roll back {found.model}",
        here=HERE,
        about=found,
        path_of=path_of(found.model),
        target=target,
        last=next(each for each in found.terms if each.version == number),
        ended=found.rolled_back(target.version.version),
        watched=is_watched(request, found),
        reason=reason,
        mistake=mistake,
    )
    response.status_code = status
    return response


def _no_way_back(found: About, number: int | None, target: Kept | None) -> str:
    """Why production cannot go back to a version, and what can be done."""
    if target is not None and target.quarantined is not None:
        return (
            f"version {number} of {found.model} is in quarantine"
            f" ({target.quarantined.reason}): a promotion by hand can end that, a rollback does not"
        )
    what = "nothing" if number is None else f"version {number}"
    return f"production of {found.model} cannot go back to {what}: choose what served before"


def is_watched(request: Request, found: About) -> bool:
    """Whether what serves is being watched, which the move ends."""
    from seatrial.registry import watches

    return watches.current(project(request).ledger, found.model) is not None


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
    Route("/models/{model}/rollback", confirm, methods=["GET"], name="rollback"),
    Route("/models/{model}/rollback", roll_back, methods=["POST"]),
)
