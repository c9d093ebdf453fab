"""Of several machines the clocks differ; of what they share the database's clock decides."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import workspace
from seatrial.ledger import beginnings, claims, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.claims import LEASE_S, Claim
from seatrial.ledger.store import Ledger
from seatrial.registry.project import open_project
from seatrial.workspace import Workspace, now
from shared_places import new_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from postgres import Server

    from .conftest import Clock

OFF_S = 600.0
"""Ten leases long."""

MACHINE = """
import json, sys
from datetime import datetime, timedelta
from seatrial import workspace

class Wrong(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(seconds=float(sys.argv[2]))

workspace.datetime = Wrong
assert abs((workspace.now() - datetime.now(workspace.UTC)).total_seconds()) > 300

from seatrial.ledger import claims
from seatrial.ledger.store import Ledger

ledger = Ledger(sys.argv[1], workspace.now)
for line in sys.stdin:
    if line.strip() == "claim":
        got = claims.claim(ledger, "R1", "a.one", owner="there:1", host="there")
        claimed = got if isinstance(got, claims.Claim) else None
        said = got.isoformat() if isinstance(got, datetime) else bool(got)
    elif line.strip() == "beat":
        said = claims.heartbeat(ledger, claimed)
    else:
        said = ledger.clock().isoformat()
    print(json.dumps(said), flush=True)
ledger.close()
"""


class Machine:
    """Another machine, whose clock is wrong."""

    def __init__(self, address: str, off_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", MACHINE, address, str(off_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, word: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        print(word, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate(timeout=30)
        assert self.process.returncode == 0


@pytest.fixture
def here(postgres: Server) -> Iterator[Ledger]:
    """A run of one step, seen from a machine whose clock is right."""
    ledger = Ledger(new_schema(postgres), now)
    beginning = Beginning(
        identity="R1", pipeline="p", key="k", model="m", request={}, steps=["a.one"]
    )
    beginnings.begin(ledger, beginning)
    yield ledger
    ledger.close()


@pytest.fixture(params=[OFF_S, -OFF_S], ids=["ahead", "behind"])
def there(request: pytest.FixtureRequest, here: Ledger) -> Iterator[Machine]:
    machine = Machine(str(here.place), request.param)
    yield machine
    machine.end()


def _claim(ledger: Ledger) -> Claim | datetime | None:
    return claims.claim(ledger, "R1", "a.one", owner="here:1", host="here")


def test_no_wrong_clock_steals_a_step_that_is_being_performed(here: Ledger, there: Machine) -> None:
    claimed = _claim(here)
    assert isinstance(claimed, Claim)
    (step,) = runs.steps(here, "R1")
    assert there.ask("claim") == step.lease_until
    claims.heartbeat(here, claimed)
    (step,) = runs.steps(here, "R1")
    assert there.ask("claim") == step.lease_until


def test_nor_can_its_own_step_be_stolen_or_kept_for_longer(here: Ledger, there: Machine) -> None:
    assert there.ask("claim") is True
    for _ in range(2):
        until = _claim(here)
        assert isinstance(until, datetime)
        left = until - here.clock()
        assert timedelta(0) < left <= timedelta(seconds=LEASE_S)
        there.ask("beat")


def test_events_are_dated_in_the_order_in_which_they_came(here: Ledger, there: Machine) -> None:
    for _ in range(3):
        here.write(lambda transaction: transaction.append("noted", {}))
        there.ask("claim")
        claims.release(here, _taken(here), "again")
    times = [event.at for event in here.events()]
    assert len(times) > 6
    assert times == sorted(times)


def _taken(ledger: Ledger) -> Claim:
    """The claim of whoever has the step."""
    (step,) = runs.steps(ledger, "R1")
    return Claim(
        run="R1", address="a.one", owner=str(step.owner), fence=step.fence, attempt=step.attempt
    )


def test_all_of_them_agree_on_the_time(here: Ledger, there: Machine) -> None:
    before = here.clock()
    told = datetime.fromisoformat(there.ask("time"))
    # what a look at the server's clock takes is lost, and no more
    assert abs((told - before).total_seconds()) < OFF_S / 10


def test_a_clock_that_is_put_right_changes_nothing(
    here: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=400)

    before = here.clock()
    monkeypatch.setattr(workspace, "datetime", Wrong)
    assert (now() - before).days >= 400
    assert (here.clock() - before).days == 0
    at = here.write(lambda transaction: transaction.append("noted", {})).at
    assert (datetime.fromisoformat(at) - before).days == 0


def test_a_clock_that_is_passed_in_counts_as_it_is(postgres: Server, clock: Clock) -> None:
    ledger = Ledger(new_schema(postgres), clock)
    stored = ledger.write(lambda transaction: transaction.append("noted", {}))
    assert stored.at == clock().isoformat() == ledger.clock().isoformat()
    ledger.close()


def test_a_project_goes_by_the_clock_of_its_ledger(postgres: Server, tmp_path: Path) -> None:
    """Only the rows of the traffic, which are dated here, go by this machine's."""
    place = Workspace(tmp_path, tmp_path / ".seatrial", database=new_schema(postgres))
    project = open_project(place)
    assert project.workspace.clock == project.ledger.clock
    assert project.machine_clock == now
    again = open_project(project.workspace)  # whoever opens it once more gets the same
    assert abs(again.ledger.clock() - project.ledger.clock()) < timedelta(seconds=LEASE_S)
    assert again.ledger.clock != project.ledger.clock
    for each in (project, again):
        each.ledger.close()


def test_on_one_machine_nothing_is_asked(tmp_path: Path) -> None:
    project = open_project(Workspace(tmp_path, tmp_path / ".seatrial"))
    assert project.workspace.clock == project.machine_clock == project.ledger.clock == now
    assert now().tzinfo is UTC
    project.ledger.close()
