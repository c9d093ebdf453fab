"""What lies between machines, or what they share, fails in the middle of a run: nothing is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

import pytest

from fleet import SHORT, Ended, Fleet, demand_one_pass, end
from line import Line
from moody_store import moody
from namespaces import island
from shared_places import PASSWORD, connected, new_bucket, through

if TYPE_CHECKING:
    from postgres import Server

pytestmark = pytest.mark.slow  # processes of their own


class Storm:
    """Cuts connections of the server at random moments, until it is over."""

    def __init__(self, server: Server) -> None:
        self.cut = 0
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._rage)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _rage(self) -> None:
        chance = random.Random(8)  # noqa: S311 - the same storm each time
        with connected(self._server) as connection:
            while not self._over.wait(chance.uniform(0.0, 0.1)):
                cut = connection.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE application_name = 'seatrial' AND random() < 0.5"
                ).fetchone()
                self.cut += cut[0] if cut else 0


def test_connections_that_are_cut_lose_nothing_and_double_nothing(
    fleet: Fleet, postgres: Server
) -> None:
    """A machine that gave up comes back, as the scheduler of each would see to."""
    fleet.write(*["toil: {seconds: 0.2}"] * 10)
    begun = end(fleet.start("one", "begin", "pipeline.yaml", "--engine", "storm", "--json"))
    run = json.loads(begun.out)["run"]

    def insist(home: str) -> list[Ended]:
        tries = [end(fleet.start(home, "job", "resume", run, how=SHORT))]
        while tries[-1].code == 5 and len(tries) < 30:
            tries.append(end(fleet.start(home, "job", "resume", run, how=SHORT)))
        return tries

    with Storm(postgres) as storm, ThreadPoolExecutor() as threads:
        tried = [*threads.map(insist, ("one", "two", "three"))]
    assert storm.cut > 5
    assert [tries[-1].code for tries in tried] == [0, 0, 0], tried
    assert fleet.at_once() == 1
    assert set(fleet.calls().values()) == {1}
    demand_one_pass(fleet, 10)


def test_a_database_that_crashes_and_comes_back_is_waited_for(
    fleet: Fleet, postgres: Server
) -> None:
    fleet.write(*["toil: {seconds: 0.3}"] * 8)
    machines = [fleet.run(home) for home in ("one", "two")]
    for step in ("work.toil-2", "work.toil-5"):
        fleet.begun(step)
        with connected(postgres) as connection:
            os.kill(connection.info.backend_pid, signal.SIGKILL)  # it takes all others with it
    ended = [end(machine) for machine in machines]
    assert [each.code for each in ended] == [0, 0], ended
    assert set(fleet.calls().values()) == {1}
    demand_one_pass(fleet, 8)


def test_a_database_that_is_gone_for_a_moment_costs_no_work(fleet: Fleet, postgres: Server) -> None:
    """The step's result is kept in hand until it can be recorded."""
    fleet.write("toil: {hold: true}", "toil")
    with Line(postgres.port) as line:
        one = fleet.run("one", "--busy", "1", database=through(fleet.database, line.port))
        fleet.begun("work.toil")
        line.down()
        fleet.go()
        fleet.said(one, "work.toil: the database of the ledger does not answer")
        line.up()
        ended = end(one)
    assert ended.code == 0, ended.said
    assert fleet.calls() == {"work.toil": 1, "work.toil-2": 1}
    demand_one_pass(fleet, 2)


def test_a_database_that_stays_away_stops_the_run_which_goes_on_later(
    fleet: Fleet, postgres: Server
) -> None:
    fleet.write("toil", "toil: {hold: true}", "toil")
    with Line(postgres.port) as line:
        words, how = ("run", "pipeline.yaml", "--json"), ("--busy", "0.2")
        database = through(fleet.database, line.port)
        one = fleet.start("one", *words, how=how, database=database)
        fleet.begun("work.toil-2")
        line.down()
        fleet.go()
        stopped = end(one)
        assert stopped.code == 5, stopped.said
        told = json.loads(stopped.out)
        assert (told["run"], told["verdict"]) == (fleet.runs()[0].id, None)
        assert "the database of the ledger does not answer" in told["errors"][0]
        assert PASSWORD not in stopped.said
        line.up()
        resumed = end(fleet.start("one", *words, how=how, database=database))
    assert resumed.code == 0, resumed.said
    assert json.loads(resumed.out)["run"] == told["run"]
    assert fleet.calls() == {"work.toil": 1, "work.toil-2": 2, "work.toil-3": 1}
    demand_one_pass(fleet, 3)


def test_a_database_that_is_down_at_the_start_is_told_in_a_few_lines(
    fleet: Fleet, postgres: Server
) -> None:
    fleet.write("toil")
    with Line(postgres.port) as line:
        line.down()
        ended = end(fleet.run("one", database=through(fleet.database, line.port)))
    assert (ended.code, len(ended.said.splitlines()) <= 6) == (5, True), ended.said
    assert ended.said.startswith("the database of the ledger does not answer")
    assert PASSWORD not in ended.said


@pytest.mark.parametrize("how", ["down", "silent"])
def test_a_machine_that_is_cut_off_for_longer_than_its_lease_records_nothing(
    how: str, fleet: Fleet, postgres: Server
) -> None:
    """It goes on with its step meanwhile: it cannot know that another one does it now."""
    fleet.write("toil: {hold: true}", "toil: {seconds: 3}", "toil")
    with Line(postgres.port) as line:
        one = fleet.run("one", *SHORT, database=through(fleet.database, line.port))
        fleet.begun("work.toil")
        getattr(line, how)()
        two = fleet.run("two", *SHORT)
        fleet.begun("work.toil-2")
        fleet.go()
        line.up()
        ended = end(one), end(two)
    assert [each.code for each in ended] == [0, 0], ended
    assert "work.toil was taken over by another process" in ended[0].said
    demand_one_pass(fleet, 3)


def test_a_machine_whose_cable_is_pulled_records_nothing_and_comes_back_in_peace(
    fleet: Fleet, postgres: Server
) -> None:
    """Two real networks: packets vanish, and no connection is told that it is dead."""
    fleet.write("toil: {hold: true}", "toil: {seconds: 3}", "toil")
    with island() as far, Line(postgres.port, far.here) as line:
        database = through(fleet.database, line.port, far.here)
        run = ("run", "pipeline.yaml")
        one = fleet.start("one", *run, how=SHORT, database=database, within=far.words)
        fleet.begun("work.toil")
        far.unplug()
        two = fleet.run("two", *SHORT)
        fleet.begun("work.toil-2")
        fleet.go()
        assert end(two).code == 0
        far.plug_in()
        late = end(one)
    assert late.code == 0, late.said
    demand_one_pass(fleet, 3)


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("403", "the store refuses to keep a blob"),
        ("404", "the bucket does not exist"),
        ("500", "the store answered 500"),
        ("slow", "the store did not answer within 1 s"),
    ],
)
def test_a_store_in_a_mood_stops_the_run_which_goes_on_later(
    mood: str, says: str, fleet: Fleet, s3: str
) -> None:
    fleet.write("toil", "stage", "toil")
    fleet.go()
    with moody(s3) as store:
        store.mood = mood
        there = {"SEATRIAL_BLOBS": f"{new_bucket(s3)}/fleet", "AWS_ENDPOINT_URL": store.address}
        stopped = end(fleet.run("one", "--read", "1", variables=there))
        assert stopped.code == 5, stopped.said
        assert says in stopped.said
        assert "master" not in stopped.said  # the secret key
        assert store.asked < 40  # it gives up
        store.mood = ""
        store.calm.set()
        resumed = end(fleet.run("one", variables=there))
        assert resumed.code == 0, resumed.said
        assert fleet.calls()["work.toil"] == fleet.calls()["work.toil-2"] == 1
        demand_one_pass(fleet, 3)
        # another machine reads what was kept
        again = end(fleet.start("two", "models", "--json", variables=there))
        assert json.loads(again.out)[0]["channels"] == ["staging"]
        collected = end(fleet.start("two", "gc", "--json", variables=there))
        assert (collected.code, json.loads(collected.out)["blobs"]) == (0, 0), collected.said
