"""A real Prefect on this machine, for one test module: its server, and a `serve` of the flow.

The server listens on 127.0.0.1; the pauses between looks are cut short.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scenarios import THIRD_PARTY, Seen, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenarios import Shop

PROGRAMS = Path(sys.prefix) / "engines" / "prefect" / "bin"
ENDS_WITHIN_S = 30.0
BUSY, BUSY_TRIES = 503, 10
"""What a server says whose SQLite is locked, and how often it is asked again."""


def environment(home: Path, port: int) -> dict[str, str]:
    """Of every process of Prefect: its own home, no word to anybody, and seldom a pause."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT")}
    return {
        **ours,
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_RUNNER_POLL_FREQUENCY": "1",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_TASK_DEFAULT_RETRY_DELAY_SECONDS": "1",
        "PYTHONPATH": str(THIRD_PARTY),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
    }


@dataclass(slots=True)
class PrefectEngine:
    """A :class:`scenarios.Driver`; ``close`` ends its processes."""

    home: Path = field(init=False)
    environment: Mapping[str, str] = field(init=False)
    server: subprocess.Popen[bytes] = field(init=False)
    served: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        if not (PROGRAMS / "prefect").exists():
            pytest.skip(f"no Prefect in {PROGRAMS}: `make test` installs it")
        self.home = Path(tempfile.mkdtemp(prefix="seatrial-prefect-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.environment = environment(self.home, port)
        words = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]
        self.server = self.process("server.log", "prefect", *words)
        try:
            until(self._answers, "Prefect's server answers")
        except BaseException:
            self.close()
            raise

    def prepare(self, shop: Shop) -> None:
        """Serve this shop's flow, and no other's any more."""
        self.stop_serving()
        self.serve(shop.export("prefect", shop.folder / "flow.py"))
        until(lambda: self.deployment(shop.name), f"{shop.name} is served")

    def start(self, shop: Shop, *changes: str) -> str:
        return self.start_with(shop, settings=list(changes))

    def start_with(self, shop: Shop, **parameters: object) -> str:
        """Start a run of the deployment with these parameters of the flow; its id."""
        deployment = self.deployment(shop.name)
        assert deployment, f"{shop.name} is not deployed"
        path = f"deployments/{deployment['id']}/create_flow_run"
        return str(self.call("POST", path, {"parameters": parameters})["id"])

    def seen(self, shop: Shop, run: str) -> Seen | None:
        del shop
        found = self.call("GET", f"flow_runs/{run}")
        text = "\n".join(self.shown(run))
        match found["state_type"]:
            case "COMPLETED":
                return Seen("skipped" if found["state_name"] == "Skipped" else "succeeded", text)
            case "FAILED" | "CANCELLED":
                return Seen("failed", text)
            case "SCHEDULED" | "PENDING" if found["run_count"]:
                # Prefect takes a flow run up some seconds before its time, and waits for it
                return Seen("waiting", text)
        return None

    def again(self, shop: Shop, run: str) -> str:
        """What `prefect flow-run retry` and the button of that name do."""
        del shop
        scheduled = {"state": {"type": "SCHEDULED"}, "force": True}
        self.call("POST", f"flow_runs/{run}/set_state", scheduled)
        return run

    def close(self) -> None:
        self.stop_serving()
        end(self.server)
        shutil.rmtree(self.home, ignore_errors=True)

    def process(self, log: str, program: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a program of Prefect's environment; what it prints is in ``home``."""
        with (self.home / log).open("ab") as printed:
            return subprocess.Popen(
                [PROGRAMS / program, *words],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def serve(self, file: Path) -> None:
        self.served = self.process("serve.log", "python", str(file), "serve")

    def stop_serving(self) -> None:
        if self.served is not None:
            end(self.served)
            self.served = None

    def deployment(self, name: str) -> dict[str, Any] | None:
        """The deployment of a flow, which bears the flow's name."""
        found = self.call("POST", "deployments/filter", {"deployments": {"name": {"any_": [name]}}})
        return found[0] if found else None

    def log(self, run: str) -> str:
        """The log of a flow run, which comes a little later."""
        asked = {"logs": {"flow_run_id": {"any_": [run]}}}
        return "\n".join(line["message"] for line in self.call("POST", "logs/filter", asked))

    def shown(self, run: str) -> list[str]:
        """What a page of Prefect's shows of a flow run: states, tasks, artifacts."""
        of_run = {"flow_runs": {"id": {"any_": [run]}}}
        states = self.call("GET", f"flow_run_states/?flow_run_id={run}")
        tasks = self.call("POST", "task_runs/filter", of_run)
        artifacts = self.call("POST", "artifacts/filter", of_run)
        return [
            *(f"{state['name']}: {state['message']}" for state in states),
            *(f"{task['name']}: {(task['state'] or {}).get('message')}" for task in tasks),
            *(str(artifact["data"]) for artifact in artifacts),
        ]

    def call(self, method: str, path: str, content: object = None) -> Any:
        """Ask Prefect's REST API."""
        request = urllib.request.Request(  # noqa: S310 - the server of this driver
            f"{self.environment['PREFECT_API_URL']}/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        for _ in range(BUSY_TRIES):
            try:
                return answer_to(request)
            except urllib.error.HTTPError as error:
                if error.code != BUSY:
                    raise
                time.sleep(1)
        return answer_to(request)

    def _answers(self) -> bool:
        assert self.server.poll() is None, (self.home / "server.log").read_text()
        try:
            return bool(self.call("GET", "health"))
        except urllib.error.URLError:
            return False


def answer_to(request: urllib.request.Request) -> Any:
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; one that does not listen is killed."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
