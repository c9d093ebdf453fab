"""Models, as programs ask for them: versions, history, and moving production by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.errors import (
    Mistake,
    PassingError,
    RequestError,
    StoreError,
    UsageError,
    nearest,
)
from seatrial.registry.registry import PRODUCTION, STAGING
from seatrial.report.about_model import about
from seatrial.web.access.actor import operator
from seatrial.web.api import _bodies
from seatrial.web.api._answers import models as _answers
from seatrial.web.api._operation import Operation, routes
from seatrial.web.api._said import answered, named, or_none, refused, sent
from seatrial.web.opened import project

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.brakes import Frozen, Quarantined
    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version
    from seatrial.review.by_hand import Moved

DIGITS = 9
"""Of the number of a version."""


def models(request: Request) -> Response:
    """The versions of every model."""
    from seatrial.report.version_list import version_list

    return answered(version_list(project(request)))


def model(request: Request) -> Response:
    """One model, with what a change of it may expect."""
    from seatrial.report.version_list import version_list

    opened, name = project(request), known(request)
    found = about(opened, name)
    return answered(
        {
            "name": name,
            "production": _pointed(opened, name, PRODUCTION),
            "staging": _pointed(opened, name, STAGING),
            "previous": found.previous,
            "can_go_back_to": [each.version.version for each in found.targets],
            "frozen": _why(found.frozen),
            "versions": version_list(opened, name),
        }
    )


def version(request: Request) -> Response:
    """One version, with its manifest: data, code, seed, environment, metrics."""
    from seatrial.report.version_list import version_list

    opened, name = project(request), known(request)
    text = named(request, "version")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else 0
    found = about(opened, name)
    kept = next((each for each in found.versions if each.version.version == number), None)
    if kept is None:
        raise RequestError(404, f"there is no version {text!r} of {name}")
    listed = next(each for each in version_list(opened, name) if each["version"] == number)
    of = kept.version
    return answered(
        {
            **listed,
            "label": of.label,
            "run": of.run,
            "verdict": kept.verdict,
            "served": kept.served,
            "collected": of.collected,
            "quarantined": _why(kept.quarantined),
            **_manifest(opened, of),
        }
    )


def history_of(request: Request) -> Response:
    """The moves of one model."""
    return answered(project(request).registry.history(known(request)))


def history(request: Request) -> Response:
    """The moves of every model."""
    return answered(project(request).registry.history())


def roll_back(request: Request) -> Response:
    """Back to the version before, or to a named one; never twice from what was seen once."""
    from seatrial.review.by_hand import ROLLBACK, move_by_hand, to_go_back_to

    actor, said, opened = operator(request), sent(request, _bodies.Rollback), project(request)
    name = known(request)
    wanted, expect = or_none(said.version), or_none(said.expect)
    if wanted is None and expect is None:
        # sent again, it would otherwise go back and forth
        what = "version or expect is needed, so that the same request twice moves once"
        fix = f"expect: production.revision of /api/v1/models/{name}"
        raise RequestError(400, Mistake(what, where="the body", fix=fix))

    def move() -> Moved:
        number = to_go_back_to(opened, name, wanted)
        reason = " ".join(said.reason.split())
        return move_by_hand(opened, name, number, ROLLBACK, reason, by=actor.name, expect=expect)

    return _moved(move)


def promote(request: Request) -> Response:
    """What is staged, or a named version, into production."""
    from seatrial.review.by_hand import PROMOTE, move_by_hand, to_promote

    actor, said, opened = operator(request), sent(request, _bodies.Promotion), project(request)
    name = known(request)

    def move() -> Moved:
        number = to_promote(opened, name, or_none(said.version))
        return move_by_hand(
            opened,
            name,
            number,
            PROMOTE,
            " ".join(said.reason.split()),
            by=actor.name,
            lift=said.lift_quarantine,
            expect=or_none(said.expect),
        )

    return _moved(move)


def _moved(move: Callable[[], Moved]) -> Response:
    """What became of it; 409 when that cannot be done as things stand now."""
    try:
        return answered(move().document())
    except PassingError:
        raise
    except (UsageError, StoreError) as error:
        raise refused(409, error) from error


def known(request: Request) -> str:
    """The model that the path names; :class:`RequestError` 404 when there is none."""
    name = named(request, "model")
    names = project(request).registry.models()
    if name not in names:
        what = f"there is no model {name!r} in this project"
        raise RequestError(
            404, Mistake(what, nearest=nearest(name, names), fix="GET /api/v1/models")
        )
    return name


def _pointed(opened: Project, name: str, channel: str) -> dict[str, Any] | None:
    found = opened.registry.channel(name, channel)
    if found is None:
        return None
    keys = ("version", "revision", "since", "reason")
    return {key: getattr(found, key) for key in keys}


def _why(found: Frozen | Quarantined | None) -> dict[str, str] | None:
    return None if found is None else {"since": found.since, "reason": found.reason}


def _manifest(opened: Project, of: Version) -> dict[str, Any]:
    """The manifest, or why there is none."""
    try:
        return {"manifest": opened.registry.manifest(of), "trouble": ""}
    except PassingError:
        raise
    except StoreError as error:
        return {"manifest": None, "trouble": error.mistakes[0].what}


OPERATIONS = (
    Operation(
        method="GET",
        path="/models",
        summary="The versions of every model, oldest first",
        answer=models,
        gives=list[_answers.ListedVersion],
    ),
    Operation(
        method="GET",
        path="/models/{model}",
        summary="A model: what serves, what it can go back to, its versions",
        answer=model,
        gives=_answers.ToldModel,
    ),
    Operation(
        method="GET",
        path="/models/{model}/versions/{version}",
        summary="A version with its manifest: data, code, seed, environment, metrics",
        answer=version,
        gives=_answers.ToldVersion,
    ),
    Operation(
        method="GET",
        path="/models/{model}/history",
        summary="Which version of a model was in production when, and why; oldest first",
        answer=history_of,
        gives=list[_answers.Move],
    ),
    Operation(
        method="GET",
        path="/history",
        summary="The same of every model",
        answer=history,
        gives=list[_answers.Move],
    ),
    Operation(
        method="POST",
        path="/models/{model}/rollback",
        summary="Move production back by hand",
        answer=roll_back,
        gives=_answers.Moved,
        takes=_bodies.Rollback,
        either=("version", "expect"),
        refusals=(409,),
    ),
    Operation(
        method="POST",
        path="/models/{model}/promote",
        summary="Put a version into production by hand",
        answer=promote,
        gives=_answers.Moved,
        takes=_bodies.Promotion,
        refusals=(409,),
    ),
)
ROUTES = routes(OPERATIONS)
