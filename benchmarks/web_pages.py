"""Pages over a ledger with 10 000 runs, as a server gives them: from request to last byte.

`seatrial serve` as users start it, everything of it on one core; a ledger of four runs beside one
of 10 000, on SQLite and on PostgreSQL, asked in turn over one connection each. ``BENCH_RUNS`` and
``BENCH_ASKED`` in the environment shorten a trial: figures that are kept need the defaults.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engines.database import database
from gateway import bodies, project
from measuring import SEATRIAL, Figure
from web import many_runs
from web.site import got, serving, took_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from web.site import Site

RUNS = int(os.environ.get("BENCH_RUNS", "10000"))
ASKED = int(os.environ.get("BENCH_ASKED", "40"))
"""So often a page is asked for in a round, one request after the other."""

ROUNDS = 5
LIMIT_MS = 50.0
FEW, MANY, SHARED = "four runs, SQLite", f"{RUNS} runs, SQLite", f"{RUNS} runs, PostgreSQL"
OVERVIEW = "/"
_WARM_UP = 5
_TRAFFIC = 300


@dataclass(slots=True)
class Asked:
    """What the requests for one page took: each from its sending to the last byte of its answer.

    ``cpu_s`` is that of the page's process, all requests together; ``length`` is in bytes.
    """

    took_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    length: int = 0


def figures() -> list[Figure]:
    """The overview, then what else people open most."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        few, many = project.copy(scratch / "few"), project.copy(scratch / "many")
        run = many_runs.add(many, RUNS)
        shared, env = _moved(stack, scratch, many)
        sites = {
            FEW: stack.enter_context(serving(few, FEW)),
            MANY: stack.enter_context(serving(many, MANY)),
            SHARED: stack.enter_context(serving(shared, SHARED, env=env)),
        }
        for site in sites.values():
            _traffic(site)
        overview = _in_turn(sites, OVERVIEW)
        others = {path: _in_turn({MANY: sites[MANY]}, path)[MANY] for path in _others(run)}
    return [
        *(_figure("overview", name, asked) for name, asked in overview.items()),
        *(_figure(path.replace(run, "RUN"), MANY, asked) for path, asked in others.items()),
    ]


def _others(run: str) -> list[str]:
    """``/live`` is what an open overview asks for every two seconds."""
    return [
        "/live",
        "/runs",
        "/runs?stands=fail",
        f"/runs/{run}",
        "/models",
        "/data",
        "/api/v1/status",
    ]


def _moved(stack: ExitStack, scratch: Path, many: Path) -> tuple[Path, dict[str, str]]:
    """The same project with its ledger in PostgreSQL, moved there as users move it."""
    base = stack.enter_context(database())
    shared = Path(shutil.copytree(many, scratch / "shared"))
    command = [*SEATRIAL, "migrate", "--database", base.url]
    subprocess.run(command, cwd=shared, check=True, capture_output=True)
    return shared, {"SEATRIAL_DATABASE": base.url}


def _traffic(site: Site) -> None:
    """So that there is something to tell of it."""
    for _ in range(_TRAFFIC):
        site.server.ask(bodies.matrix(1))


def _in_turn(sites: Mapping[str, Site], path: str) -> dict[str, Asked]:
    """Each a round after the other, on a connection that stays open."""
    found = {name: Asked() for name in sites}
    with ExitStack() as stack:
        opened = {name: stack.enter_context(closing(site.opened())) for name, site in sites.items()}
        for connection in opened.values():
            for _ in range(_WARM_UP):
                took_ms(connection, path)
        for _ in range(ROUNDS):
            for name, connection in opened.items():
                asked, site = found[name], sites[name]
                before = site.page_cpu_s()
                asked.took_ms += [took_ms(connection, path) for _ in range(ASKED)]
                asked.cpu_s += site.page_cpu_s() - before
        for name, connection in opened.items():
            found[name].length = len(got(connection, path))
    return found


def _figure(what: str, where: str, asked: Asked) -> Figure:
    took = asked.took_ms
    most = statistics.quantiles(took, n=20, method="inclusive")[-1]
    goal = what == "overview" and where != FEW
    return Figure(
        name=f"{what}, {where}",
        value=statistics.median(took),
        unit="ms",
        goal=f"95 of 100 under {LIMIT_MS:g} ms" if goal else "",
        met=most < LIMIT_MS if goal else None,
        detail=(
            f"95 of 100 within {most:.1f} ms, slowest of {len(took)} {max(took):.1f} ms;"
            f" processor {1000 * asked.cpu_s / len(took):.1f} ms; {asked.length / 1000:.0f} kB"
        ),
    )
