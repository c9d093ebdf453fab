"""Everything a gateway is asked for besides inference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version as installed
from time import time_ns
from typing import TYPE_CHECKING, Any

import orjson

from seatrial.errors import RequestError, nearest
from seatrial.gateway import bodies, feedback, openapi, telemetry
from seatrial.inference import v2_about
from seatrial.traffic import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from seatrial.gateway.app import App
    from seatrial.gateway.loading import Offered, Ready

JSON = ("content-type", "application/json")
_LABELS_IN_A_RECORD = 1000


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in full."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (JSON,)


def error(sentence: str) -> bytes:
    """The body of an error, as the protocol wants it."""
    return orjson.dumps({"error": sentence})


def not_served(name: str, version: int | str | None) -> str:
    """Why a known model does not answer."""
    if version is None:
        return f"no version of {name!r} is in production yet"
    return f"version {version} of {name!r} is not loaded; what serves, is staged or came before is"


async def page(app: App, scope: Scope, protocol: HTTPProtocol) -> Reply:
    """The reply to any path but a known inference path; RequestError when there is none."""
    path = [part for part in scope.path.split("/") if part]
    method = "GET" if scope.method == "HEAD" else scope.method
    allowed = _allowed(path)
    if not allowed:
        raise RequestError(404, f"there is no page {scope.path[:200]!r} here")
    if method not in allowed:
        sentence = f"{scope.path} takes {' or '.join(allowed)}, not {scope.method}"
        return Reply(error(sentence), 405, (JSON, ("allow", ", ".join(allowed))))
    if path[:2] == ["v2", "models"] and len(path) > 2:  # noqa: PLR2004
        return await _of_model(app, path[2], path[3:], scope, protocol)
    if path[:2] == ["v2", "repository"]:
        if path == ["v2", "repository", "index"]:
            return _json(_index(app))
        raise RequestError(400, "models are loaded by promotion, not by clients: seatrial promote")
    return _PAGES["/".join(path)](app)


def _allowed(path: list[str]) -> tuple[str, ...]:
    """The methods of a path; none when it does not exist."""
    match path:
        case ["v2", "models", _, "feedback"]:
            return ("POST",)
        case ["v2", "models", _] | ["v2", "models", _, "versions", _]:
            return ("GET",)
        case ["v2", "models", _, what] | ["v2", "models", _, "versions", _, what]:
            return _MODEL_PAGES.get(what, ())
        case ["v2", "repository", "index"] | ["v2", "repository", "models", _, "load" | "unload"]:
            return ("POST",)
        case _:
            return ("GET",) if "/".join(path) in _PAGES else ()


_MODEL_PAGES = {"ready": ("GET",), "config": ("GET",), "stats": ("GET",), "infer": ("POST",)}


async def _of_model(
    app: App, name: str, rest: list[str], scope: Scope, protocol: HTTPProtocol
) -> Reply:
    """``rest`` is ``[]``, ``[WHAT]``, ``["versions", V]`` or ``["versions", V, WHAT]``."""
    offered = app.offered.get(name)
    if offered is None:
        if app.board.wanted()[1].get("starting"):
            raise RequestError(503, "the gateway is starting: it does not know its models yet")
        close = nearest(name, app.offered)
        hint = f" (nearest: {close})" if close else ""
        raise RequestError(404, f"there is no model {name[:200]!r} here{hint}")
    asked, what = (rest[1], rest[2:]) if rest[:1] == ["versions"] else (None, rest)
    ready = _version(app, offered, asked)
    match what:
        case ["feedback"]:
            return await _feedback(app, offered, ready, scope, protocol)
        case ["ready"]:
            return _json({"name": name, "ready": True})
        case ["config"]:
            return _json(v2_about.config(ready.served))
        case ["stats"]:
            return _json(_statistics(name, [ready] if asked else [*offered.versions.values()]))
        case ["infer"]:  # known paths never come here
            sentence = not_served(name, asked)
            if scope.path.endswith("/"):
                sentence = f"there is no page {scope.path!r}: leave out the slash at its end"
            raise RequestError(404, sentence)
        case _:
            return _json(v2_about.metadata(ready.served, sorted(offered.versions)))


def _version(app: App, offered: Offered, asked: str | None) -> Ready:
    number = app.board.active[offered.index] if asked is None else _number(asked)
    ready = offered.versions.get(number)
    if ready is None:
        raise RequestError(404, not_served(offered.name, asked))
    return ready


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004


async def _feedback(
    app: App, offered: Offered, ready: Ready, scope: Scope, protocol: HTTPProtocol
) -> Reply:
    """Take labels: they are acknowledged once they are in the ring."""
    headers = scope.headers
    length, encoding = headers.get("content-length"), headers.get("content-encoding")
    read = await bodies.body(protocol, length, encoding, offered.most_bytes)
    served = ready.served
    told = feedback.labels(read, served.signature)
    at_us = time_ns() // 1000
    for start in range(0, len(told), _LABELS_IN_A_RECORD):
        part = told[start : start + _LABELS_IN_A_RECORD]
        written = record.of_labels(served.model, at_us, part, served.digest, served.version)
        if not app.ring.put(written):
            raise RequestError(413, f"the labels from entry {start} on are too many at once")
    return _json({"accepted": len(told)}, status=202)


def _index(app: App) -> list[dict[str, str]]:
    return [
        {"name": name, "version": str(version), "state": "READY", "reason": ""}
        for name, offered in sorted(app.offered.items())
        for version in sorted(offered.versions)
    ]


def _statistics(name: str, versions: list[Ready]) -> dict[str, Any]:
    """The counts of this worker in Triton's form; durations in nanoseconds."""
    told = []
    for ready in versions:
        counts = ready.counts
        success = {"count": counts.requests, "ns": counts.sum_us * 1000}
        told.append(
            {
                "name": name,
                "version": str(ready.served.version),
                "inference_count": counts.rows,
                "execution_count": counts.requests,
                "inference_stats": {"success": success, "fail": {"count": counts.errors, "ns": 0}},
            }
        )
    return {"model_stats": told}


def ready_to_serve(app: App) -> bool:
    """Whether every model of the project has a version that answers, and there is a model."""
    return bool(app.offered) and all(
        app.board.active[offered.index] in offered.versions for offered in app.offered.values()
    )


def _live(_app: App) -> Reply:
    return _json({"live": True})


def _health(app: App) -> Reply:
    ready = ready_to_serve(app)
    return _json({"live": True, "ready": ready}, status=200 if ready else 400)


def _server(_app: App) -> Reply:
    extensions = ["binary_tensor_data", "model_repository", "statistics"]
    return _json({"name": "seatrial", "version": _own_version(), "extensions": extensions})


def _models(app: App) -> Reply:
    return _json({"models": sorted(app.offered)})


def _metrics(app: App) -> Reply:
    text = telemetry.text(app.board, app.workers)
    return Reply(text.encode(), headers=(("content-type", telemetry.KIND),))


def _openapi(app: App) -> Reply:
    return _json(openapi.document(_own_version(), sorted(app.offered)))


_PAGES: dict[str, Callable[[App], Reply]] = {
    "v2": _server,
    "v2/health/live": _live,
    "v2/health/ready": _health,
    "v2/models": _models,
    "metrics": _metrics,
    "openapi.json": _openapi,
}


@cache
def _own_version() -> str:
    return installed("seatrial")


def _json(document: object, status: int = 200) -> Reply:
    return Reply(orjson.dumps(document), status)
