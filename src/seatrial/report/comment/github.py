"""The one comment of a pipeline on a pull request of GitHub: found again, or written anew.

Source of every request: https://docs.github.com/en/rest/issues/comments. A pull request is an issue
there, and its comments are those of the issue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, StoreError
from seatrial.report.comment.body import body, mark, marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.report.comment.wire import Answer, Wire

_PAGE, _PAGES = 100, 100
"""Comments a page, which is the most that GitHub gives; and pages at most."""
_CREATED, _OK = 201, 200
_PERMISSION = "the job needs `permissions: {pull-requests: write}`"
_VIEWER = "query { viewer { login } }"


@dataclass(frozen=True, slots=True)
class Written:
    """A comment that stands. ``done`` is ``created`` or ``updated``; ``url`` is its address."""

    id: int
    url: str
    done: str


def write(wire: Wire, pipeline: str, markdown: str) -> Written:
    """Write the report into the pipeline's own comment, which is made when there is none.

    StoreError when GitHub refuses, PassingError when it cannot be reached within a while.
    """
    mark(pipeline)  # a name that is none is told before anybody is asked
    return wire.patiently(lambda: _write(wire, pipeline, markdown))


def _write(wire: Wire, pipeline: str, markdown: str) -> Written:
    pull = _pull(wire)
    text = body(pipeline, markdown, _about(wire, pull))
    if wire.token in text:
        raise StoreError(Mistake("the report holds the token: it is not published"))
    known = _own(wire, pipeline, _author(wire))
    issues = f"/repos/{wire.place.repository}/issues"
    if known is None:
        answer = wire.ask("POST", f"{issues}/{wire.place.pull}/comments", {"body": text})
    else:
        answer = wire.ask("PATCH", f"{issues}/comments/{known}", {"body": text})
    told = _told(wire, answer, pull, dict)
    url = wire.clean(str(told.get("html_url") or ""))
    return Written(int(told.get("id") or 0), url, "created" if known is None else "updated")


def _pull(wire: Wire) -> dict[str, Any]:
    """What is known of the pull request; StoreError when this is none."""
    answer = wire.ask("GET", f"/repos/{wire.place.repository}/pulls/{wire.place.pull}")
    told: dict[str, Any] = _told(wire, answer, {}, dict)
    return told


def _author(wire: Wire) -> str:
    """Whose token this is. Only this request answers to the token of a job as well."""
    api = wire.place.api
    # GitHub Enterprise Server has the one API at /api/v3 and the other at /api/graphql
    path = "/graphql" if not api.endswith("/api/v3") else f"{api.removesuffix('/v3')}/graphql"
    answer = wire.ask("POST", path, {"query": _VIEWER})
    told = _told(wire, answer, {}, dict)
    viewer = (told.get("data") or {}).get("viewer") or {}
    login = viewer.get("login")
    if not login:
        raise StoreError(
            Mistake(
                "GitHub does not say whose token this is",
                where=str(wire.place),
                fix="give the token of the job, or one that may read its own account",
            )
        )
    return str(login)


def _own(wire: Wire, pipeline: str, author: str) -> int | None:
    """Our comment about the pipeline, the oldest one. What others wrote is never touched."""
    for comment in _comments(wire):
        user = comment.get("user") or {}
        if str(user.get("login", "")).lower() == author.lower() and marked(
            str(comment.get("body") or ""), pipeline
        ):
            return int(comment["id"])
    return None


def _comments(wire: Wire) -> Iterator[dict[str, Any]]:
    """Every comment of the pull request, oldest first."""
    place = wire.place
    page: str | None = f"/repos/{place.repository}/issues/{place.pull}/comments?per_page={_PAGE}"
    for _ in range(_PAGES):
        if page is None:
            return
        answer = wire.ask("GET", page)
        yield from _told(wire, answer, {}, list)
        page = answer.following


def _about(wire: Wire, pull: dict[str, Any]) -> str:
    """Where there is more, and of which commit it tells."""
    commit = str((pull.get("head") or {}).get("sha") or "")
    more = f"[Summary, artefacts and log]({wire.place.job})" if wire.place.job else ""
    of = f"of commit {commit[:40]}" if commit.isalnum() and commit.isascii() else ""
    said = " ".join(filter(None, (more, of)))
    return f"<sub>{said}</sub>" if said else ""


def _told(wire: Wire, answer: Answer, pull: dict[str, Any], kind: type) -> Any:
    """What the answer holds; StoreError when it is none."""
    if answer.status in {_OK, _CREATED} and isinstance(answer.body, kind):
        return answer.body
    raise StoreError(_refused(wire, answer, pull))


def _refused(wire: Wire, answer: Answer, pull: dict[str, Any]) -> Mistake:
    place, said = wire.place, wire.clean(_reason(answer))
    match answer.status:
        case 401:
            what = f"GitHub does not accept the token: {said}"
            fix = "in a workflow: `env: {GITHUB_TOKEN: '${{ github.token }}'}`"
        case 403:
            what = f"the token may not comment there: {said}"
            fix = _PERMISSION if "not accessible" in said else ""
            if _from_a_fork(pull):
                what = "the pull request comes from a fork, whose jobs cannot write"
                fix = "read the report in the summary of the run; this is how GitHub keeps you safe"
        case 404:
            what = f"there is no pull request {place}, or the token may not see it"
            fix = f"check --repository and --pull; {_PERMISSION}"
        case 422:
            what, fix = f"GitHub does not take the comment: {said}", ""
        case status if status in range(300, 400):
            what = "the repository has another name or address now"
            fix = "give --repository its new name, or --api the final address"
        case status:
            what, fix = f"GitHub answers {status}: {said}", f"is {place.api} the address of an API?"
    return Mistake(what, where=f"{place} at {place.api}", fix=fix)


def _from_a_fork(pull: dict[str, Any]) -> bool:
    names = [
        ((pull.get(side) or {}).get("repo") or {}).get("full_name") for side in ("head", "base")
    ]
    return bool(pull) and names[0] != names[1]


def _reason(answer: Answer) -> str:
    """Its message, and what it says of single fields."""
    errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
    parts = [
        str(each.get("message") or each.get("code") or "") if isinstance(each, dict) else str(each)
        for each in (errors if isinstance(errors, list) else [])
    ]
    return "; ".join(filter(None, (answer.message, *parts)))
