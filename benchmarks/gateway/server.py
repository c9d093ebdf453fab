"""A server as a tree of processes on the first core, while the load has the last."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.bodies import Request

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[-1]
PATIENCE_S = 120.0
OPEN = http.client.HTTPConnection


@dataclass(slots=True)
class Server:
    """A running server; ``name`` is what the figures call it."""

    name: str
    port: int
    process: subprocess.Popen[str]
    started_s: float
    said: Path
    first_answer_s: float = field(default=0.0)

    def ask(self, request: Request) -> bytes:
        """Its answer; RuntimeError when it is none."""
        connection = OPEN("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", request.path, request.body, dict(request.headers))
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004
            raise RuntimeError(f"{self.name}: {answer.status} {body[:300]!r}")
        return body

    def tree(self) -> list[tree.Process]:
        """Its processes now."""
        return tree.of(self.process.pid)


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    port: int,
    first: Request,
    *,
    folder: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Start it, wait until it answers ``first``, and end all of it whatever happens."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        process = subprocess.Popen(
            [*pinned(SERVER_CORE), *command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        server = Server(name, port, process, time.perf_counter(), Path(log.name))
        try:
            _until_it_answers(server, first)
            yield server
        finally:
            _end(process)


def pinned(core: int) -> list[str]:
    """The words before a command that keep it, and all that it starts, on one core."""
    taskset = shutil.which("taskset")
    if taskset is None:
        raise RuntimeError("taskset is not installed (Debian: apt-get install util-linux)")
    return [taskset, "-c", str(core)]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_it_answers(server: Server, first: Request) -> None:
    why = ""
    while (taken := time.perf_counter() - server.started_s) < PATIENCE_S:
        if server.process.poll() is not None:
            break
        try:
            server.ask(first)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            why = str(error)
            time.sleep(0.01)
        else:
            server.first_answer_s = time.perf_counter() - server.started_s
            return
    tail = server.said.read_text(errors="replace")[-1500:]
    raise RuntimeError(f"{server.name} gave no answer within {taken:.0f} s: {why}\n{tail}")


def _end(process: subprocess.Popen[str]) -> None:
    everybody = tree.of(process.pid)
    tree.proceed(everybody)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=8)
    for each in {p.pid: p for p in (*everybody, *tree.of(process.pid))}.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    process.wait()
