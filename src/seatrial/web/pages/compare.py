"""Compare: two versions side by side; what takes seconds is scored when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.routing import Route

from seatrial.errors import RequestError
from seatrial.registry.registry import PRODUCTION, STAGING
from seatrial.web.access.actor import operator
from seatrial.web.comparing import LONGEST_S, Pair, comparing
from seatrial.web.drawing import page, part, redirect
from seatrial.web.forms import form
from seatrial.web.opened import project
from seatrial.web.pages._chosen import chosen
from seatrial.web.pages.registry import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.registry.registry import Version

MOST = 500
"""So many versions can be chosen, the newest; any other by its number in the address."""


def compare(request: Request) -> Response:
    """What the ledger has of both at once; what scoring them said, where somebody asked."""
    from seatrial.report.side_by_side import recorded
    from seatrial.report.within import ROOMS, cut

    opened, asked = project(request), request.query_params
    known, model = chosen(opened, asked.get("model", ""))
    versions = opened.registry.versions(model)[::-1] if model else []
    pair = _pair(opened, versions, asked.get("a", ""), asked.get("b", ""))
    sections = []
    if pair is not None:
        sections = [cut(each, ROOMS[1]) for each in recorded(opened, *pair)]
    return page(
        request,
        "compare.html",
        title="Compare",
        here="registry",
        models=known,
        model=model,
        versions=versions[:MOST],
        channels=_channels(opened, model),
        sections=sections,
        **_scored(request, pair),
    )


def scored(request: Request) -> Response:
    """How the scoring of two stands, to be put in its place."""
    pair = _named(request, request.query_params)
    return part(request, "compare_scored.html", **_scored(request, pair))


def score(request: Request) -> Response:
    """Begin to score two; the page that asked is shown again, and says that it is under way."""
    operator(request)
    first, second = _named(request, form(request))
    begun = comparing(request).begin(
        project(request).workspace.folder, Pair(_word(first), _word(second))
    )
    to = _path(first, second)
    if begun:
        return redirect(request, to)
    return redirect(request, to, "Another comparison is under way: try again soon.", good=False)


def _scored(request: Request, pair: tuple[Version, Version] | None) -> dict[str, Any]:
    from seatrial.report.side_by_side import heads
    from seatrial.report.side_by_side import scored as drawn

    if pair is None:
        return {"pair": None}
    words = Pair(_word(pair[0]), _word(pair[1]))
    result = comparing(request).of(words)
    parts = tuple(drawn(result.told, heads(*pair))) if result.state == "done" else ()
    return {
        "pair": pair,
        "here_is": _path(*pair),
        "scored_is": _path(*pair, page="/compare/scored"),
        "swapped": _path(pair[1], pair[0]),
        "result": result,
        "parts_of": parts,
        "command": f"seatrial compare {words.first} {words.second}",
        "longest_s": LONGEST_S,
    }


def _pair(
    opened: Project, versions: Sequence[Version], first: str, second: str
) -> tuple[Version, Version] | None:
    """The two that are asked for; without a word what is staged, or the newest, and what serves."""
    if not versions:
        return None
    model = versions[0].model
    by_number = {each.version: each for each in versions}

    def chosen(text: str, otherwise: Version) -> Version:
        if not text:
            return otherwise
        found = by_number.get(number_of(text) or 0)
        if found is None:
            raise RequestError(404, f"there is no version {text!r} of {model}")
        return found

    serves = opened.registry.resolve(model, PRODUCTION) or versions[-1]
    staged = opened.registry.resolve(model, STAGING) or versions[0]
    newest = staged if staged != serves else next((v for v in versions if v != serves), staged)
    return chosen(first, newest), chosen(second, serves)


def _named(request: Request, said: Mapping[str, str]) -> tuple[Version, Version]:
    opened = project(request)
    _, model = chosen(opened, said.get("model", ""))
    found = _pair(
        opened, opened.registry.versions(model)[::-1], said.get("a", ""), said.get("b", "")
    )
    if found is None:
        raise RequestError(404, "there is nothing to compare in this project")
    return found


def _channels(opened: Project, model: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for each in opened.registry.channels():
        if each.model == model:
            found[each.version] = ", ".join(filter(None, (found.get(each.version), each.channel)))
    return found


def _word(version: Version) -> str:
    return f"{version.model}@{version.version}"


def _path(first: Version, second: Version, page: str = "/compare") -> str:
    terms = {"model": first.model, "a": first.version, "b": second.version}
    return f"{page}?{urlencode(terms)}"


ROUTES = (
    Route("/compare", compare, methods=["GET"], name="compare"),
    Route("/compare/scored", scored, methods=["GET"]),
    Route("/compare", score, methods=["POST"]),
)
