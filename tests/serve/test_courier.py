"""The courier as a process of its own: it tells, ends when told to, and may be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from running import until
from seatrial import workspace
from seatrial.ledger.store import Ledger
from seatrial.notify.outbox import Message, post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA=="


@dataclass(slots=True)
class Post:
    """A project folder with one channel, who it tells, and the couriers that were started."""

    folder: Path
    ledger: Ledger
    port: int
    got: list[dict[str, Any]]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def write(self, path: str = "hook") -> None:
        (self.folder / "pipeline.yaml").write_text(
            "name: delays\nstages: [{name: first, tasks: [promote]}]\n"
            "notify:\n  allow_private: true\n  channels:\n"
            f"    - webhook: {{url: 'http://127.0.0.1:{self.port}/{path}', secret_env: SECRET}}\n"
        )

    def tell(self, key: str) -> None:
        message = Message(kind="promoted", key=key, model="delays", text=f"{key}.", data={})
        self.ledger.write(lambda transaction: post(transaction, message))

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "courier.log").open("ab") as log:
            process = subprocess.Popen(
                (sys.executable, "-m", "seatrial.serve.courier", "--folder", self.folder),
                stderr=log,
                env={**os.environ, "SECRET": KEY},
            )
        self.processes.append(process)
        return process

    def texts(self) -> list[str]:
        return [event["data"]["text"] for event in self.got]

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = (self.folder / "courier.log").read_text().splitlines()
        return [told for told in map(json.loads, lines) if told["event"] == event]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Post]:
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    place = workspace.at(tmp_path)
    made = Post(tmp_path, Ledger(place.ledger, place.clock), server.server_address[1], got)
    made.write()
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
    made.ledger.close()
    server.shutdown()
    server.server_close()


def test_what_is_decided_while_it_runs_is_told_and_sigterm_ends_it(office: Post) -> None:
    process = office.start()
    office.tell("delays/1")
    until(lambda: office.texts() == ["delays/1."], "it is told")
    office.tell("delays/2")
    until(lambda: office.texts() == ["delays/1.", "delays/2."], "this too")
    until(lambda: len(office.logged("told")) == 2, "both are noted")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert KEY not in (office.folder / "courier.log").read_text()


def test_an_edited_file_counts_and_a_broken_one_loses_nothing(office: Post) -> None:
    office.start()
    office.tell("delays/1")
    until(lambda: office.got, "it is told")
    (office.folder / "pipeline.yaml").write_text("stages: [\n")
    office.tell("delays/2")
    office.write()
    until(lambda: "delays/2." in office.texts(), "it is told once the file is whole again")


def test_two_at_once_and_one_is_killed(office: Post) -> None:
    both = [office.start(), office.start()]
    for number in range(5):
        office.tell(f"delays/{number}")
    until(lambda: len(office.logged("told")) == 5, "all are told")
    assert sorted(office.texts()) == [f"delays/{number}." for number in range(5)]
    owner = office.logged("told")[0]["pid"]
    os.kill(owner, signal.SIGKILL)
    assert owner in {process.pid for process in both}
    office.tell("delays/5")
    until(lambda: "delays/5." in office.texts(), "the other goes on")


def test_it_ends_when_its_parent_is_gone(office: Post) -> None:
    program = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'seatrial.serve.courier',"
        f" '--folder', {str(office.folder)!r}], stderr=sys.stderr)\n"
        "time.sleep(60)\n"
    )
    reading, writing = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stderr=writing, env={**os.environ, "SECRET": KEY}
    )
    os.close(writing)
    office.tell("delays/1")
    until(lambda: office.got, "it is at work")
    parent.kill()
    parent.wait()
    with open(reading, "rb") as theirs:  # noqa: PTH123 - a pipe: at its end once they are gone
        theirs.read()


def test_a_ledger_of_somebody_else_is_refused(office: Post) -> None:
    office.ledger.close()
    (office.folder / ".seatrial" / "ledger.db").write_text(
        "not a database, but long enough to look"
    )
    process = office.start()
    assert process.wait(timeout=30) == 2
    (told,) = office.logged("ledger_unusable")
    assert "not a ledger of seatrial" in told["error"]
