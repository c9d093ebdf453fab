"""`seatrial serve` from start to stop: what answers, what survives, what is left."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from running import MODEL, body_of, serving, until

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each


def children(gateway: Gateway) -> dict[str, int]:
    """The processes that run now, by name."""
    running: dict[str, int] = {}
    for line in gateway.logged():
        if line["event"] == "started":
            running[line["child"]] = line["child_pid"]
    return running


def gone(pid: int) -> bool:
    return (
        not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]
    )


def test_version_in_production_answers(delivered: Project) -> None:
    with serving(delivered) as gateway:
        told = gateway.infer([0.5, 0.5, 0.5], [-2.0, -2.0, 0.0], identity="mine")
        assert (told["model_name"], told["model_version"], told["id"]) == (MODEL, "1", "mine")
        outputs = {output["name"]: output for output in told["outputs"]}
        assert outputs["label"]["data"] == [1, 0]
        assert outputs["probabilities"]["shape"] == [2, 2]


def test_named_columns_and_matrix_get_the_same_answer(delivered: Project) -> None:
    named = [
        {"name": f"feature_{i}", "shape": [1], "datatype": "FP32", "data": [value]}
        for i, value in enumerate((0.5, -0.25, 0.75), start=1)
    ]
    with serving(delivered) as gateway:
        status, told = gateway.ask(
            "POST", f"/v2/models/{MODEL}/infer", json.dumps({"inputs": named})
        )
        assert status == 200
        assert told["outputs"] == gateway.infer([0.5, -0.25, 0.75])["outputs"]
        assert len(told["id"]) == 36


def test_before_the_first_delivery_it_is_not_ready_and_then_serves(delivered: Project) -> None:
    ledger = delivered.home / "ledger.db"
    aside = delivered.folder / "aside"
    delivered.home.rename(aside)
    with serving(delivered, wait=False) as gateway:
        until(lambda: gateway.ask("GET", "/v2/health/live")[0] == 200, "it listens")
        assert gateway.ask("GET", "/v2/health/ready")[0] == 400
        path, body = f"/v2/models/{MODEL}/infer", body_of([0, 0, 0])
        until(lambda: gateway.ask("POST", path, body)[0] == 404, "it has read the registry")
        assert "no model" in gateway.ask("POST", path, body)[1]["error"]
        assert ledger.exists()
        delivered.deliver()
        until(gateway.ready, "the first version serves")
        assert gateway.version() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_at_once_and_leaves_nothing(delivered: Project, number: signal.Signals) -> None:
    with serving(delivered, "--workers", "2") as gateway:
        gateway.infer()
        running = children(gateway)
        assert {"worker 0", "worker 1", "writer", "scheduler"} <= set(running)
        began = time.monotonic()
        gateway.process.send_signal(number)
        assert gateway.process.wait(timeout=10) == 0
        assert time.monotonic() - began < 6  # the promise is 5 s
        assert all(gone(pid) for pid in running.values())
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", gateway.port), timeout=1).close()


def test_request_under_way_is_answered_before_it_stops(delivered: Project) -> None:
    with serving(delivered) as gateway:
        body = body_of([0.1, 0.2, 0.3]).encode()
        half = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
        head = f"POST /v2/models/{MODEL}/infer HTTP/1.1\r\nhost: x\r\n"
        half.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body[:20])
        time.sleep(0.2)
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        half.sendall(body[20:])
        assert half.recv(4096).startswith(b"HTTP/1.1 200")
        half.close()
        assert gateway.process.wait(timeout=10) == 0


def test_killed_supervisor_takes_its_processes_along(delivered: Project) -> None:
    with serving(delivered) as gateway:
        running = children(gateway)
        gateway.process.kill()
        gateway.process.wait()
        until(lambda: all(gone(pid) for pid in running.values()), "the children end", 10)
    with serving(delivered) as gateway:
        assert gateway.version() == 1


@pytest.mark.parametrize("name", ["worker 0", "writer", "scheduler"])
def test_dead_child_is_started_again(delivered: Project, name: str) -> None:
    answered = f'seatrial_requests_total{{model="{MODEL}",version="1"}}'
    with serving(delivered) as gateway:
        gateway.infer()
        until(lambda: gateway.metrics().get(answered), "the request is counted")
        pid = until(lambda: children(gateway).get(name), f"{name} runs")
        os.kill(pid, signal.SIGKILL)
        until(lambda: children(gateway)[name] != pid, f"{name} is started again")
        gateway.connection.close()
        until(gateway.ready, "the gateway is ready")
        assert gateway.version() == 1
        assert gateway.metrics()[answered] >= 1


def test_port_in_use_is_told(delivered: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = delivered.command("serve", "--port", str(taken.getsockname()[1]))
    assert said.returncode == 5
    assert "cannot listen on 127.0.0.1" in said.stderr
    assert len(said.stderr.strip().splitlines()) <= 6


def test_serves_on_while_the_ledger_is_locked(delivered: Project) -> None:
    with serving(delivered) as gateway:
        locked = sqlite3.connect(delivered.home / "ledger.db", isolation_level=None)
        locked.execute("BEGIN EXCLUSIVE")
        try:
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                assert gateway.version() == 1
        finally:
            locked.execute("ROLLBACK")
            locked.close()
        version = delivered.retrain(seed=5)
        assert version == 2


def test_serves_on_when_the_ledger_is_gone(delivered: Project) -> None:
    with serving(delivered) as gateway:
        for file in delivered.home.glob("ledger.db*"):
            file.unlink()
        time.sleep(0.5)
        assert gateway.version() == 1


def test_two_gateways_share_a_registry(delivered: Project) -> None:
    with serving(delivered) as one, serving(delivered) as other:
        assert one.version() == other.version() == 1
        delivered.retrain(seed=7)
        staged = delivered.command("promote", MODEL, "2", "--reason", "both must have it")
        assert staged.returncode == 0, staged.stderr
        assert "2 gateways" in staged.stdout
        assert one.version() == other.version() == 2


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_load_of_wrk_loses_no_request(delivered: Project) -> None:
    body = body_of([0.5, -0.25, 0.75]).replace('"', '\\"')
    script = delivered.folder / "post.lua"
    script.write_text(f'wrk.method = "POST"\nwrk.body = "{body}"\n')
    with serving(delivered, "--workers", "2") as gateway:
        url = f"http://{gateway.address}/v2/models/{MODEL}/infer"
        said = subprocess.run(
            ["wrk", "-t1", "-c16", "-d2s", "-s", str(script), url],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        answered = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
        assert answered > 100
        assert "Non-2xx" not in said
        assert "Socket errors" not in said
        counted = f'seatrial_requests_total{{model="{MODEL}",version="1"}}'
        until(lambda: gateway.metrics()[counted] >= answered, "all are counted")


def test_concurrent_requests_on_many_connections(delivered: Project) -> None:
    failures: list[Exception] = []
    answered: list[str] = []

    def ask(gateway: Gateway) -> None:
        try:
            answered.extend(gateway.infer()["model_version"] for _ in range(100))
        except (OSError, AssertionError, http.client.HTTPException) as error:
            failures.append(error)

    with serving(delivered, "--workers", "2") as gateway:
        clients = [gateway.client() for _ in range(8)]
        threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in clients:
            client.connection.close()
        assert not failures
        assert answered == ["1"] * 800
        until(
            lambda: (
                gateway.metrics().get(f'seatrial_requests_total{{model="{MODEL}",version="1"}}')
                == 800
            ),
            "every request is counted once",
        )
