"""What must not reach a request: versions that crash, clocks that jump, a ledger that is away."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from running import MODEL, body_of, serving, until
from seatrial.registry import gateways

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each

FAULTS = Path(__file__).parents[1] / "faults"


def deaths(gateway: Gateway) -> list[str]:
    return [line["child"] for line in gateway.logged() if line["event"] == "died"]


@pytest.mark.parametrize(("fault", "state"), [("segv", "refused"), ("raise", "failed")])
def test_staged_version_that_cannot_be_opened_hurts_nobody(
    delivered: Project, fault: str, state: str
) -> None:
    path = str(FAULTS / "opening_faults")
    with serving(
        delivered, PYTHONPATH=path, SEATRIAL_OPENING=fault, SEATRIAL_OPENED="2"
    ) as gateway:
        assert delivered.retrain(seed=31) == 2

        def said() -> gateways.Readiness | None:
            with delivered.stores() as stores:
                told = gateways.readiness(stores.ledger, MODEL, 2)
            return told.get(gateway.identity)

        readiness = until(said, "the gateway says what it thinks of version 2")
        assert readiness.state == state
        assert ("SIGSEGV" if fault == "segv" else "does not like") in str(readiness.reason)
        assert delivered.command("promote", MODEL, "2", "--reason", "try").returncode == 5
        assert gateway.version() == 1
        assert not deaths(gateway)


def test_clock_that_jumps_ends_nothing(delivered: Project) -> None:
    path = str(FAULTS / "clock_faults")
    with serving(delivered, "--workers", "2", PYTHONPATH=path, SEATRIAL_JUMP_S="7200") as gateway:
        ends = time.monotonic() + 5
        while time.monotonic() < ends:
            assert gateway.version() == 1
            time.sleep(0.02)
        assert not deaths(gateway)
        until(lambda: gateway.metrics().get("seatrial_log_written_total", 0) > 50, "it is logged")


def test_ledger_that_comes_back_from_a_backup_is_seen(delivered: Project) -> None:
    ledger = delivered.home / "ledger.db"
    assert delivered.retrain(seed=33) == 2
    with sqlite3.connect(ledger) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    opened.close()
    backup = Path(shutil.copy(ledger, delivered.folder / "backup.db"))
    with serving(delivered) as gateway:
        for file in delivered.home.glob("ledger.db*"):
            file.unlink()
        until(lambda: "ledger_unreadable" in [x["event"] for x in gateway.logged()], "it is told")
        assert gateway.version() == 1
        shutil.copy(backup, ledger)
        until(lambda: "ledger_replaced" in [x["event"] for x in gateway.logged()], "it is seen")
        said = delivered.command("promote", MODEL, "2", "--reason", "on")
        assert said.returncode == 0, said.stderr
        assert "1 gateway serves it" in said.stdout
        assert gateway.version() == 2


def test_serves_although_the_ledger_is_locked_from_the_start(delivered: Project) -> None:
    locked = sqlite3.connect(delivered.home / "ledger.db", isolation_level=None)
    locked.execute("BEGIN IMMEDIATE")
    try:
        with serving(delivered) as gateway:
            assert gateway.version() == 1
            began = time.monotonic()
            gateway.connection.close()
            gateway.process.send_signal(signal.SIGTERM)
            assert gateway.process.wait(timeout=20) == 0
            assert time.monotonic() - began < 8
    finally:
        locked.execute("ROLLBACK")
        locked.close()


def test_serves_on_when_nobody_reads_what_it_prints(delivered: Project) -> None:
    """`seatrial serve 2>/dev/full | head -1`, under nohup."""
    with Path("/dev/full").open("w") as full:
        process = subprocess.Popen(
            ["nohup", sys.executable, "-m", "seatrial", "serve", "--port", "0"],
            cwd=delivered.folder,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
        )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().partition("127.0.0.1:")[2].split()[0])
        process.stdout.close()
        os.kill(process.pid, signal.SIGHUP)

        def answered() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("POST", f"/v2/models/{MODEL}/infer", body_of([0, 0, 0]))
                return connection.getresponse().status == 200
            finally:
                connection.close()

        until(answered, "it answers")
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=20)


ODD: tuple[tuple[bytes, dict[str, str], int], ...] = (
    (b"x" * (17 << 20), {}, 413),
    (b"{}", {"inference-header-content-length": "9" * 5000}, 400),
    (b"{}", {"content-encoding": "br"}, 415),
    (b"{}", {"content-encoding": "GZIP"}, 400),
    (body_of([0, 0, 0]).encode(), {"x-request-id": "i" * 300}, 400),
    (b"\xff\xfe", {}, 400),
)


def test_odd_requests_get_an_answer(delivered: Project) -> None:
    with serving(delivered) as gateway:
        for body, headers, status in ODD:
            found, told = gateway.ask("POST", f"/v2/models/{MODEL}/infer", body, headers)
            assert (found, bool(told["error"])) == (status, True), (headers, told)
            assert gateway.version() == 1
        slash, told = gateway.ask("POST", f"/v2/models/{MODEL}/infer/", body_of([0, 0, 0]))
        assert (slash, "slash" in told["error"]) == (404, True)
