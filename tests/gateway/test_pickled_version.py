"""A version that is kept pickled, behind a gateway: it may crash and hang, and nobody else does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pytest

from running import COLUMNS, MODEL, ROW, Project, body_of, serving, until
from seatrial import workspace
from seatrial.gateway.apart import MOST_WAITING
from seatrial.gateway.counts import Book
from seatrial.gateway.loading import Ready, Refused, load
from seatrial.inference import golden
from seatrial.inference.pickled import Pickled
from seatrial.inference.signature import Input, Signature
from seatrial.ledger.blobs import Blobs
from seatrial.registry.project import open_project
from seatrial.registry.registry import Move

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.gateway.loading import Offered

cloudpickle.register_pickle_by_value(sys.modules[__name__])

SIGNATURE = Signature(tuple(Input(name, "FP32") for name in COLUMNS), "classes", (0, 1))
CRASHES, RAISES, SLEEPS = 1002.0, 1003.0, 1004.0


class Certain:
    """1 where the first feature is above 0; some values of it are too much for it."""

    def predict(self, features: Any) -> Any:
        first = features["feature_1"]
        if (first == CRASHES).any():
            os.kill(os.getpid(), signal.SIGSEGV)
        if (first == SLEEPS).any():
            time.sleep(2)
        if (first == RAISES).any():
            raise LookupError("no such thing")
        return (first > 0).astype(int)

    def predict_proba(self, features: Any) -> Any:
        one = self.predict(features).astype(float)
        return np.column_stack([1 - one, one])


class Refusing(Certain):
    """Answers what it was seen to answer, but not twice."""

    def predict(self, features: Any) -> Any:
        return np.ones(len(features["feature_1"]), int)


def manifest_of(blobs: Blobs, model: object, *, proven: object = None) -> dict[str, Any]:
    """The manifest of a version, its files kept; ``proven`` is what made the golden rows."""
    head = b'{"features": "columns"}\n'
    opened = Pickled.open(head + cloudpickle.dumps(proven or model), SIGNATURE)
    columns = np.random.default_rng(1).normal(size=(3, 50)).astype(np.float32)
    rows = golden.make(opened, dict(zip(COLUMNS, columns, strict=True)), seed=1)
    opened.close()
    content = blobs.put(head + cloudpickle.dumps(model))
    files = {"model.pickle": content, "golden.json": blobs.put(rows)}
    return {"files": files, "signature": SIGNATURE.to_json(), "trust": "pickle"}


def kept(blobs: Blobs, manifest: Mapping[str, object]) -> str:
    return blobs.put(json.dumps(manifest).encode())


def wanted(*digests: str) -> dict[str, Any]:
    """What a supervisor would want: versions 1, 2, … of one model."""
    versions = [{"version": at, "digest": digest} for at, digest in enumerate(digests, 1)]
    settings = {"max_body_mb": 1}
    return {"models": [{"name": "m", "index": 0, "versions": versions, "settings": settings}]}


def pid_of(ready: Ready) -> int:
    columns = ready.served.columns
    assert isinstance(columns, Pickled)
    assert columns._child is not None
    return columns._child.process.pid


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_worker_that_drops_a_version_ends_its_process(tmp_path: Path) -> None:
    blobs, book = Blobs(tmp_path / "blobs"), Book()
    digest = kept(blobs, manifest_of(blobs, Certain()))
    offered: dict[str, Offered] = {}
    offered, refused = load(wanted(digest), offered, blobs, book)
    assert not refused
    pid = pid_of(offered["m"].versions[1])
    answer = offered["m"].versions[1].served.answer(np.array([[1, 0, 0], [-1, 0, 0]], np.float32))
    assert answer.label.tolist() == [1, 0]
    # what stays wanted stays the same process
    offered, _ = load(wanted(digest, digest), offered, blobs, book)
    assert pid_of(offered["m"].versions[1]) == pid
    other = pid_of(offered["m"].versions[2])
    assert other != pid
    offered, _ = load(wanted(), offered, blobs, book)
    assert is_gone(pid)
    assert is_gone(other)


def test_a_version_that_its_manifest_does_not_trust_is_not_opened(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    manifest = manifest_of(blobs, Certain())
    del manifest["trust"]
    _, (refused,) = load(wanted(kept(blobs, manifest)), {}, blobs, Book())
    assert isinstance(refused, Refused)
    assert refused.kind == "failed"
    assert "does not say `trust: pickle`" in refused.reason


def proof(home: Path, digest: str) -> dict[str, str]:
    """What the supervisor is told before any worker opens a version."""
    words = ["--home", str(home), "--model", "m", "--version", "1", "--digest", digest]
    command = [sys.executable, "-m", "seatrial.gateway.proving", *words]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return dict(json.loads(told.splitlines()[-1]))  # what it knows by then, line by line


def test_it_is_proven_before_a_worker_opens_it(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    assert proof(tmp_path, kept(blobs, manifest_of(blobs, Certain()))) == {
        "kind": "ready",
        "reason": "",
    }
    other = manifest_of(blobs, Refusing(), proven=Certain())
    told = proof(tmp_path, kept(blobs, other))
    assert told["kind"] == "refused"
    assert "answers otherwise here" in told["reason"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a pickled version in production."""
    made = Project(tmp_path)
    made.home.mkdir()
    stores = open_project(workspace.at(tmp_path))
    manifest = manifest_of(stores.registry.blobs, Certain())
    version = stores.registry.register(MODEL, manifest, label="{version}", run="r", by="me")
    stores.registry.move(
        Move(
            model=MODEL,
            channel="production",
            version=version.version,
            expect=0,
            event="promote",
            reason="a test",
            by="me",
        )
    )
    stores.ledger.close()
    return made


@pytest.mark.slow
def test_a_gateway_serves_it_and_lives_on_when_it_does_not(project: Project) -> None:
    with serving(project) as gateway:

        def ask(first: float) -> tuple[int, Any]:
            features = [
                {"name": n, "shape": [1], "datatype": "FP32", "data": [first]} for n in COLUMNS
            ]
            path = f"/v2/models/{MODEL}/infer"
            return gateway.ask("POST", path, json.dumps({"inputs": features}))

        status, told = ask(0.5)
        assert status == 200
        assert [each["data"] for each in told["outputs"]] == [[1], [0.0, 1.0]]
        assert gateway.infer(ROW, [-1.0, 0, 0])["outputs"][0]["data"] == [1, 0]
        for value in (RAISES, CRASHES):
            status, told = ask(value)
            assert status == 500
            assert "could not answer this request" in told["error"]
            assert ask(-0.5)[1]["outputs"][0]["data"] == [0]
        faults = [line for line in gateway.logged() if line["event"] == "fault"]
        assert ["no such thing" in line["error"] for line in faults] == [True, False]
        assert "SIGSEGV" in faults[1]["error"]
        # the worker that asked is the same as before
        assert not [line for line in gateway.logged() if line["event"] == "died"]
        served = children(project.home)
        assert served
    until(lambda: all(map(is_gone, served)), "what the gateway started has ended")


@pytest.mark.slow
def test_while_it_takes_its_time_others_are_answered_and_few_wait(project: Project) -> None:
    """Its only worker answers other requests; whoever would wait too long is told at once."""
    with serving(project, "--workers", "1") as gateway:
        path = f"/v2/models/{MODEL}/infer"
        statuses: list[int] = []

        def ask_slowly() -> None:
            client = gateway.client()
            with closing(client.connection), suppress(OSError, HTTPException):  # it is stopped
                statuses.append(client.ask("POST", path, body_of([SLEEPS, 0, 0]))[0])

        slow = [threading.Thread(target=ask_slowly) for _ in range(MOST_WAITING + 3)]
        for thread in slow:
            thread.start()
        until(lambda: len(statuses) == 3, "those over the limit are refused")
        assert statuses == [503] * 3
        assert gateway.ask("GET", "/v2/health/live")[0] == 200
        assert statuses == [503] * 3  # told before any of the others was
        until(lambda: len(statuses) > 3, "the first of them is answered")
        assert statuses[3] == 200
    for thread in slow:
        thread.join()


def children(home: Path) -> list[int]:
    """Processes of pickled models that run now and belong to a worker of this gateway."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            ours = str(home).encode() in Path(f"/proc/{parent}/cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if b"pickled_child.py" in command and ours:
            found.append(int(entry.name))
    return found
