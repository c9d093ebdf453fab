"""What the page adds to the time of a request: none, one that nobody looks at, one that is open.

At 1000 requests a second that come whether or not the ones before were answered; gateway, page and
all else of a server on one core, the load on another. A server without a page again (A/A) says what
is chance. Who looks does as a browser: the page and its files before the load begins, then `/live`
every two seconds, on a connection that stays open.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies, load, project
from gateway.blocks import Block, Lane, failed, in_turn, middle, tree_us, worker_us
from measuring import Figure
from web.site import got, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.bodies import Request
    from gateway.load import Sent
    from gateway.server import Server
    from web.site import Site

PER_SECOND = 1000
BLOCK_S = int(os.environ.get("BENCH_BLOCK_S", "5"))
REFRESH_S = 2.0
"""As ``hx-trigger`` of the overview says."""

MANY = 10
WITHOUT, AGAIN = "without a page", "without a page again"
BESIDE, OPEN, CROWD = "nobody looks", "one looks", f"{MANY} look"
LOOKERS = {OPEN: 1, CROWD: MANY}
_ASSET = re.compile(rb'(?:src|href)="(/static/[^"]+)"')


def figures() -> list[Figure]:
    """Each beside the server without a page."""
    sites: dict[str, Site] = {}

    def send(server: Server, request: Request) -> Sent:
        with ExitStack() as looking:
            for number in range(LOOKERS.get(server.name, 0)):
                looking.enter_context(_looker(sites[server.name], number))
            return load.steady(server, request, PER_SECOND, BLOCK_S)

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in (WITHOUT, AGAIN, BESIDE, OPEN, CROWD):
            made = project.copy(scratch / name.replace(" ", "_"))
            page = name not in {WITHOUT, AGAIN}
            sites[name] = stack.enter_context(serving(made, name, page=page))
        lanes = [Lane(name, site.server, bodies.matrix(1)) for name, site in sites.items()]
        found = in_turn(lanes, send)
    return [
        figure
        for name in (AGAIN, BESIDE, OPEN, CROWD)
        for figure in (_added(found, name, "p50", _p50_ms), _added(found, name, "p99", _p99_ms))
    ]


@contextmanager
def _looker(site: Site, number: int) -> Iterator[None]:
    """Somebody who has the overview open; RuntimeError when a page of theirs did not come."""
    opened, done, wrong = threading.Event(), threading.Event(), list[Exception]()

    def look() -> None:
        connection = site.opened()
        try:
            for path in dict.fromkeys(_ASSET.findall(got(connection, "/"))):
                got(connection, path.decode())
            opened.set()
            # ten people do not look at the same moment
            waits_s = REFRESH_S * number / MANY
            while not done.wait(waits_s):
                got(connection, "/live")
                waits_s = REFRESH_S
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            wrong.append(error)
        finally:
            opened.set()
            connection.close()

    looking = threading.Thread(target=look)
    looking.start()
    opened.wait()
    try:
        yield
    finally:
        done.set()
        looking.join()
    if wrong:
        raise RuntimeError(f"{site.server.name}: {wrong[0]}")


def _added(
    found: dict[str, list[Block]], name: str, what: str, of: Callable[[Block], float]
) -> Figure:
    """The median difference of a round, with what the rounds came to."""
    added = _differences(found, name, of)
    chance = _differences(found, AGAIN, of)
    value = statistics.median(added)
    lost = failed(found[name])
    judged = name in {BESIDE, OPEN}
    return Figure(
        name=f"{what} of a request, {name}: added",
        value=1000 * value,
        unit="us",
        goal="within what two without a page differ by, none lost" if judged else "",
        met=value <= max(map(abs, chance)) and lost == 0 if judged else None,
        detail=(
            f"rounds {_span(added)} us, A/A {_span(chance)} us;"
            f" {middle(found[name], of):.3f} ms beside {middle(found[WITHOUT], of):.3f} ms;"
            f" processor {middle(found[name], worker_us):.0f} us the worker,"
            f" {middle(found[name], tree_us):.0f} us all of it,"
            f" beside {middle(found[WITHOUT], tree_us):.0f} us; {lost} without an answer"
        ),
    )


def _differences(
    found: dict[str, list[Block]], name: str, of: Callable[[Block], float]
) -> list[float]:
    return [of(this) - of(that) for this, that in zip(found[name], found[WITHOUT], strict=True)]


def _span(differences_ms: list[float]) -> str:
    return f"{1000 * min(differences_ms):+.0f} to {1000 * max(differences_ms):+.0f}"


def _p50_ms(block: Block) -> float:
    return block.sent.p50_ms


def _p99_ms(block: Block) -> float:
    return block.sent.p99_ms
