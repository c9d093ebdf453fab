"""`seatrial serve` with its page, on one core, and pages asked for over one connection."""

from __future__ import annotations

import http.client
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway import bodies, tree
from gateway.server import free_port, started
from measuring import SEATRIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gateway.server import Server

PATIENCE_S = 60.0
PAGE = "seatrial.web.server"


@dataclass(frozen=True, slots=True)
class Site:
    """A running server, and where its page is; 0 where it has none."""

    server: Server
    port: int

    def opened(self) -> http.client.HTTPConnection:
        """A connection that stays open, as browsers keep it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def page_cpu_s(self) -> float:
        """Processor seconds of the page's process so far."""
        return tree.cpu_s(tree.running(self.server.tree(), PAGE))


@contextmanager
def serving(
    project: Path, name: str, *, page: bool = True, env: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """Serve it with one worker until both the gateway and the page answer."""
    port, control = free_port(), free_port() if page else 0
    where = ["--control-port", str(control)] if page else ["--no-control"]
    command = [*SEATRIAL, "serve", "--port", str(port), "--workers", "1", *where]
    with started(name, command, port, bodies.matrix(1), folder=project, env=env) as server:
        site = Site(server, control)
        if page:
            _until_it_answers(site)
        yield site


def got(connection: http.client.HTTPConnection, path: str) -> bytes:
    """What is at an address; RuntimeError unless it is there."""
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return body


def took_ms(connection: http.client.HTTPConnection, path: str) -> float:
    """Milliseconds from the request to the last byte of the answer."""
    began = time.perf_counter()
    got(connection, path)
    return 1e3 * (time.perf_counter() - began)


def _until_it_answers(site: Site) -> None:
    ends = time.monotonic() + PATIENCE_S
    while True:
        connection = site.opened()
        try:
            got(connection, "/")
        except (OSError, http.client.HTTPException):
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
