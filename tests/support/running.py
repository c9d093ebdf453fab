"""A project folder, a real gateway in front of it, and what a client says to it."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import seatrial
from seatrial import workspace
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seatrial.registry.project import Project as Stores

FOUNDING = Path(__file__).parents[1] / "pipelines" / "founding.yaml"
MODEL = "ml_model_training_pipeline"
COLUMNS = ("feature_1", "feature_2", "feature_3")
ROW = [0.5, -0.25, 0.75]
PATIENCE_S = 30.0


def until(true: Callable[[], object], what: str, within_s: float = PATIENCE_S) -> Any:
    """Look again until something is so; what it gave."""
    ends = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < ends, f"{what}: not within {within_s} s"
        time.sleep(0.01)
    return found


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder with the founding pipeline, whose data a test can write anew."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "pipeline.yaml"

    @property
    def home(self) -> Path:
        return self.folder / ".seatrial"

    def rows(self, name: str, count: int, seed: int, *, noise: float = 0.2) -> None:
        random = np.random.default_rng(seed)
        x = random.normal(size=(count, 3))
        score = x @ np.array([1.0, 0.5, -0.3]) + random.normal(scale=noise, size=count)
        lines = [
            f"{a:.6f},{b:.6f},{c:.6f},{int(s > 0)}"
            for (a, b, c), s in zip(x.tolist(), score, strict=True)
        ]
        text = "\n".join([",".join((*COLUMNS, "target")), *lines, ""])
        (self.folder / "data" / f"{name}.csv").write_text(text)

    def run(self, *changes: str) -> Any:
        return seatrial.run(self.file, changes)

    def deliver(self) -> None:
        driven = self.run()
        assert driven.exit_code == 0, driven.document["errors"]

    def retrain(self, seed: int) -> int:
        """A new version that passes offline and is staged; its number. Nothing is promoted."""
        self.rows("training_data", 1500, seed)
        driven = self.run()
        assert driven.document["model"], driven.document["errors"]
        return int(driven.document["model"]["version"])

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        opened = open_project(workspace.at(self.folder))
        try:
            yield opened
        finally:
            opened.ledger.close()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seatrial", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def founding(folder: Path) -> Project:
    """The founding pipeline with data and a baseline of its own; nothing was run."""
    (folder / "data").mkdir(parents=True)
    (folder / "config").mkdir()
    shutil.copy(FOUNDING, folder / "pipeline.yaml")
    made = Project(folder)
    made.rows("training_data", 1500, 1)
    made.rows("validation_data", 600, 2)
    (folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 20\nnum_leaves: 15\n")
    table = open_table(Dataset("training_data", folder / "data" / "training_data.csv"))
    profile.write(profile.make(table), folder / "baseline_distribution.json")
    return made


@dataclass(slots=True)
class Gateway:
    """A running ``seatrial serve``."""

    project: Project
    process: subprocess.Popen[str]
    identity: str
    port: int
    errors: Path
    control: str | None = None
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """Status, and the body: JSON where it is."""
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        read = answer.read()
        kind = answer.headers.get("content-type", "")
        return answer.status, json.loads(read) if kind.startswith("application/json") else read

    def infer(self, *rows: list[float], identity: str | None = None, version: int = 0) -> Any:
        """The answer to rows of the founding pipeline's features; it must be one."""
        path = f"/v2/models/{MODEL}{f'/versions/{version}' if version else ''}/infer"
        status, told = self.ask("POST", path, body_of(*rows or (ROW,), identity=identity))
        assert status == 200, told
        return told

    def version(self) -> int:
        """The version that answers."""
        return int(self.infer()["model_version"])

    def logged(self) -> list[dict[str, Any]]:
        """The structured log so far."""
        lines = self.errors.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def ready(self) -> bool:
        try:
            return self.ask("GET", "/v2/health/ready")[0] == 200
        except OSError:
            self.connection.close()
            return False

    def metrics(self) -> dict[str, float]:
        text = self.ask("GET", "/metrics")[1].decode()
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def client(self) -> Gateway:
        """Another client of the same gateway, with a connection of its own."""
        return Gateway(self.project, self.process, self.identity, self.port, self.errors)

    def stop(self) -> int:
        self.connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


def body_of(*rows: list[float], identity: str | None = None) -> str:
    """A V2 request with one matrix input."""
    matrix = {"name": "features", "shape": [len(rows), len(rows[0])], "datatype": "FP32"}
    request: dict[str, Any] = {"inputs": [{**matrix, "data": [v for row in rows for v in row]}]}
    if identity is not None:
        request["id"] = identity
    return json.dumps(request)


@contextmanager
def serving(
    project: Project, *words: str, wait: bool = True, page: bool = False, **environment: str
) -> Iterator[Gateway]:
    """``seatrial serve`` on a free port, ended whatever happens; it must leave nothing running.

    With ``page`` the web page too, on the port that the words say.
    """
    control = () if page else ("--no-control",)
    errors = project.folder / f"serve-{time.monotonic_ns()}.log"
    with errors.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatrial", "serve", "--port", "0", "--json", *control, *words],
            cwd=project.folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **environment},
        )
    gateway: Gateway | None = None
    try:
        assert process.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            line = process.stdout.readline()
            assert line, errors.read_text()
            text += line
        told = json.loads(text)
        port = int(told["address"].rpartition(":")[2])
        gateway = Gateway(project, process, told["gateway"], port, errors, told["control"])
        if wait:
            until(gateway.ready, "the gateway is ready")
        yield gateway
    finally:
        if gateway is not None:
            gateway.stop()
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
