"""Versions change under load: nothing fails, and after a commit nobody meets the old version."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from running import MODEL, serving, until
from seatrial.registry import gateways
from seatrial.registry.registry import PRODUCTION, Move

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each


@pytest.fixture
def two_versions(delivered: Project) -> Project:
    """Version 1 in production, version 2 staged."""
    assert delivered.retrain(seed=11) == 2
    return delivered


def move(project: Project, version: int) -> None:
    """Move production in the registry, as `promote` does."""
    with project.stores() as stores:
        at = stores.registry.channel(MODEL, PRODUCTION)
        assert at is not None
        stores.registry.move(
            Move(
                model=MODEL,
                channel=PRODUCTION,
                version=version,
                expect=at.revision,
                event="promote",
                by="test",
                reason="because",
            )
        )


def acknowledged(project: Project, version: int) -> dict[str, str]:
    """What each gateway has said of a version."""
    with project.stores() as stores:
        told = gateways.readiness(stores.ledger, MODEL, version)
    return {gateway: readiness.state for gateway, readiness in told.items()}


def test_staged_version_is_prepared_before_anybody_promotes_it(two_versions: Project) -> None:
    with serving(two_versions) as gateway:
        until(
            lambda: acknowledged(two_versions, 2).get(gateway.identity) == "ready",
            "version 2 is ready",
        )
        assert gateway.version() == 1
        assert gateway.infer(version=2)["model_version"] == "2"
        assert acknowledged(two_versions, 1)[gateway.identity] == "serving"


def test_promote_and_rollback_by_hand(two_versions: Project) -> None:
    with serving(two_versions) as gateway:
        said = two_versions.command("promote", MODEL, "2", "--reason", "it is better")
        assert said.returncode == 0, said.stderr
        # the command has returned: from now on every answer is version 2's
        assert gateway.version() == 2
        said = two_versions.command("rollback", MODEL, "--reason", "it is worse")
        assert said.returncode == 0, said.stderr
        assert gateway.version() == 1
        commits = [line for line in gateway.logged() if line["event"] == "committed"]
        # the version before stayed open: nobody had to prove it anew
        proven = [line["version"] for line in gateway.logged() if line["event"] == "proven"]
        assert proven.count(2) == 1
        assert proven.count(1) <= 1  # what answered at first is compared when there is time
        assert [(line["version"], line["before"]) for line in commits] == [
            (1, None),
            (2, 1),
            (1, 2),
        ]


def test_no_request_fails_while_versions_change(two_versions: Project) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    asked = [0]

    def ask(client: Gateway, *, keep_alive: bool) -> None:
        try:
            while not stop.is_set():
                client.version()
                asked[0] += 1
                if not keep_alive:
                    client.connection.close()
        except (OSError, AssertionError) as error:
            failures.append(error)

    with serving(two_versions, "--workers", "2") as gateway:
        until(lambda: "ready" in acknowledged(two_versions, 2).values(), "version 2 is ready")
        clients = [gateway.client() for _ in range(4)]
        threads = [
            threading.Thread(target=ask, args=(client,), kwargs={"keep_alive": bool(number % 2)})
            for number, client in enumerate(clients)
        ]
        for thread in threads:
            thread.start()
        for turn in range(20):
            version = 2 - turn % 2
            move(two_versions, version)
            until(lambda v=version: gateway.version() == v, f"version {version} answers")  # type: ignore[misc]
            assert all(gateway.version() == version for _ in range(20))
        stop.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.connection.close()
    assert not failures
    assert asked[0] > 100


def test_version_that_answers_otherwise_than_registered_is_refused(two_versions: Project) -> None:
    """A nack: production stays, and the promotion says why."""
    with two_versions.stores() as stores:
        registry = stores.registry
        manifest = registry.manifest(registry.version(MODEL, 2))
        golden = json.loads(registry.file(registry.version(MODEL, 2), "golden.json"))
        golden["probabilities"] = [[0.5, 0.5] for _ in golden["label"]]
        files: Any = manifest["files"]
        files = {**files, "golden.json": registry.blobs.put(json.dumps(golden).encode())}
        altered = {**manifest, "files": files}
        odd = registry.register(MODEL, altered, label="odd", run="x", by="test")
        assert odd.version == 3
    with serving(two_versions) as gateway:
        until(lambda: "refused" in acknowledged(two_versions, 3).values(), "it is refused")
        said = two_versions.command("promote", MODEL, "3", "--reason", "try")
        assert said.returncode != 0
        assert "version 3" in said.stderr
        assert "golden" in said.stderr
        assert gateway.version() == 1
        assert two_versions.command("status", "--json").stdout.count('"production": 1') == 1


def test_damaged_version_never_serves(two_versions: Project) -> None:
    with two_versions.stores() as stores:
        registry = stores.registry
        files = registry.manifest(registry.version(MODEL, 2))["files"]
        path = registry.blobs.path(files["model.onnx"])  # type: ignore[index]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with serving(two_versions) as gateway:
        until(lambda: "failed" in acknowledged(two_versions, 2).values(), "it cannot be opened")
        said = two_versions.command("promote", MODEL, "2", "--reason", "try")
        assert said.returncode == 5
        assert "no longer matches its digest" in said.stderr
        assert gateway.version() == 1


def test_previous_version_stays_loaded_unless_told_otherwise(two_versions: Project) -> None:
    with serving(two_versions) as gateway:
        two_versions.command("promote", MODEL, "2", "--reason", "on")
        assert gateway.infer(version=1)["model_version"] == "1"
    text = two_versions.file.read_text()
    two_versions.file.write_text(f"{text}\nserving: {{retain: disk}}\n")
    with serving(two_versions) as gateway:
        status, told = gateway.ask("GET", f"/v2/models/{MODEL}/versions/1")
        assert status == 404, told
        said = two_versions.command("rollback", MODEL, "--reason", "back")
        assert said.returncode == 0, said.stderr
        assert gateway.version() == 1


def test_worker_killed_in_the_middle_of_a_promotion(two_versions: Project) -> None:
    with serving(two_versions, "--workers", "2") as gateway:
        started = [line for line in gateway.logged() if line["event"] == "started"]
        pids = {line["child"]: line["child_pid"] for line in started}
        os.kill(pids["worker 1"], signal.SIGKILL)
        said = two_versions.command("promote", MODEL, "2", "--reason", "on")
        assert said.returncode == 0, said.stderr
        gateway.connection.close()
        for _ in range(50):
            assert gateway.version() == 2
            gateway.connection.close()
