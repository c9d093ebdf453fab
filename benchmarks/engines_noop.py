"""Ten steps that do nothing, one after the other: seatrial's own engine beside its peers.

The peers run ten tasks of their own, without seatrial. Processor time is that of all that takes
part: servers, schedulers, processes of tasks. Memory is the most that these had at a time, in a run
that is not timed, each shared page in parts. The servers of the others are halted meanwhile.
Databases are on the disk, synced as each does by default.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from engines import metaflow, places, shop
from engines.airflow import airflow
from engines.database import database
from engines.prefect import prefect
from engines.spending import Rival, halt, idle_share, median, one_run, peak_mb
from measuring import SEATRIAL, Cost, Figure, cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PEERS = Path(__file__).parent / "engines" / "peers"
ROUNDS = 3
LIMIT_S = 0.2
AGAIN = "in a process that has run it before"
OURS = f"seatrial, {AGAIN}, SQLite"


def figures() -> list[Figure]:
    """One line an engine: the wall time of a run."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rivals = [
            *_ours(stack, scratch),
            *_metaflow(scratch),
            *_dagster(scratch),
            *_prefect(stack, scratch),
            *_airflow(stack, scratch),
        ]
        groups = {rival.servers for rival in rivals}
        servers = {server for group in groups for server in group}
        halt(servers)
        # this round is let go for the figures of time
        memory = {rival.name: peak_mb(rival, servers) for rival in rivals}
        idle = {group: idle_share(group) for group in groups if group}
        costs: dict[str, list[Cost]] = {rival.name: [] for rival in rivals}
        for number in range(ROUNDS):
            for rival in rivals:
                if not (rival.long and number):
                    costs[rival.name].append(one_run(rival))
    return [_figure(r, median(costs[r.name]), memory[r.name], idle.get(r.servers)) for r in rivals]


def _figure(rival: Rival, spent: Cost, peak: float, idle: float | None) -> Figure:
    ours = rival.name == OURS
    detail = f"processor {_seconds(spent.cpu_s)}, memory {peak:.0f} MB"
    if ours:
        detail += (
            "; from the text of the file to the document of the ended run: read, planned, ten steps"
            " performed and synced to the ledger; without Python's start and imports"
        )
    if rival.long:
        detail += "; measured once"
    if idle is not None:
        detail += f"; idle, its servers use {100 * idle:.1f} % of a core"
    return Figure(
        name=rival.name,
        value=spent.wall_s,
        unit="s",
        goal=f"under {LIMIT_S:g} s" if ours else "",
        met=spent.wall_s < LIMIT_S if ours else None,
        detail=detail,
    )


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"  # noqa: PLR2004 - two digits


def _ours(stack: ExitStack, scratch: Path) -> Iterator[Rival]:
    base = stack.enter_context(database())
    for store, env, servers in (
        ("SQLite", {}, ()),
        ("PostgreSQL", {"SEATRIAL_DATABASE": base.url}, (base.server,)),
    ):
        project = shop.made(scratch / store)
        everything = {**shop.WORDS, **env}
        again = [sys.executable, str(PEERS / "ours_again.py")]
        run = [*SEATRIAL, "run", "pipeline.yaml"]
        yield _again(f"seatrial, {AGAIN}, {store}", again, project, everything, servers)
        yield _process(f"seatrial run, {store}", run, project, everything, servers)


def _metaflow(scratch: Path) -> Iterator[Rival]:
    python = places.python("metaflow")
    name = f"Metaflow {places.release(python, 'metaflow')}, python flow.py run"
    folder = _folder(scratch / "metaflow")
    run = [str(python), str(PEERS / "metaflow_flow.py"), "run"]
    yield _process(name, run, folder, metaflow.environment(folder))


def _dagster(scratch: Path) -> Iterator[Rival]:
    python = places.dagster()
    name = f"Dagster {places.release(python, 'dagster')}"
    home = _folder(scratch / "dagster")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    env = {"DAGSTER_HOME": str(home)}
    again = [str(python), str(PEERS / "dagster_again.py")]
    run = [str(python.with_name("dagster")), "job", "execute"]
    run += ["-f", str(PEERS / "dagster_job.py"), "-j"]
    yield _again(f"{name}, {AGAIN}, SQLite", again, home, env)
    one, many = "all ops in one process", "a process an op (its default)"
    yield _process(f"{name}, dagster job execute, {one}", [*run, "ten_in_one"], home, env)
    yield _process(f"{name}, dagster job execute, {many}", [*run, "ten"], home, env, long=True)


def _prefect(stack: ExitStack, scratch: Path) -> Iterator[Rival]:
    running = stack.enter_context(prefect(scratch / "prefect"))
    name = f"Prefect {places.release(running.python, 'prefect')}"
    home, servers = scratch / "prefect", (running.server,)
    for script, how in (("prefect_again.py", AGAIN), ("prefect_flow.py", "python flow.py")):
        made = _again if how == AGAIN else _process
        command = [str(running.python), str(PEERS / script)]
        yield made(f"{name}, {how}, its server on SQLite", command, home, running.env, servers)


def _airflow(stack: ExitStack, scratch: Path) -> Iterator[Rival]:
    text = (PEERS / "airflow_dag.py").read_text(encoding="utf-8")
    running = stack.enter_context(airflow(scratch / "airflow", {"ten": text}, {}))
    release = places.release(places.python("airflow"), "apache-airflow")
    name = f"Airflow {release}, scheduler and LocalExecutor, SQLite"
    yield Rival(name, lambda: running.run("ten"), running.servers)


def _process(
    name: str,
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    servers: tuple[int, ...] = (),
    *,
    long: bool = False,
) -> Rival:
    """A process that makes one run, from its start to its end."""
    return Rival(name, lambda: cost(command, cwd=folder, env=env), servers, long=long)


def _again(
    name: str,
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    servers: tuple[int, ...] = (),
) -> Rival:
    """A process that makes four runs, and tells of the last three."""

    def run() -> Cost:
        ended = subprocess.run(
            command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()[-600:]}")
        return Cost(**json.loads(ended.stdout.strip().splitlines()[-1]))

    return Rival(name, run, servers, runs=4)


def _folder(folder: Path) -> Path:
    folder.mkdir()
    return folder
