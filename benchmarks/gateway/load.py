"""Load from a core of its own: as much as it takes (wrk), or at a constant rate (open_loop.py)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.server import LOAD_CORE, pinned

if TYPE_CHECKING:
    from gateway.bodies import Request
    from gateway.server import Server

CONNECTIONS = 16
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a block of requests; ``failed`` had no answer, or another status than 200."""

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float


def full(server: Server, request: Request, seconds: float) -> Sent:
    """As many requests as 16 connections can have answered, one after the other on each."""
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body"
        body.write_bytes(request.body)
        headers = [x for name, value in request.headers.items() for x in ("-H", f"{name}: {value}")]
        url = f"http://127.0.0.1:{server.port}{request.path}"
        return _sent(
            [
                *("wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--timeout", "10s"),
                *("-s", str(HERE / "full.lua"), *headers, url, "--", str(body)),
            ]
        )


def steady(server: Server, request: Request, per_second: float, seconds: float) -> Sent:
    """Requests at a constant rate, whatever becomes of the ones before."""
    asked = {
        "port": server.port,
        "raw": raw(request).hex(),
        "per_second": per_second,
        "seconds": seconds,
        "connections": CONNECTIONS,
    }
    return _sent([sys.executable, str(HERE / "open_loop.py")], json.dumps(asked))


def raw(request: Request) -> bytes:
    """The very bytes of a request."""
    headers = {"Host": "127.0.0.1", **request.headers, "Content-Length": str(len(request.body))}
    lines = [f"POST {request.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + request.body


def _sent(command: list[str], given: str = "") -> Sent:
    ended = subprocess.run(
        [*pinned(LOAD_CORE), *command],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"{command[0]}: {ended.stderr.strip()[-600:]}")
    return Sent(**json.loads(ended.stdout.strip().splitlines()[-1]))
