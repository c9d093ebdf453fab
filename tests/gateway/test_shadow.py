"""A real shadow process beside real rings: what it counts, and that no death of it is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial.evidence.agreement import Tally, agreement
from seatrial.evidence.shadowing import judge
from seatrial.gateway.account import ATTEMPTS, DIED, Account
from seatrial.gateway.board import Board
from seatrial.gateway.ring import Ring
from seatrial.inference import golden
from seatrial.inference.session import Model
from seatrial.ledger.blobs import Blobs
from seatrial.models import Training, get
from seatrial.outcome import Verdict
from seatrial.traffic import record
from seatrial.traffic.sampling import sampled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FAULTS = Path(__file__).parents[1] / "faults" / "shadow_faults"
PATIENCE_S = 300.0
"""The process runs only when nobody else does: on a busy machine it takes its time."""

MODEL, TEST, CELL = "flights", "01RUN/beside.shadow_tests", 1
CLASSES = ("late", "on time")


def table(rows: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    carrier = random.choice(np.array(["UA", "DL", "Ärø", ""], dtype=object), rows)
    return {"delay": random.normal(size=rows).astype(np.float32), "carrier": carrier}


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as it lies among the blobs."""

    version: int
    digest: str
    model: Model


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Kept, Kept]:
    """A home with two versions that do not always agree."""
    home = tmp_path_factory.mktemp("home")
    return home, keep(home, 1, noise=0.1), keep(home, 2, noise=2.0)


def keep(home: Path, version: int, noise: float) -> Kept:
    features = table(300, seed=3)
    score = features["delay"] + np.random.default_rng(version).normal(scale=noise, size=300)
    target = np.where(score > 0, "late", "on time").astype(object)
    training = Training(features, target, "classes", CLASSES, {"n_estimators": 5}, 1)
    fitted = get("gradient_boosted").fit(training)
    exported = fitted.to_onnx()
    model = Model.load(exported, fitted.signature)
    put = Blobs(home / "blobs").put
    files = {"model.onnx": put(exported), "golden.json": put(golden.make(model, features, 1))}
    manifest = {"model": MODEL, "files": files, "signature": fitted.signature.to_json()}
    return Kept(version, put(json.dumps(manifest).encode()), model)


@dataclass(slots=True)
class Sea:
    """Rings with traffic, a board with one shadow test, and the process that runs it."""

    home: Path
    production: Kept
    candidate: Kept
    rings: list[Ring]
    board: Board = field(default_factory=lambda: Board.create(2))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, np.ndarray]]] = field(default_factory=list)

    def want(self, **changes: object) -> None:
        """Publish the shadow test."""
        entry = {
            "id": TEST,
            "model": MODEL,
            "version": self.candidate.version,
            "digest": self.candidate.digest,
            "against": self.production.version,
            "against_digest": self.production.digest,
            "share_percent": 100.0,
            "variance": None,
            "since_us": 0,
            "until_us": 1 << 62,
        }
        self.board.publish({"models": [], "shadows": [{**entry, **changes}]})

    def start(self, fault: str = "") -> subprocess.Popen[bytes]:
        """Start the process, and wait until it listens."""
        rings = [ring.fd for ring in self.rings]
        words = {"--board": self.board.fd, "--rings": ",".join(map(str, rings))}
        words |= {"--home": self.home, "--cell": CELL, "--shadow": TEST}
        paths = os.pathsep.join([str(FAULTS), os.environ.get("PYTHONPATH", "")])
        environment = {"PYTHONPATH": paths, "SEATRIAL_FAULT": fault}
        process = subprocess.Popen(
            [
                sys.executable,
                *("-m", "seatrial.gateway.shadow"),
                *(str(word) for pair in words.items() for word in pair),
            ],
            pass_fds=(self.board.fd, *rings),
            env={**os.environ, **environment},
        )
        self.processes.append(process)
        until(lambda: self.told().get("pid") == process.pid or process.poll() is not None)
        return process

    def restart_until(self, done: Callable[[], bool], fault: str) -> int:
        """What the supervisor does; how many processes it took."""
        started = 0
        while not done():
            process = self.start(fault)
            started += 1
            until(lambda process=process: done() or process.poll() is not None)  # type: ignore[misc]
        return started

    def put(self, count: int, ring: int = 0, at_us: int | None = None, rows: int = 1) -> None:
        """Requests that production answered."""
        head = record.head(MODEL, self.production.version, self.production.digest)
        for _ in range(count):
            name, features = f"r{len(self.asked)}", table(rows, len(self.asked))
            self.asked.append((name, features))
            answer = self.production.model.predict(features)
            at = time.time_ns() // 1000 if at_us is None else at_us
            raw = record.of_columns(head, at, 900, name.encode(), features, answer)
            self.rings[ring].put(raw)

    def told(self) -> dict[str, Any]:
        return self.board.read(CELL) or {}

    def tally(self) -> Tally:
        return Tally.from_json(self.told()["tally"])

    def reached(self, count: int) -> Tally:
        """The tally once so many requests were reached, and told by a process at rest."""
        until(lambda: self.tally().reached >= count and self.told()["scoring"] is None)
        return self.tally()


@pytest.fixture
def sea(versions: tuple[Path, Kept, Kept]) -> Iterator[Sea]:
    sea = Sea(*versions, [Ring.create(1 << 20), Ring.create(1 << 20)])
    sea.want()
    yield sea
    for process in sea.processes:
        process.kill()
        process.wait()


def until(true: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends, "it took too long"
        time.sleep(0.005)


def verdicts(tally: Tally) -> dict[str, Verdict]:
    measures = judge(tally, share_percent=100, offline_disagreement=1, margin=0)
    return {each.name: each.verdict for each in measures}


def test_every_request_is_answered_by_both(sea: Sea) -> None:
    process = sea.start()
    sea.put(30)
    sea.put(30, ring=1, rows=3)
    tally = sea.reached(60)
    assert (tally.requests, tally.seen, tally.sampled, tally.compared) == (60, 60, 60, 60)
    assert (tally.errors, tally.nan, tally.lost, tally.too_big, tally.late) == (0, 0, 0, 0, 0)
    assert tally.rows == 30 + 90
    assert tally.unlike == 0
    assert tally.candidate_us.n == tally.production_us.n == 60
    assert tally.reasons == {}
    each = [
        agreement(
            sea.production.model.predict(features),
            sea.candidate.model.predict(features),
            classes=CLASSES,
            candidate_classes=CLASSES,
        )
        for _, features in sea.asked
    ]
    assert tally.disagreed == pytest.approx(sum(one.disagreed for one in each))
    assert tally.difference == pytest.approx(sum(one.difference for one in each))
    assert tally.disagreed > 0
    told = sea.told()
    assert (told["pid"], told["shadow"], told["broken"]) == (process.pid, TEST, "")
    assert told["isolated"]["memory_mb"] == 2048


def test_a_share_is_drawn_by_the_request_id(sea: Sea) -> None:
    sea.want(share_percent=30.0)
    sea.start()
    sea.put(100)
    drawn = sum(sampled(name, 30.0) for name, _ in sea.asked)
    until(lambda: sea.tally().seen == 100)
    tally = sea.reached(drawn)
    assert 0 < drawn < 100
    assert (tally.requests, tally.sampled, tally.reached, tally.compared) == (100, *3 * (drawn,))


def test_others_requests_and_other_times_do_not_count(sea: Sea) -> None:
    sea.want(since_us=1_000, until_us=2_000)
    sea.start()
    for at_us in (999, 1_000, 2_000, 2_001):
        sea.put(1, at_us=at_us)
    _, features = sea.asked[0]
    answer = sea.production.model.predict(features)
    digest = sea.production.digest
    for head in (record.head("other", 1, digest), record.head(MODEL, 7, digest)):
        sea.rings[0].put(record.of_columns(head, 1_500, 9, b"x", features, answer))
    sea.rings[0].put(record.of_labels(MODEL, 1_500, [("r1", ["late"])], digest, 1))
    sea.put(1, at_us=1_500)
    tally = sea.reached(3)
    assert tally.requests == tally.compared == 3
    assert tally.late == 3  # they were answered in 1970


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "RuntimeError: told to fail"),
        ("memory", "MemoryError:"),
        ("shape", "answered labels of the shape [1, 1] to 1 rows"),
    ],
)
def test_what_fails_is_counted_and_the_process_goes_on(sea: Sea, fault: str, reason: str) -> None:
    process = sea.start(fault)
    sea.put(20)
    tally = sea.reached(20)
    assert (tally.errors, tally.compared, tally.candidate_us.n) == (20, 0, 0)
    assert tally.reasons == {reason: 20}
    assert tally.production_us.n == 20
    assert process.poll() is None
    assert verdicts(tally)["errors"] is Verdict.FAIL


def test_nan_is_counted_apart(sea: Sea) -> None:
    sea.start("nan")
    sea.put(20)
    tally = sea.reached(20)
    assert (tally.nan, tally.errors, tally.compared) == (20, 0, 0)
    assert verdicts(tally)["errors"] is Verdict.FAIL


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["burn:0.02", "sleep:0.02"])
def test_slowness_is_seen_beside_production(sea: Sea, fault: str) -> None:
    sea.start(fault)
    sea.put(60)
    tally = sea.reached(60)
    assert tally.candidate_us.quantile(0.05) > 18_000
    assert tally.production_us.quantile(0.5) < tally.candidate_us.quantile(0.5)
    assert tally.errors == 0


@pytest.mark.parametrize("fault", ["exit", "segv"])
def test_a_candidate_that_takes_its_process_along_is_counted(sea: Sea, fault: str) -> None:
    sea.start("sleep:60").kill()  # begins the test at this end of the rings
    sea.put(2)
    sea.put(1, ring=1)
    done: Callable[[], bool] = lambda: sea.tally().reached == 3  # noqa: E731
    assert sea.restart_until(done, fault) == 4  # the fourth counts what killed the third
    tally = sea.tally()
    assert (tally.seen, tally.sampled, tally.errors, tally.lost) == (3, 3, 3, 0)
    assert tally.reasons == {DIED: 3}


def test_a_candidate_that_hangs_is_counted_when_it_was_ended(sea: Sea) -> None:
    process = sea.start("sleep:600")
    sea.put(3)
    until(lambda: (sea.told()["scoring"] or {}).get("id") == "r0")
    assert sea.tally().reached == 0
    process.kill()  # the supervisor's part
    process.wait()
    sea.start()
    tally = sea.reached(3)
    assert (tally.errors, tally.compared, tally.seen) == (1, 2, 3)


def test_a_restart_loses_and_repeats_nothing(sea: Sea) -> None:
    first = sea.start()
    sea.put(10)
    sea.reached(10)
    first.terminate()
    assert first.wait(PATIENCE_S) == 0
    sea.put(10, ring=1)
    sea.start()
    sea.put(10)
    tally = sea.reached(30)
    assert (tally.seen, tally.compared, tally.lost) == (30, 30, 0)


def test_killed_at_any_moment_it_accounts_for_every_request(sea: Sea) -> None:
    for _ in range(4):
        process = sea.start("sleep:0.01")
        sea.put(15)
        before = sea.tally().reached
        until(lambda before=before: sea.tally().reached > before + 3)  # type: ignore[misc]
        process.kill()
        process.wait()
    sea.start()
    tally = sea.reached(60)
    assert (tally.seen, tally.sampled, tally.reached) == (60, 60, 60)
    assert tally.errors <= 4
    assert tally.compared == 60 - tally.errors


def test_what_was_overwritten_or_too_big_is_missing(versions: tuple[Path, Kept, Kept]) -> None:
    sea = Sea(*versions, [Ring.create(1 << 16)])
    sea.rings[0].put(bytes(1 << 15))  # before the test began: not its business
    sea.want()
    process = sea.start()
    try:
        process.send_signal(signal.SIGSTOP)
        sea.put(1500)
        sea.put(1, rows=4000)
        process.send_signal(signal.SIGCONT)
        until(lambda: sea.tally().requests == 1501)
        until(lambda: sea.tally().reached == sea.tally().seen)
    finally:
        process.kill()
        process.wait()
    tally = sea.tally()
    assert tally.too_big == 1
    assert tally.lost > 0
    assert tally.seen + tally.lost == 1500
    assert verdicts(tally)["achieved_share"] is Verdict.INCONCLUSIVE


def test_a_candidate_that_cannot_be_opened_fails_every_request(sea: Sea) -> None:
    put = Blobs(sea.home / "blobs").put
    manifest: dict[str, Any] = {"model": MODEL, "files": {}}
    manifest["files"] = {"model.onnx": put(b"no model"), "golden.json": put(b"{}")}
    manifest["signature"] = sea.production.model.signature.to_json()
    sea.want(digest=put(json.dumps(manifest).encode()))
    process = sea.start()
    until(lambda: sea.told()["broken"])
    sea.put(5)
    tally = sea.reached(5)
    assert tally.errors == 5
    ((reason, count),) = tally.reasons.items()
    assert (count, "cannot be opened" in reason) == (5, True)
    assert process.poll() is None


def test_a_missing_blob_is_no_verdict(sea: Sea) -> None:
    sea.want(digest="sha256:" + "0" * 64)
    process = sea.start()
    assert process.wait(PATIENCE_S) == 5
    assert sea.tally() == Tally(memory_mb=sea.tally().memory_mb)
    assert not sea.told()["broken"]


def test_it_ends_with_its_test(sea: Sea) -> None:
    process = sea.start()
    sea.put(3)
    sea.reached(3)
    sea.board.publish({"models": [], "shadows": []})
    assert process.wait(PATIENCE_S) == 0
    assert sea.tally().reached == 3


def test_it_ends_with_its_supervisor(sea: Sea) -> None:
    """The process is started by another one, which then dies."""
    rings = ",".join(str(ring.fd) for ring in sea.rings)
    words = ["--board", str(sea.board.fd), "--rings", rings, "--home", str(sea.home)]
    words += ["--cell", str(CELL), "--shadow", TEST]
    command = [sys.executable, "-m", "seatrial.gateway.shadow", *words]
    files = (sea.board.fd, *(ring.fd for ring in sea.rings))
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess; subprocess.Popen({command}, pass_fds={files}).wait()",
        ],
        pass_fds=files,
    )
    sea.processes.append(parent)
    until(lambda: sea.told().get("attempts") == 0)
    parent.kill()
    parent.wait()
    pid = sea.told()["pid"]
    until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # ended, but whoever inherited it has not looked yet


def account(board: Board) -> Account:
    return Account.resume(board, CELL, TEST, {}, lambda: 7)


def test_a_candidate_that_dies_while_it_is_opened_is_not_tried_for_ever() -> None:
    board = Board.create(2)
    for _ in range(ATTEMPTS):
        assert account(board).opening()
    last = account(board)
    assert not last.opening()
    assert last.broken == f"{ATTEMPTS} processes died while they opened it"
    assert last.tally == Tally()


def test_an_opened_candidate_has_all_its_attempts_again() -> None:
    board = Board.create(2)
    for _ in range(2 * ATTEMPTS):
        mine = account(board)
        assert mine.opening()
        mine.opened()


def test_another_tests_cell_is_begun_anew() -> None:
    board = Board.create(2)
    mine = account(board)
    mine.tally += Tally(seen=3)
    mine.about_to_score("r1")
    assert account(board).tally == Tally(seen=3, reached=1, errors=1, reasons={DIED: 1})
    assert Account.resume(board, CELL, "another", {}, lambda: 7).tally == Tally()
