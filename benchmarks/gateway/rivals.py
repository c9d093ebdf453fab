"""Every server that is measured: what it needs, how it is started, how it is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies
from gateway.project import MODEL
from gateway.server import free_port, started
from measuring import SEATRIAL, environment, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from gateway.bodies import Request
    from gateway.server import Server

    Rival = Callable[[Path, Path], AbstractContextManager[tuple[Server, Request]]]

PEERS = Path(__file__).parent / "peers"
FASTAPI = "fastapi==0.165.0"
MLSERVER = "mlserver==1.7.1"
MLFLOW = "mlflow==3.17.2"
BENTOML = "bentoml==1.4.39"
LITSERVE = "litserve==0.2.19"


@contextmanager
def ours(
    project: Path, name: str = "ours", workers: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """``seatrial serve`` in a project folder."""
    port = free_port()
    command = [*SEATRIAL, "serve", "--port", str(port), "--workers", str(workers)]
    with started(name, command, port, bodies.matrix(1), folder=project, env=env) as server:
        yield server


@contextmanager
def bare(model: Path, _scratch: Path) -> Iterator[tuple[Server, Request]]:
    """Granian and onnxruntime, without anything."""
    port, request = free_port(), bodies.matrix(1)
    command = [sys.executable, str(PEERS / "bare.py"), str(model), str(port)]
    with started("bare", command, port, request) as server:
        yield server, request


@contextmanager
def fastapi(model: Path, how: str) -> Iterator[tuple[Server, Request]]:
    """FastAPI, pydantic, uvicorn with uvloop and httptools; ``how`` is ``def`` or ``async``."""
    python = environment("fastapi", [FASTAPI, "uvicorn[standard]==0.54.0", *_shared()])
    port, request = free_port(), bodies.matrix(1)
    command = [str(python), str(PEERS / "fastapi_app.py"), str(model), str(port), how]
    with started(f"FastAPI {how}", command, port, request) as server:
        yield server, request


@contextmanager
def mlserver(model: Path, scratch: Path) -> Iterator[tuple[Server, Request]]:
    """MLServer without parallel workers, which is its fastest for so small a model."""
    python = environment("mlserver", [MLSERVER, *_shared()])
    port, request = free_port(), bodies.matrix(1)
    folder = scratch / "mlserver"
    folder.mkdir()
    settings = {
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "host": "127.0.0.1",
        "parallel_workers": 0,
        "debug": False,
    }
    model_settings = {"name": MODEL, "implementation": "mlserver_runtime.Onnx"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model_settings))
    command = [str(python.with_name("mlserver")), "start", str(folder)]
    env = {"PYTHONPATH": str(PEERS), "BENCH_MODEL": str(model)}
    with started("MLServer", command, port, request, env=env) as server:
        yield server, request


@contextmanager
def mlflow(model: Path, scratch: Path) -> Iterator[tuple[Server, Request]]:
    """``mlflow models serve`` with the ONNX flavour and one worker."""
    python = environment("mlflow-serve", [MLFLOW, *_shared(), *same("onnx")])
    saved = scratch / "mlflow"
    subprocess.run([str(python), str(PEERS / "mlflow_save.py"), str(model), str(saved)], check=True)
    port, request = free_port(), bodies.nested("/invocations", "inputs")
    command = [
        *(str(python.with_name("mlflow")), "models", "serve", "-m", str(saved)),
        *("-h", "127.0.0.1", "-p", str(port), "-w", "1", "--env-manager", "local"),
    ]
    env = {"PATH": f"{python.parent}:/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with started("mlflow", command, port, request, env=env) as server:
        yield server, request


@contextmanager
def bentoml(model: Path, scratch: Path) -> Iterator[tuple[Server, Request]]:
    """``bentoml serve`` with one worker."""
    python = environment("bentoml", [BENTOML, *_shared()])
    port, request = free_port(), bodies.nested("/predict", "")
    command = [
        *(str(python.with_name("bentoml")), "serve", "bentoml_service:Onnx"),
        *("--host", "127.0.0.1", "--port", str(port), "--working-dir", str(PEERS)),
    ]
    env = {
        "BENCH_MODEL": str(model),
        "BENTOML_HOME": str(scratch / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "true",
    }
    with started("BentoML", command, port, request, env=env) as server:
        yield server, request


@contextmanager
def litserve(model: Path, _scratch: Path) -> Iterator[tuple[Server, Request]]:
    """LitServe with one API server and one worker."""
    python = environment("litserve", [LITSERVE, *_shared()])
    port, request = free_port(), bodies.matrix(1, "/predict")
    command = [str(python), str(PEERS / "litserve_app.py"), str(model), str(port)]
    with started("LitServe", command, port, request) as server:
        yield server, request


def _shared() -> list[str]:
    return same("onnxruntime", "numpy")
