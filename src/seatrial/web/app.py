"""The control port as one ASGI application."""

from __future__ import annotations

import contextlib
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, cast

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from seatrial.errors import FaultError, Mistake, RequestError, SeatrialError
from seatrial.gateway.log import logger, sparing
from seatrial.serve.pulse import Pulse
from seatrial.web import api, pages
from seatrial.web.access.failures import Failures
from seatrial.web.access.gate import Doors, Gate
from seatrial.web.access.hosts import Hosts
from seatrial.web.access.key import key_of
from seatrial.web.assets import Assets
from seatrial.web.comparing import Comparing
from seatrial.web.headers import Guarded, guard
from seatrial.web.opened import Opened
from seatrial.web.refusals import answered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import ModuleType

    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project
    from seatrial.web.settings import Settings

THREADS = 8
"""So many pages are made at a time; more wait."""

LINES_A_SECOND = 50
"""Of the log: whoever is refused all the time shall not fill a disk."""


def application(
    opener: Callable[[], Project],
    settings: Settings,
    log: Callable[..., None] | None = None,
    *,
    clock: Callable[[], float] | None = None,
    routes: Sequence[Route] | None = None,
) -> Starlette:
    """The application over the project that ``opener`` opens when somebody asks.

    ``clock`` gives seconds of Unix, for sessions; ``routes`` are all pages and addresses of the API
    unless they are said. StoreError when the key file is unfit.
    """
    opened, log = Opened(opener), sparing(log or logger("web"), LINES_A_SECOND)
    doors = Doors(settings, Hosts(settings), key_of(settings.home), Failures(), opened, log)
    if clock is not None:
        doors.clock = clock
    assets = Assets.read()

    @contextlib.asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield
        opened.close()

    app = Starlette(
        routes=[
            Route("/static/{stamp}/{name}", assets.answer, name="static"),
            *([*routes_of(pages), *routes_of(api)] if routes is None else routes),
        ],
        middleware=[Middleware(Guarded), Middleware(Gate, doors)],
        exception_handlers={
            SeatrialError: _mistaken,
            HTTPException: _unknown,
            Exception: _failed,
        },
        lifespan=life,
    )
    app.router.redirect_slashes = False
    app.state.opened, app.state.doors, app.state.assets = opened, doors, assets
    app.state.settings, app.state.log, app.state.pulse = settings, log, Pulse()
    app.state.comparing = Comparing()
    return app


def routes_of(folder: ModuleType) -> list[Route]:
    """What the files of a folder answer, in the order of their names."""
    names = sorted(each.name for each in iter_modules(folder.__path__))
    modules = [import_module(f"{folder.__name__}.{name}") for name in names if name[0] != "_"]
    return [route for module in modules for route in cast("tuple[Route, ...]", module.ROUTES)]


def _mistaken(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeatrialError)
    return answered(request, error)


def _unknown(request: Request, error: Exception) -> Response:
    """What the router itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    sentences = {404: f"nothing is at {request.url.path}", 405: f"{request.method} is not for this"}
    sentence = sentences.get(error.status_code, error.detail)
    headers = dict(error.headers or {})
    return answered(request, RequestError(error.status_code, sentence), headers)


def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours; Starlette has caught it, answers with this, and raises it again."""
    request.app.state.log("failed", path=request.url.path, error=f"{type(error).__name__}: {error}")
    mistake = Mistake("the page could not be made: a fault of seatrial", fix="see the server's log")
    response = answered(request, FaultError(mistake))
    guard(response.headers)  # this answer does not come through the middleware
    return response
