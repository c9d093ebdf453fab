"""``seatrial status --watch``: what is drawn, and how it behaves on a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from seatrial.cli._live import Now, drawn
from seatrial.outcome import Direction, Measure, Verdict
from seatrial.registry.gateways import Gateway
from seatrial.report.evidence_now import Seen, Standing
from seatrial.serve.pulse import Beat
from seatrial.serve.throughput import Throughput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Program

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER = "2026-11-26T14:05:00+00:00"
GATEWAY = Gateway(id="g", host="h", pid=1, address="http://127.0.0.1:8080", workers=1)
HOSTILE = "\x1b[2J[bold red]\u202ename\n"
MODEL = {"name": "late", "production": 3, "staging": 4, "since": LATER, "why": "all gates passed"}
EMPTY = Now(
    at=AT,
    folder="/srv/flights",
    status={"models": [], "reviews": []},
    beats=(),
    more=0,
    traffic={},
    evidence=(),
    runs=(),
    notes=(),
)
SERVING = replace(EMPTY, status={"models": [MODEL], "reviews": []})
DEGRADED = Measure(
    name="degradation.accuracy", value=0.031, low=0.011, high=0.052, limit=0.05,
    direction=Direction.AT_MOST, n=412, verdict=Verdict.INCONCLUSIVE,
)  # fmt: skip
STANDING = Standing(
    kind="watch", model="late", version=3, against=2, until=LATER, said="412 labels",
    seen=(Seen(measure=DEGRADED, towards=0.5),),
)  # fmt: skip


def shown(now: Now, width: int = 120) -> str:
    file = StringIO()
    Console(file=file, width=width, highlight=False).print(drawn(now))
    return file.getvalue()


def task(name: str, state: str, verdict: str | None = None, reason: str = "") -> dict[str, Any]:
    until = LATER if state == "waiting" else None
    known = {"task": name, "state": state, "verdict": verdict, "reason": reason}
    return {**known, "waiting_until": until}


def test_before_the_first_model() -> None:
    assert "no model yet" in shown(EMPTY)
    assert "q ends" in shown(EMPTY)


def test_who_serves_and_how_much() -> None:
    did = Throughput(per_s=80.6, errors_percent=0.25, p50_ms=0.68, p95_ms=1.0, p99_ms=None)
    earlier = Throughput(per_s=999.0, errors_percent=0.0, p50_ms=1.0, p95_ms=1.0, p99_ms=1.0)
    beats = [Beat(GATEWAY, None, trouble="no answer within 0.3 s"), Beat(GATEWAY, None)]
    told = shown(
        replace(SERVING, traffic={("late", 3): did, ("late", 2): earlier}, beats=beats, more=2)
    )
    assert re.search(
        r"late +3 \(staged: 4\) +2026-11-26 14:05 +80\.6 +0\.25 % +0\.68 ms +- +all", told
    )
    assert "999" not in told
    assert "gateway http://127.0.0.1:8080 is away: no answer within 0.3 s" in told
    assert "gateway http://127.0.0.1:8080: counting" in told
    assert "2 more gateways are not in these numbers" in told


def test_nobody_serves_without_a_gateway() -> None:
    assert "no gateway is running: `seatrial serve` starts one" in shown(SERVING)


def test_a_run_stands_at_a_stage_and_says_why() -> None:
    waits = task("shadow_tests", "waiting", None, "comparing live answers")
    stages = [
        {"name": "train_model", "verdict": "pass", "tasks": [task("train", "done", "pass")]},
        {"name": "evaluate_model", "verdict": None, "tasks": [waits]},
        {"name": "deploy_model", "verdict": None, "tasks": [task("promote", "not_reached")]},
    ]
    run = {"run": "01M8", "pipeline": "late", "stages": stages, "errors": ["store\n  fix: x"]}
    told = shown(replace(SERVING, runs=[run] * 8))
    assert "✓ train_model pass > … evaluate_model waiting > · deploy_model not reached" in told
    assert (
        "evaluate_model.shadow_tests waits: comparing live answers,"
        " until 2026-11-26 14:05 UTC (in 2 h 05 min)" in told
    )
    assert "… and 2 more" in told


def test_evidence_against_its_bars() -> None:
    differing = replace(DEGRADED, name="disagreement", value=0.09, limit=0.07)
    unknown = replace(DEGRADED, name="loss", value=None, low=None, high=None)
    seen = (
        *STANDING.seen,
        Seen(measure=differing, towards=None),
        Seen(measure=unknown, towards=None),
    )
    told = shown(replace(SERVING, evidence=[replace(STANDING, seen=seen)]), 160)
    assert "late version 3 beside 2 · watch until 2026-11-26 14:05 UTC (in 2 h 05 min)" in told
    assert "degradation.accuracy 0.031 (0.011 … 0.052), limit 0.05, inconclusive" in told
    assert f"{'█' * 12}{'░' * 12} 50 % of what a rollback needs" in told
    assert f"{'█' * 24} 100 % of what is allowed" in told
    assert "loss -, limit 0.05" in told


@pytest.mark.parametrize("width", [20, 40, 200])
def test_what_people_wrote_steers_nothing(width: int) -> None:
    review = {"id": HOSTILE, "due": LATER, "on_timeout": HOSTILE, "question": HOSTILE}
    model = {**MODEL, "name": HOSTILE, "why": HOSTILE}
    run = {"run": "01M8", "pipeline": HOSTILE, "errors": [HOSTILE], "stages": [
        {"name": HOSTILE, "verdict": None, "tasks": [task(HOSTILE, "waiting", None, HOSTILE)]}
    ]}  # fmt: skip
    now = replace(
        EMPTY,
        folder=HOSTILE,
        status={"models": [model], "reviews": [review]},
        beats=[Beat(GATEWAY, None, trouble=HOSTILE)],
        evidence=[replace(STANDING, said=HOSTILE)],
        runs=[run],
        notes=[HOSTILE],
    )
    told = shown(now, width)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert max(map(len, told.splitlines())) <= width
    if width == 200:
        assert r"\x1b[2J[bold red]\u202ename\n" in told


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--watch"], "needs a terminal, and this is none"),
        (["--watch", "--json"], "choose one"),
        (["--every", "2"], "--every belongs to --watch"),
        (["--watch", "--every", "0"], "0 is not in the range"),
    ],
)
def test_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program, words: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = seatrial("status", *words)
    assert (said.code, says in said.err) == (2, True), said.err
    assert said.out == ""
    assert not [*tmp_path.iterdir()]


@dataclass(slots=True)
class Terminal:
    """A program on a terminal of its own, and what it has shown so far."""

    program: subprocess.Popen[bytes]
    fd: int
    shown: str = ""

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, said: str) -> None:
        """Look until that was shown since the last call; it is an error when the program ends."""
        while said not in self.shown:
            assert self._read(), self.shown
        self.shown = self.shown.rpartition(said)[2]

    def code(self) -> int:
        """How it ends, within a minute."""
        ends = time.monotonic() + 60
        while self._read():
            assert time.monotonic() < ends, "it goes on"
        return self.program.wait(60)

    def _read(self) -> bool:
        if not select.select([self.fd], [], [], 60)[0]:
            return False
        try:
            found = os.read(self.fd, 1 << 16)
        except OSError:  # the other side has closed
            return False
        self.shown += found.decode(errors="replace")
        return bool(found)


@contextmanager
def watching(folder: Path) -> Iterator[Terminal]:
    keyboard, theirs = pty.openpty()
    words = [sys.executable, "-m", "seatrial", "status", "--watch", "--every", "0.5"]
    # who leads a session and opens a terminal gets signals from its keys
    opens = ["sh", "-c", 'exec "$@" <"$0" >"$0" 2>&1', os.ttyname(theirs), *words]
    with subprocess.Popen(
        opens,
        cwd=folder,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color", "PYTHONUTF8": "1"},
    ) as program:
        terminal = Terminal(program, keyboard)
        terminal.resize(30, 100)
        terminal.until("\x1b[?1049h")
        os.close(theirs)
        try:
            yield terminal
        finally:
            program.kill()
            os.close(keyboard)


LEFT = "\x1b[?1049l"
"""What gives the terminal back as it was."""


@pytest.mark.slow
def test_on_a_terminal(tmp_path: Path) -> None:
    with watching(tmp_path) as terminal:
        terminal.until("q ends")
        terminal.until("no model yet")
        terminal.type("x")
        terminal.resize(10, 40)
        terminal.until("no model yet")
        (tmp_path / ".seatrial" / "ledger.db").write_bytes(b"no ledger" * 1000)
        terminal.until("q ends")
        terminal.type("q")
        assert terminal.code() == 0
        assert LEFT in terminal.shown


@pytest.mark.slow
def test_ctrl_c_ends_it_as_well(tmp_path: Path) -> None:
    with watching(tmp_path) as terminal:
        terminal.until("no model yet")
        terminal.type("\x03")
        assert terminal.code() == 0
        assert LEFT in terminal.shown
        assert "stopped" not in terminal.shown
