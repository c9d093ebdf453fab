"""OpenAPI 3.1 of the API, made from the very values that its routes are made from."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, cast

import msgspec

from seatrial.web import api
from seatrial.web.api._answers.error import Error
from seatrial.web.api._operation import JSON, PREFIX, Operation, routes
from seatrial.web.api._said import answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

REFUSALS = {
    400: "What was asked or sent is wrong, and where",
    401: "A token is needed, or it is unknown, has expired or was revoked",
    403: "The token is a viewer's",
    404: "There is nothing of that name",
    406: "There is no form of it that is accepted",
    408: "It took too long to arrive",
    409: "As things stand now, that cannot be done; nothing was changed",
    413: "It is longer than 1 MiB",
    415: "It is no JSON",
    421: "The port is not known under this host",
    429: "Too many wrong tokens: wait",
    500: "Something is in the way that must be put right here",
    503: "Something is in the way that may pass: try again",
}
ALWAYS = (400, 401, 408, 413, 421, 429, 500, 503)
"""What any address may answer."""

WAITS = {429, 503}
"""Refusals that say when to come back."""

ABOUT = (
    "What `seatrial serve` knows and does, for programs. Times are ISO 8601 in UTC; every key is"
    " always there. A change needs the token of an operator (`seatrial token create`), which is"
    " made on the machine alone; looking needs one too unless the port is on loopback."
)


def openapi(_request: Request) -> Response:
    """What can be asked here."""
    return answered(document())


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 of every operation.

    >>> sorted(document()["paths"])[0]
    '/api/v1/drift'
    """
    operations, known = [*_operations()], _Components()
    refused = known.of(Error, whole=True)
    paths: dict[str, Any] = {}
    for each in operations:
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = _told(each, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "seatrial",
            "version": version("seatrial"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(known.schemas.items())),
            "responses": {_called(status): _refusal(status, refused) for status in REFUSALS},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Components:
    """Schemas of types; those that have a name are kept under it."""

    def __init__(self) -> None:
        self.schemas: dict[str, Any] = {}

    def of(self, form: Any, *, whole: bool) -> dict[str, Any]:
        """The schema of a type; of what is answered, every key is there: the ``whole`` of it."""
        template = "#/components/schemas/{name}"
        (schema,), parts = msgspec.json.schema_components([form], ref_template=template)
        for name, part in parts.items():
            if whole and "properties" in part:
                part["required"] = [*part["properties"]]
                for each in part["properties"].values():
                    each.pop("default", None)
            if "description" in part:
                text = re.sub(r"\n[ ]+", "\n", part["description"])
                part["description"] = text.replace("``", "`")
            if self.schemas.setdefault(name, part) != part:
                raise ValueError(f"two forms are called {name}")
        return schema


def _operations() -> Iterator[Operation]:
    for name in sorted(each.name for each in iter_modules(api.__path__)):
        if not name.startswith("_"):
            module = import_module(f"{api.__name__}.{name}")
            yield from cast("tuple[Operation, ...]", module.OPERATIONS)


def _told(operation: Operation, known: _Components) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _identity(operation),
        "tags": [operation.path.split("/")[1]],
        "parameters": [*_parameters(operation, known)],
        "security": [{"token": []}] if _demands(operation) else [{}, {"token": []}],
        "responses": {"200": _answer(operation, known), **_refused(operation)},
    }
    if operation.takes is not None:
        schema = known.of(operation.takes, whole=False)
        if operation.either:
            one = [{"required": [name]} for name in operation.either]
            known.schemas[operation.takes.__name__]["anyOf"] = one
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return told


def _identity(operation: Operation) -> str:
    """What generated clients call it.

    >>> _identity(next(each for each in _operations() if each.path.endswith("/cancel")))
    'post_runs_run_cancel'
    """
    words = re.findall(r"\w+", operation.path)
    return "_".join([operation.method.lower(), *words])


def _demands(operation: Operation) -> bool:
    return operation.changes or operation.operates


def _parameters(operation: Operation, known: _Components) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", operation.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    if operation.query is None:
        return
    known.of(operation.query, whole=False)
    form = known.schemas.pop(operation.query.__name__)
    needed = form.get("required", ())
    for name, schema in form["properties"].items():
        yield {"name": name, "in": "query", "required": name in needed, "schema": schema}


def _answer(operation: Operation, known: _Components) -> dict[str, Any]:
    schema = {} if operation.gives is None else known.of(operation.gives, whole=True)
    content: dict[str, Any] = {JSON: {"schema": schema}}
    content |= {kind: {"schema": {"type": "string"}} for kind in operation.forms}
    told: dict[str, Any] = {"description": operation.summary, "content": content}
    if operation.paged:
        said = 'Where there are more: <…>; rel="next"'
        told["headers"] = {"Link": {"description": said, "schema": {"type": "string"}}}
    return told


def _refused(operation: Operation) -> dict[str, Any]:
    statuses = {*ALWAYS, *operation.refusals}
    if _demands(operation):
        statuses.add(403)
    if operation.takes is not None:
        statuses.add(415)
    if "{" in operation.path or operation.paged:
        statuses.add(404)
    places = {status: f"#/components/responses/{_called(status)}" for status in sorted(statuses)}
    return {str(status): {"$ref": place} for status, place in places.items()}


def _called(status: int) -> str:
    return f"Refused{status}"


def _refusal(status: int, schema: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "description": REFUSALS[status],
        "content": {JSON: {"schema": schema}},
    }
    if status in WAITS:
        wait = {"description": "Seconds to wait", "schema": {"type": "string"}}
        told["headers"] = {"Retry-After": wait}
    return told


OPERATIONS = (
    Operation(
        method="GET",
        path="/openapi.json",
        summary="What can be asked here, as OpenAPI",
        answer=openapi,
    ),
)
ROUTES = routes(OPERATIONS)
