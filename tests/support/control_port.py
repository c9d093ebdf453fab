"""An application over an empty project, with a page that looks and one that changes something."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from seatrial.errors import Mistake, UsageError
from seatrial.registry import tokens
from seatrial.registry.tokens import Role
from seatrial.web.access.actor import operator, viewer
from seatrial.web.app import application
from seatrial.web.drawing import redirect
from seatrial.web.forms import form
from seatrial.web.opened import project
from seatrial.web.pages import login
from seatrial.web.settings import Settings
from visiting import Browser

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from seatrial.registry.project import Project

HOSTILE = "<script>alert(1)</script>"


def look(request: Request) -> Response:
    return PlainTextResponse(f"{viewer(request).name} looks at {project(request).workspace.folder}")


def change(request: Request) -> Response:
    return redirect(request, "/look", f"{operator(request).name}: {form(request)['reason']}")


def told(request: Request) -> Response:
    return PlainTextResponse(f"{operator(request).name} did it")


def mistaken(_request: Request) -> Response:
    raise UsageError(Mistake(f"there is no {HOSTILE}", "here", "nearest", "fix"))


def broken(_request: Request) -> Response:
    raise RuntimeError(HOSTILE)


ROUTES = (
    *login.ROUTES,
    Route("/look", look),
    Route("/change", change, methods=["POST"]),
    Route("/mistaken", mistaken),
    Route("/broken", broken),
    Route("/api/v1/look", look),
    Route("/api/v1/change", told, methods=["POST", "DELETE"]),
    Route("/api/v1/mistaken", mistaken),
)


@dataclass
class Site:
    """One project with its control port; ``log`` holds what was logged, ``now`` can be moved."""

    opened: Project
    log: list[dict[str, Any]] = field(default_factory=list)
    moved: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=UTC) + self.moved

    def browser(self, host: str = "127.0.0.1", *names: str, base: str = "") -> Browser:
        """A browser at the port as it would be were `seatrial serve` started anew."""
        settings = Settings(
            home=self.opened.workspace.home, host=host, port=8081, names=tuple(names)
        )
        app = application(
            lambda: self.opened,
            settings,
            lambda event, **said: self.log.append({"event": event, **said}),
            clock=lambda: self.now().timestamp(),
            routes=ROUTES,
        )
        return Browser(app, base or f"http://{host}:8081")

    def token(self, name: str = "anna", role: Role = Role.OPERATOR, days: int | None = None) -> str:
        return tokens.create(self.opened.ledger, name, role, "root", days)[1]
