"""The page of a project that is served, and who may go there."""

from __future__ import annotations

import http.client
import itertools
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from running import MODEL, Gateway, Project, serving, until
from seatrial.registry import tokens
from seatrial.registry.tokens import Role

from .waters import CANDIDATE, SECRET, Waters, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .people import Person

NAMES = itertools.count(1)


@dataclass(slots=True)
class Site:
    """A copy of the project, behind `seatrial serve`, whose page keeps its port."""

    project: Project
    waters: Waters
    port: int = field(default_factory=free_port)
    gateway: Gateway = field(init=False)
    held: ExitStack = field(default_factory=ExitStack)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def model(self) -> str:
        """The page of the model."""
        return f"{self.address}/models/{MODEL}"

    @property
    def review(self) -> str:
        """The page of the question that waits."""
        return f"{self.address}/reviews/{self.waters.item}"

    @property
    def told(self) -> str:
        """Where the notification of the question leads to; the copy has a port of its own."""
        link = urlsplit(self.waters.told["data"]["link"])
        assert link.netloc == f"127.0.0.1:{self.waters.port}"
        return f"{self.address}{link.path}"

    def begin(self) -> None:
        """Serve, and wait until somebody would see the page."""
        serve = serving(self.project, "--control-port", str(self.port), page=True, SECRET=SECRET)
        self.gateway = self.held.enter_context(serve)
        until(self.answers, "the page answers")

    def end(self) -> None:
        """Serve no more."""
        self.held.close()

    def token(self, role: Role = Role.OPERATOR) -> tuple[str, str]:
        """The name of somebody, and their token."""
        name = f"grace{next(NAMES)}"
        with self.project.stores() as stores:
            return name, tokens.create(stores.ledger, name, role, "root")[1]

    def admit(self, person: Person, role: Role = Role.OPERATOR) -> str:
        """Log somebody in; their name."""
        name, token = self.token(role)
        person.log_in(self.address, token)
        return name

    def serves(self) -> int | None:
        """The version in production."""
        with self.project.stores() as stores:
            found = stores.registry.channel(MODEL, "production")
        return None if found is None else found.version

    def head(self) -> str:
        """The hash of all that the ledger holds."""
        with self.project.stores() as stores:
            return str(stores.ledger.head())

    def events(self, kind: str) -> list[Any]:
        """What the ledger holds of a kind, oldest first."""
        with self.project.stores() as stores:
            return [event.body for event in stores.ledger.events(kind)]

    def ended(self, run: str) -> bool:
        """Whether a run has come to its end."""
        return any(body["run"] == run for body in self.events("run_ended"))

    def delivered(self) -> bool:
        """Whether the candidate answers requests."""
        return self.gateway.version() == CANDIDATE

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/login")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def served(project: Project, waters: Waters) -> Iterator[Site]:
    """Serve it as long as the block lasts."""
    site = Site(project, waters)
    site.begin()
    try:
        yield site
    finally:
        site.end()
