"""A version that does harm, behind a real gateway: production goes back by itself."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from running import MODEL, serving, until
from seatrial.ledger.verify import verify
from seatrial.registry import brakes, watches

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each

WEIGHTS = np.array([1.0, 0.5, -0.3])


def ask_and_label(gateway: Gateway, random: np.random.Generator, count: int) -> list[int]:
    """Requests and their true labels, one by one; the versions that answered."""
    answered = []
    for _ in range(count):
        row = random.normal(size=3).round(3)
        said = gateway.infer(row.tolist())
        answered.append(int(said["model_version"]))
        told = json.dumps({"id": said["id"], "label": int(row @ WEIGHTS > 0)})
        assert gateway.ask("POST", f"/v2/models/{MODEL}/feedback", told)[0] == 202
    return answered


def promote_by_hand(project: Project, version: int) -> None:
    said = project.command("promote", MODEL, str(version), "--reason", "in spite of the gates")
    assert said.returncode == 0, said.stderr


def worse(project: Project) -> int:
    """A version that learned mostly noise: the gates refuse it, but it is registered."""
    project.rows("training_data", 1500, 5, noise=4.0)
    table = project.run("validate_data.check_distribution.threshold=5")
    return int(table.document["model"]["version"])


def test_a_worse_version_is_rolled_back_by_its_labels(delivered: Project) -> None:
    with serving(delivered) as gateway, delivered.stores() as stores:
        bad = worse(delivered)
        promote_by_hand(delivered, bad)
        until(lambda: gateway.version() == bad, "the worse version serves")
        random = np.random.default_rng(3)
        answered: list[int] = []

        def back() -> bool:
            answered.extend(ask_and_label(gateway, random, 10))
            return answered[-1] == 1

        until(back, "production goes back", within_s=60)
        watch = watches.latest(stores.ledger, MODEL)
        assert watch is not None
        assert (watch.version, watch.against, watch.state) == (bad, 1, "failed")
        moves = stores.registry.history(MODEL)
        assert (moves[-1]["event"], moves[-1]["version"]) == ("rollback", 1)
        assert moves[-1]["by"] == f"watch {watch.id}"
        assert "worse on" in str(moves[-1]["reason"])
        evidence: Any = json.loads(stores.registry.blobs.get(str(moves[-1]["evidence"])))
        judged = evidence["judged"]["quality"]["measure"]
        assert (judged["verdict"], judged["limit"]) == ("fail", 0.05)
        assert judged["n"] >= 100
        assert [q.version for q in brakes.all_quarantined(stores.ledger)] == [bad]
        verify(stores.ledger)


def test_a_locked_ledger_is_told_soon_and_production_goes_back_when_it_can(
    delivered: Project,
) -> None:
    with serving(delivered) as gateway, delivered.stores() as stores:
        bad = worse(delivered)
        promote_by_hand(delivered, bad)
        until(lambda: gateway.version() == bad, "the worse version serves")
        until(lambda: "following" in [x["event"] for x in gateway.logged()], "it is watched")
        with closing(sqlite3.connect(stores.ledger.file, isolation_level=None)) as rival:
            rival.execute("BEGIN IMMEDIATE")
            ask_and_label(gateway, np.random.default_rng(3), 400)
            until(lambda: gateway.metrics()["seatrial_watch_trouble"] == 1, "it is told")
            assert gateway.version() == bad
            rival.execute("ROLLBACK")
        until(lambda: gateway.version() == 1, "production goes back")
        until(lambda: gateway.metrics()["seatrial_watch_trouble"] == 0, "all is well")


def test_the_watch_goes_on_after_a_kill_and_counts_nothing_twice(delivered: Project) -> None:
    with serving(delivered) as gateway, delivered.stores() as stores:
        good = delivered.retrain(21)
        promote_by_hand(delivered, good)
        until(lambda: gateway.version() == good, "the new version serves")
        random = np.random.default_rng(4)
        sent = 120
        for begun in (20, 60, 100):
            ask_and_label(gateway, random, 40)
            until(partial(reached, gateway, good, begun), "labels are counted")
            os.kill(child(gateway, "watcher"), signal.SIGKILL)
        until(lambda: labels(gateway, good) == sent, "every label is counted")
        time.sleep(1.5)  # what was counted is kept once a second
        assert labels(gateway, good) == sent
        watch = watches.current(stores.ledger, MODEL)
        assert watch is not None
        (kept,) = watches.trails(stores.ledger, watch.id).values()
        cells = kept["evidence"]["quality"]["cells"].values()
        assert sum(map(sum, cells)) == sent * 2**24


def test_crashes_go_back_without_any_label(delivered: Project) -> None:
    with serving(delivered) as gateway, delivered.stores() as stores:
        good = delivered.retrain(21)
        promote_by_hand(delivered, good)
        until(lambda: gateway.version() == good, "the new version serves")
        until(lambda: "following" in [x["event"] for x in gateway.logged()], "it is watched")

        def back() -> bool:
            """One more worker dies; the pauses let the watcher see each."""
            until(gateway.ready, "a worker is back")
            if gateway.version() == 1:
                return True
            os.kill(child(gateway, "worker 0"), signal.SIGKILL)
            gateway.connection.close()
            time.sleep(2)
            return False

        until(back, "production goes back", within_s=60)
        move = stores.registry.history(MODEL)[-1]
        assert "workers died" in str(move["reason"])


def reached(gateway: Gateway, version: int, count: int) -> bool:
    return labels(gateway, version) >= count


def labels(gateway: Gateway, version: int) -> int:
    name = f'seatrial_watch_labels{{model="{MODEL}",version="{version}"}}'
    return int(gateway.metrics().get(name, 0))


def child(gateway: Gateway, name: str) -> int:
    """The process that runs under a name now."""
    found = [
        line["child_pid"]
        for line in gateway.logged()
        if line["event"] == "started" and line["child"] == name
    ]
    return int(found[-1])


def test_the_time_of_a_watch_is_that_of_its_policy(delivered: Project) -> None:
    with delivered.stores() as stores:
        good = delivered.retrain(21)
        promote_by_hand(delivered, good)
        watch = watches.current(stores.ledger, MODEL)
        assert watch is not None
        opened, until_ = (datetime.fromisoformat(each) for each in (watch.opened, watch.until))
        assert (until_ - opened).total_seconds() == 48 * 3600
