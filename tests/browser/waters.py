"""A project in which something has happened: a delivery, a bad version, a test that cannot say."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np

from running import COLUMNS, MODEL, Project, founding, serving, until
from seatrial.inference.session import Model
from seatrial.inference.signature import Signature

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from running import Gateway

SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=="  # noqa: S105 - of a webhook of the test
SHADOW_S = 6
PACE_S = 0.004
MARGIN = 0.05
GOOD, BAD, CANDIDATE = 1, 2, 3

OTHERWISE = "n_estimators: 6\nlearning_rate: 0.4\nnum_leaves: 15\n"
"""Answers otherwise at times, and is about as good."""


@dataclass(frozen=True, slots=True)
class Waters:
    """Version 1 serves; 2 is bad; 3 waits in review, with requests on which it differs.

    ``said`` holds by request what versions 1 and 3 answer. ``told`` is the notification of the
    question, ``port`` the one of the page that it leads to: that of before.
    """

    project: Project
    run: str
    item: str
    port: int
    said: dict[str, tuple[int, int]]
    told: dict[str, Any]


def made(folder: Path) -> Waters:
    """Make it: four runs, and some seconds of traffic."""
    project = founding(folder)
    with _office() as (address, letters):
        _edit(project, address)
        project.deliver()
        first = project.folder / "data" / "training_data.csv"
        kept = first.read_text()
        project.rows("training_data", 1500, 5, noise=4.0)
        worse = project.run("validate_data.check_distribution.threshold=5")
        assert worse.document["model"]["version"] == BAD, worse.document
        first.write_text(kept)
        (project.folder / "config" / "hyperparameters.yaml").write_text(OTHERWISE)
        project.run()  # comes as far as the test, for which there is no gateway yet
        port = free_port()
        with serving(project, "--control-port", str(port), page=True, SECRET=SECRET) as gateway:
            run, said = _inconclusive(project, gateway, letters)
            letter = until(lambda: _of_a_question(letters), "somebody is told")
    return Waters(project, run, letter["data"]["review"], port, said, letter)


def free_port() -> int:
    """One that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _edit(project: Project, address: str) -> None:
    """Seconds instead of 48 hours, of all requests; and somebody who is told."""
    text = project.file.read_text()
    text = text.replace(
        "traffic_percentage: 5", "traffic_percentage: 100\n          errors_percent: 3"
    )
    text = text.replace("duration_hours: 48", f"duration_hours: {SHADOW_S / 3600:.6f}")
    webhook = f"{{webhook: {{url: '{address}', secret_env: SECRET}}}}"
    project.file.write_text(f"{text}notify: {{allow_private: true, channels: [{webhook}]}}\n")


def _inconclusive(
    project: Project, gateway: Gateway, letters: list[dict[str, Any]]
) -> tuple[str, dict[str, tuple[int, int]]]:
    """Requests of which just so many differ as are allowed: the test can say neither yes nor no."""
    pool = np.random.default_rng(5).normal(size=(60_000, 3)).round(3).astype(np.float32)
    good, other = (_answers(project, each, pool) for each in (GOOD, CANDIDATE))
    places, said = _mixed(good != other, _limit(project)), {}
    driven = project.run()  # from now on time counts
    assert driven.exit_code == 4, driven.document
    for number, place in enumerate(places):
        if _of_a_question(letters):
            break
        gateway.infer(pool[place].tolist(), identity=f"r{number}")
        said[f"r{number}"] = (int(good[place]), int(other[place]))
        time.sleep(PACE_S)
    return str(driven.document["run"]), said


def _limit(project: Project) -> float:
    """The share of answers that may differ: as many as offline, and the margin."""
    table = np.genfromtxt(
        project.folder / "data" / "validation_data.csv", delimiter=",", names=True
    )
    rows = np.stack([table[name] for name in COLUMNS], axis=1).astype(np.float32)
    good, other = (_answers(project, each, rows) for each in (GOOD, CANDIDATE))
    return float((good != other).mean()) + MARGIN


def _mixed(apart: NDArray[np.bool_], share: float) -> Iterator[int]:
    """Places of rows, of any beginning of which that share is answered otherwise."""
    differing, alike = iter(np.flatnonzero(apart)), iter(np.flatnonzero(~apart))
    for number in range(len(apart)):
        due = int((number + 1) * share) > int(number * share)
        yield int(next(differing if due else alike))


def _answers(project: Project, version: int, rows: NDArray[np.float32]) -> NDArray[Any]:
    with project.stores() as stores:
        found = stores.registry.version(MODEL, version)
        manifest: Any = stores.registry.manifest(found)
        file = stores.registry.file(found, "model.onnx")
        model = Model.load(file, Signature.from_json(manifest["signature"]))
    answered: NDArray[Any] = model.predict(dict(zip(COLUMNS, rows.T, strict=True))).label
    return answered


def _of_a_question(letters: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((each for each in letters if each["data"]["kind"] == "review_opened"), None)


@contextmanager
def _office() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Where letters arrive; its address, and what has arrived."""
    letters: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            letters.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", letters
    finally:
        server.shutdown()
        server.server_close()
