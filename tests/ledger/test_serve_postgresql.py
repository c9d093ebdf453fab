"""`seatrial serve` with its ledger in PostgreSQL: it answers, whatever becomes of that."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from running import MODEL, serving, until
from seatrial.ledger.verify import verify
from seatrial.registry import watches
from shared_places import PASSWORD, new_schema

if TYPE_CHECKING:
    from restarting import Stoppable
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a delivered project, and a gateway each

WEIGHTS = np.array([1.0, 0.5, -0.3])


@pytest.fixture
def delivered(founding: Project, own: Stoppable, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Version 1 of the founding pipeline serves, says a ledger in PostgreSQL."""
    monkeypatch.setenv("SEATRIAL_DATABASE", new_schema(own.server))
    founding.deliver()
    return founding


class Asking:
    """A client that asks all the time; how often it was answered."""

    def __init__(self, gateway: Gateway) -> None:
        self.answered = 0
        self.failed: list[BaseException] = []
        self._client, self._stop = gateway.client(), threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        while not self._stop.wait(0.005):
            try:
                self._client.infer()
                self.answered += 1
            except (OSError, AssertionError) as error:
                self.failed.append(error)

    def end(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.connection.close()


def test_it_answers_while_the_database_is_away_and_goes_on_when_it_is_back(
    delivered: Project, own: Stoppable
) -> None:
    second = delivered.retrain(21)
    with serving(delivered) as gateway:
        said = delivered.command("promote", MODEL, str(second), "--reason", "by hand")
        assert "1 gateway serves it" in said.stdout, said.stderr
        asking = Asking(gateway)
        own.stop()
        until(lambda: "ledger_unreadable" in _events(gateway), "it is told")
        refused = delivered.command("rollback", MODEL, "--reason", "too soon")
        assert (refused.returncode, gateway.version()) == (5, second)
        before = asking.answered
        until(lambda: asking.answered > before + 20, "it is answered all the while")
        own.start()
        back = delivered.command("rollback", MODEL, "--reason", "the other was better")
        assert "1 gateway serves it" in back.stdout, back.stderr
        assert gateway.version() == 1
        asking.end()
        assert asking.failed == []
        assert "died" not in _events(gateway)
        assert PASSWORD not in gateway.errors.read_text()
    with delivered.stores() as stores:
        last = stores.registry.history(MODEL)[-1]
        assert (last["event"], last["version"]) == ("rollback", 1)
        verify(stores.ledger)


def test_a_worse_version_is_rolled_back_by_its_labels_although_the_database_was_away(
    delivered: Project, own: Stoppable
) -> None:
    with serving(delivered) as gateway:
        delivered.rows("training_data", 1500, 5, noise=4.0)
        worse = delivered.run("validate_data.check_distribution.threshold=5")
        bad = int(worse.document["model"]["version"])
        said = delivered.command("promote", MODEL, str(bad), "--reason", "in spite of the gates")
        assert said.returncode == 0, said.stderr
        until(lambda: gateway.version() == bad, "the worse version serves")
        until(lambda: "following" in _events(gateway), "it is watched")
        random = np.random.default_rng(3)
        _ask_and_label(gateway, random, 40)
        own.stop()
        _ask_and_label(gateway, random, 40)
        assert gateway.version() == bad
        own.start()

        def back() -> bool:
            _ask_and_label(gateway, random, 10)
            return gateway.version() == 1

        until(back, "production goes back", within_s=60)
        with delivered.stores() as stores:
            watch = watches.latest(stores.ledger, MODEL)
            assert watch is not None
            assert (watch.version, watch.against, watch.state) == (bad, 1, "failed")
            verify(stores.ledger)


def _events(gateway: Gateway) -> list[str]:
    return [line["event"] for line in gateway.logged()]


def _ask_and_label(gateway: Gateway, random: np.random.Generator, count: int) -> None:
    for _ in range(count):
        row = random.normal(size=3).round(3)
        said = gateway.infer(row.tolist())
        told = json.dumps({"id": said["id"], "label": int(row @ WEIGHTS > 0)})
        assert gateway.ask("POST", f"/v2/models/{MODEL}/feedback", told)[0] == 202
