"""A real Airflow on this machine, for one test module: its four processes, and its REST API.

Nothing but the API listens, on 127.0.0.1; the pauses between its looks are cut short.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scenarios import THIRD_PARTY, Seen, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios import Shop

PROGRAM = Path(sys.prefix) / "engines" / "airflow" / "bin" / "airflow"
PROCESSES = (
    ("scheduler", "--skip-serve-logs"),
    ("triggerer", "--skip-serve-logs"),
    ("dag-processor",),
    ("api-server",),
)
BUSY = {None, "none", "queued", "scheduled", "running", "restarting", "up_for_retry"}


def environment(home: Path, port: int) -> dict[str, str]:
    """Of every process of Airflow: its own home, and seldom a pause."""
    api = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(home / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__DEFAULT_TASK_RETRY_DELAY": "1",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "CORE__PARALLELISM": "4",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": api,
        "API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",  # a changed file is read at once
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    }
    ours = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    return {
        **ours,
        **{f"AIRFLOW__{key}": value for key, value in settings.items()},
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(THIRD_PARTY),
    }


@dataclass(slots=True)
class AirflowEngine:
    """A :class:`scenarios.Driver`; ``close`` ends its processes."""

    program: Path = PROGRAM
    home: Path = field(init=False)
    port: int = field(init=False)
    settings: Mapping[str, str] = field(init=False)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    runs: int = 0

    def __post_init__(self) -> None:
        if not self.program.exists():
            pytest.skip(f"Airflow is not installed: {self.program} (`make test` installs it)")
        self.home = Path(tempfile.mkdtemp(prefix="airflow-"))
        self.port = _free_port()
        self.settings = environment(self.home, self.port)
        (self.home / "dags").mkdir()
        try:
            self.command("db", "migrate")
            for words in PROCESSES:
                self.process(*words)
            until(self._ready, "Airflow is ready")
        except BaseException:
            self.close()
            raise

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of Airflow's command line."""
        return subprocess.run(
            [str(self.program), *words], env=self.settings, cwd=self.home, check=True,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def process(self, *words: str) -> None:
        """Start one of its processes, in a session of its own; it ends when this one is killed."""
        with (self.home / f"{words[0]}.log").open("ab") as log:
            self.processes[words[0]] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", str(self.program), *words],
                env=self.settings, cwd=self.home, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """Kill one of its processes, and what it has started."""
        process = self.processes.pop(name)
        for pid in _of_session(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        shutil.rmtree(self.home, ignore_errors=True)

    def api(self, method: str, path: str, body: object = None) -> Any:
        """An answer of the REST API; ``None`` where there is nothing."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", "accept": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error
        except urllib.error.URLError:
            return None

    def _ready(self) -> bool:
        died = [name for name, process in self.processes.items() if process.poll() is not None]
        assert not died, (self.home / f"{died[0]}.log").read_text()[-2000:]
        health = self.api("GET", "monitor/health")
        parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
        return bool(health) and all(health[part]["status"] == "healthy" for part in parts)

    def prepare(self, shop: Shop) -> None:
        file = shop.export("airflow", self.home / "dags" / f"{shop.name}.py")
        self.known(shop.name, file)

    def known(self, dag: str, file: Path) -> None:
        """Wait until Airflow has read a DAG file as it is now."""
        text = file.read_text()

        def same() -> bool:
            errors = self.api("GET", "importErrors")["import_errors"]
            assert not errors, errors[0]["stack_trace"]
            source = self.api("GET", f"dagSources/{dag}")
            return bool(source) and source["content"].strip() == text.strip()

        until(same, f"Airflow knows {dag}")

    def start(self, shop: Shop, *changes: str) -> str:
        self.runs += 1
        name = f"{shop.folder.name}-{self.runs}"
        body = {"dag_run_id": name, "logical_date": None, "conf": {"set": list(changes)}}
        assert self.api("POST", f"dags/{shop.name}/dagRuns", body)
        return name

    def seen(self, shop: Shop, run: str) -> Seen | None:
        state = self.api("GET", f"dags/{shop.name}/dagRuns/{_quoted(run)}")["state"]
        tasks = self.tasks(shop.name, run)
        if state in {"queued", "running"}:
            states = set(tasks.values())
            waits = "deferred" in states and not self._at_work(tasks)
            return Seen("waiting") if waits else None
        if state == "success" and tasks["seatrial-begin"] == "skipped":
            state = "skipped"
        return Seen({"success": "succeeded"}.get(state, state), self.text(shop.name, run))

    def _at_work(self, tasks: Mapping[str, str | None]) -> bool:
        """Whether a worker is held, or about to be."""
        return any(state in BUSY - {None, "none"} for state in tasks.values())

    def tasks(self, dag: str, run: str) -> dict[str, str | None]:
        """The state of every task of a run."""
        found = self.api("GET", f"dags/{dag}/dagRuns/{_quoted(run)}/taskInstances?limit=100")
        return {task["task_id"]: task["state"] for task in found["task_instances"]}

    def xcoms(self, dag: str, run: str, task: str) -> dict[str, Any]:
        """What a task shows in the tab XCom, links included."""
        entries = f"dags/{dag}/dagRuns/{_quoted(run)}/taskInstances/{task}/xcomEntries"
        keys = [entry["key"] for entry in self.api("GET", entries)["xcom_entries"]]
        return {key: self.api("GET", f"{entries}/{key}")["value"] for key in keys}

    def text(self, dag: str, run: str) -> str:
        """Everything that a run shows: the logs and the XComs of its tasks."""
        logs = (self.home / "logs" / f"dag_id={dag}" / f"run_id={run}").rglob("*.log")
        shown = [self.xcoms(dag, run, task) for task in self.tasks(dag, run)]
        return "\n".join([json.dumps(shown), *(log.read_text() for log in logs)])

    def clear(self, shop: Shop, run: str, *tasks: str) -> None:
        """What the button "Clear" does; without tasks: to those that failed."""
        body: dict[str, object] = {
            "dry_run": False,
            "dag_run_id": run,
            "only_failed": not tasks,
            "include_downstream": bool(tasks),
            "reset_dag_runs": True,
        }
        if tasks:
            body["task_ids"] = list(tasks)
        cleared = self.api("POST", f"dags/{shop.name}/clearTaskInstances", body)
        assert cleared["total_entries"], cleared

    def again(self, shop: Shop, run: str) -> str:
        self.clear(shop, run)
        return run


def _of_session(leader: int) -> list[int]:
    """What a process has started, whoever has become its parent since."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def _quoted(run: str) -> str:
    return urllib.parse.quote(run, safe="")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
