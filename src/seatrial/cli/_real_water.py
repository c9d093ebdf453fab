"""The demo's gateway, and the flights that are asked of it while it serves."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import itertools
import json
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "flights_late"
TARGET = "late"
WORDS = frozenset({"carrier", "origin", "dest"})
PAUSE_S = 0.002
READY_S = 30.0


@dataclass(slots=True)
class Traffic:
    """What came of the requests: when each was sent (monotonic), and the version that answered."""

    answered: list[tuple[float, int]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    labels: int = 0

    def since(self, sent_s: float) -> set[int]:
        """Versions that answered requests sent after a moment."""
        return {version for sent, version in self.answered if sent > sent_s}

    def first_after(self, moment_s: float, version: int) -> float | None:
        """When the first request was sent that a version answered after a moment; Unix times."""
        offset_s = time.time() - time.monotonic()
        found = (s + offset_s for s, v in self.answered if v == version and s + offset_s > moment_s)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Serving:
    """Where ``seatrial serve`` listens: the gateway's port, and the address of the web page."""

    port: int
    page: str


@contextmanager
def serving(project: Path) -> Iterator[Serving]:
    """``seatrial serve`` in a project folder, while the block lasts."""
    log = (project / "serve.log").open("w", encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "seatrial", "serve", "--port", "0", "--control-port", "0", "--json"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        yield _ready(process, project)
    finally:
        process.terminate()
        process.communicate()
        log.close()


def _ready(process: subprocess.Popen[str], project: Path) -> Serving:
    told = ""
    for line in process.stdout or ():
        told += line
        if line.startswith("}"):
            break
    if not told:
        where = str(project / "serve.log")
        raise StoreError(Mistake("the gateway did not start", where=where, fix="read its log"))
    addresses = json.loads(told)
    port = int(addresses["address"].rpartition(":")[2])
    ends = time.monotonic() + READY_S
    while time.monotonic() < ends:
        if _is_ready(port):
            return Serving(port, addresses["control"])
        time.sleep(0.02)
    raise StoreError(Mistake(f"the gateway was not ready within {READY_S:g} s"))


def _is_ready(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/v2/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False  # a machine that is busy: the next look may be luckier


@contextmanager
def asking(port: int, months: list[Path]) -> Iterator[Traffic]:
    """Ask for every flight of some months, over and over, and tell how each went."""
    traffic, stop = Traffic(), threading.Event()
    flights = [flight for month in months for flight in _read(month)]
    thread = threading.Thread(target=_ask, args=(port, flights, traffic, stop))
    thread.start()
    try:
        yield traffic
    finally:
        stop.set()
        thread.join()


def _ask(
    port: int, flights: list[tuple[str, int]], traffic: Traffic, stop: threading.Event
) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for body, late in itertools.cycle(flights):
            if stop.is_set():
                break
            sent = time.monotonic()
            try:
                said = _post(connection, "infer", body)
                traffic.answered.append((sent, int(said["model_version"])))
                _post(connection, "feedback", json.dumps({"id": said["id"], "label": late}))
                traffic.labels += 1
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                traffic.failed.append(f"{type(error).__name__}: {error}")
                connection.close()
            stop.wait(PAUSE_S)


def _post(connection: http.client.HTTPConnection, what: str, body: str) -> dict[str, str]:
    connection.request("POST", f"/v2/models/{MODEL}/{what}", body)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status >= http.HTTPStatus.BAD_REQUEST:
        raise ValueError(told.decode())
    return dict(json.loads(told))


def _read(month: Path) -> list[tuple[str, int]]:
    """The flights of a file: each as a request in the protocol, and whether it came late."""
    rows = csv.DictReader(io.StringIO(gzip.decompress(month.read_bytes()).decode()))
    return [(_request(row), int(row[TARGET])) for row in rows]


def _request(row: dict[str, str]) -> str:
    inputs = []
    for name, value in row.items():
        if name == TARGET:
            continue
        word = name in WORDS
        data = value if word else float(value) if value else None
        kind = "BYTES" if word else "FP32"
        inputs.append({"name": name, "shape": [1], "datatype": kind, "data": [data]})
    return json.dumps({"inputs": inputs})
