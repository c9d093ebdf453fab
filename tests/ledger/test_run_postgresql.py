"""The whole way by the command line, the ledger in PostgreSQL: also when that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.engines import _drive
from seatrial.ledger import runs
from seatrial.ledger.verify import verify
from shared_places import PASSWORD, new_schema
from tampering import asked

if TYPE_CHECKING:
    from postgres import Server
    from restarting import Stoppable
    from running import Project

pytestmark = pytest.mark.slow  # the founding pipeline each


def _seatrial(project: Project, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "seatrial", *words],
        cwd=project.folder,
        env={**os.environ, "SEATRIAL_DATABASE": address},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _told(said: subprocess.CompletedProcess[str]) -> Any:
    assert said.returncode == 0, said.stderr
    assert PASSWORD not in said.stdout + said.stderr
    return json.loads(said.stdout)


def test_the_founding_pipeline_runs_from_the_file_to_production(
    founding: Project, postgres: Server
) -> None:
    address = new_schema(postgres)
    told = _told(_seatrial(founding, address, "run", "pipeline.yaml", "--json"))
    assert (told["state"], told["verdict"]) == ("finished", "pass")
    assert told["production"] == {"before": None, "after": 1}
    proved = _told(_seatrial(founding, address, "history", "--verify", "--json"))
    assert proved["intact"]
    assert proved["events"] == asked(address, "SELECT count(*) FROM event")[0][0]
    (model,) = _told(_seatrial(founding, address, "status", "--json"))["models"]
    assert model["production"] == 1
    plan = _seatrial(founding, address, "plan", "pipeline.yaml")
    assert "has judged 1 candidate of this model so far" in plan.stdout
    (move,) = _told(_seatrial(founding, address, "history", "--json"))
    assert (move["event"], move["version"]) == ("promote", 1)
    assert not (founding.home / "ledger.db").exists()
    # without the variable it is another project, that nothing was ever run in
    alone = _seatrial(founding, "", "history", "--json")
    assert (alone.returncode, json.loads(alone.stdout)) == (0, [])


def test_a_database_that_goes_away_for_long_stops_the_run_and_it_is_resumed(
    founding: Project, own: Stoppable, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_schema(own.server)
    monkeypatch.setenv("SEATRIAL_DATABASE", address)
    monkeypatch.setattr("seatrial.ledger.store.BUSY_TIMEOUT_MS", 200)
    monkeypatch.setattr("seatrial.engines._step.BACK_OFF_S", (0.01,))

    def say(line: str) -> None:
        if line.startswith("train_model.train: pass"):
            own.stop()

    stopped = _drive.run(founding.file, say=say)
    assert stopped.exit_code == 5, stopped.document
    assert "does not answer" in str(stopped.error)
    assert PASSWORD not in str(stopped.error)
    own.start()
    resumed = _drive.run(founding.file)
    assert resumed.exit_code == 0, resumed.document["errors"]
    with founding.stores() as stores:
        (run,) = runs.latest(stores.ledger)
        finished = [event.body["step"] for event in stores.ledger.events("step_finished")]
        assert len(finished) == len(set(finished)) == len(runs.steps(stores.ledger, run.id))
        verify(stores.ledger)


def test_a_database_that_is_restarted_in_the_middle_is_not_even_noticed(
    founding: Project, own: Stoppable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_DATABASE", new_schema(own.server))

    def say(line: str) -> None:
        if ": pass" in line:
            own.stop()
            own.start()

    driven = _drive.run(founding.file, say=say)
    assert driven.exit_code == 0, driven.document["errors"]
    with founding.stores() as stores:
        assert not list(stores.ledger.events("step_errored"))
        verify(stores.ledger)


def test_a_database_that_is_down_at_the_start_is_named(founding: Project, own: Stoppable) -> None:
    address = new_schema(own.server)
    own.stop()
    for words in (("run", "pipeline.yaml"), ("status",), ("serve", "--port", "0"), ("history",)):
        said = _seatrial(founding, address, *words)
        assert said.returncode == 5, said.stderr
        assert "does not answer: Connection refused" in said.stderr
        assert len(said.stderr.splitlines()) <= 6
        assert PASSWORD not in said.stdout + said.stderr
