"""Airflow as its scheduler runs it: four processes, LocalExecutor, SQLite, its own defaults."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engines.places import python
from engines.servers import asked, started, until
from gateway.server import free_port
from measuring import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LOOK_S = 0.5
"""Each look costs the server some processor time, which counts as Airflow's."""

PROCESSES = (
    ("scheduler", "--skip-serve-logs"),
    ("triggerer", "--skip-serve-logs"),
    ("dag-processor",),
    ("api-server",),
)


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow: where its API is, and the processes that were started."""

    api: str
    servers: tuple[int, ...]

    def run(self, dag: str) -> Cost:
        """A run to its end, by the end that Airflow notes; all it costs is the servers'."""
        name = f"run-{secrets.token_hex(4)}"
        began = time.time()
        runs = f"{self.api}/api/v2/dags/{dag}/dagRuns"
        if not asked(runs, {"dag_run_id": name, "logical_date": None}):
            raise RuntimeError(f"Airflow took no run of {dag}")
        until(lambda: self._run(dag, name)["state"] not in {"queued", "running"}, name, LOOK_S)
        ended = self._run(dag, name)
        if ended["state"] != "success":
            raise RuntimeError(f"Airflow's run of {dag}: {ended['state']}")
        wall_s = datetime.fromisoformat(ended["end_date"]).timestamp() - began
        return Cost(wall_s=wall_s, cpu_s=0.0)

    def _run(self, dag: str, name: str) -> dict[str, Any]:
        told: dict[str, Any] = asked(f"{self.api}/api/v2/dags/{dag}/dagRuns/{name}")
        return told


@contextmanager
def airflow(home: Path, dags: Mapping[str, str], env: Mapping[str, str]) -> Iterator[Airflow]:
    """Start it with these DAG files, by their names, and wait until it knows them."""
    program = python("airflow").with_name("airflow")
    folder = home / "dags"
    folder.mkdir(parents=True)
    for name, text in dags.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    api = f"http://127.0.0.1:{(port := free_port())}"
    settings = {**env, **_settings(home, api, port)}
    made = [str(program), "db", "migrate"]
    everything = {**os.environ, **settings}
    subprocess.run(made, cwd=home, env=everything, check=True, capture_output=True)
    with ExitStack() as stack:
        servers = tuple(
            stack.enter_context(started([str(program), *words], home, settings))
            for words in PROCESSES
        )
        until(lambda: all(asked(f"{api}/api/v2/dags/{name}") for name in dags), "Airflow is ready")
        yield Airflow(api, servers)


def _settings(home: Path, api: str, port: int) -> dict[str, str]:
    """What a machine of two cores has beside the defaults: four workers instead of 32."""
    settings = {
        "CORE__DAGS_FOLDER": str(home / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "CORE__PARALLELISM": "4",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": api,
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
    }
    return {"AIRFLOW_HOME": str(home), **{f"AIRFLOW__{key}": v for key, v in settings.items()}}
