"""Several machines share runs: no step is done twice, no clock and no death changes that."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet import SHORT, Fleet, demand_one_pass, end
from seatrial import workspace
from seatrial.ledger.blobs import Blobs
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify
from seatrial.registry.registry import Move, MovedError, Registry

pytestmark = pytest.mark.slow  # processes of their own


def test_four_machines_share_one_run(fleet: Fleet) -> None:
    fleet.write(*["toil: {seconds: 0.2}"] * 8)
    machines = [fleet.run(home) for home in ("one", "two", "three", "four")]
    ended = [end(machine) for machine in machines]
    assert [each.code for each in ended] == [0, 0, 0, 0], ended
    assert set(fleet.calls().values()) == {1}
    assert fleet.at_once() == 1
    demand_one_pass(fleet, 8)


def test_the_step_of_a_dead_machine_is_taken_over(fleet: Fleet) -> None:
    fleet.write("toil: {hold: true}", "toil")
    one = fleet.run("one", *SHORT)
    fleet.begun("work.toil")
    one.kill()
    assert one.wait() == -signal.SIGKILL
    two = end(fleet.run("two", *SHORT))
    assert two.code == 0, two.said
    assert "waiting for" in two.said  # until the lease of the dead one ended
    assert fleet.calls() == {"work.toil": 2, "work.toil-2": 1}
    demand_one_pass(fleet, 2)


def test_a_copy_of_the_project_in_another_folder_goes_on_with_the_same_run(fleet: Fleet) -> None:
    fleet.write("toil: {hold: true}", "toil")
    data = fleet.folder / "data"
    data.mkdir()
    (data / "rows.csv").write_text("a,target\n1,0\n2,1\n")
    pipeline = fleet.file.read_text()
    fleet.file.write_text(f"{pipeline}      - check_schema: {{dataset: rows}}\n")
    elsewhere = fleet.folder.parent / "srv" / "fleet"
    shutil.copytree(fleet.folder, elsewhere)
    one = fleet.run("one", *SHORT)
    fleet.begun("work.toil")
    one.kill()
    (elsewhere / "go").touch()
    two = end(fleet.start("two", "run", "pipeline.yaml", how=SHORT, folder=elsewhere))
    assert two.code == 0, two.said
    demand_one_pass(fleet, 3)


def test_the_late_result_of_a_machine_that_lost_its_step_does_not_count(fleet: Fleet) -> None:
    fleet.write("toil: {hold: true}", "toil")
    one = fleet.run("one", *SHORT)
    fleet.begun("work.toil")
    one.send_signal(signal.SIGSTOP)
    two = end(fleet.run("two", *SHORT))
    assert two.code == 0, two.said
    fleet.go()
    one.send_signal(signal.SIGCONT)
    late = end(one)
    assert late.code == 0, late.said  # it meets the run as the other one ended it
    demand_one_pass(fleet, 2)


def test_a_machine_that_lost_its_step_goes_on_with_the_run_in_peace(fleet: Fleet) -> None:
    fleet.write("toil: {hold: true}", "toil: {seconds: 4}", "toil")
    one = fleet.run("one", *SHORT)
    fleet.begun("work.toil")
    one.send_signal(signal.SIGSTOP)
    two = fleet.run("two", *SHORT)
    fleet.begun("work.toil-2")
    fleet.go()
    one.send_signal(signal.SIGCONT)
    ended = end(one), end(two)
    assert [each.code for each in ended] == [0, 0], ended
    assert "work.toil was taken over by another process" in ended[0].said
    assert "call 2" in ended[0].said  # what the other one found
    demand_one_pass(fleet, 3)


def test_a_machine_that_lost_its_step_changes_nothing_any_more(fleet: Fleet) -> None:
    """Not the registry either: its run has ended, and a later one has staged another version."""
    fleet.write("stage: {content: one}")
    one = fleet.run("one", *SHORT)
    fleet.begun("work.stage")
    one.send_signal(signal.SIGSTOP)
    two = end(fleet.run("two", *SHORT))
    assert two.code == 0, two.said
    fleet.go()
    fleet.write("stage: {content: two}")
    assert end(fleet.run("two")).code == 0
    assert fleet.staged() == 2
    one.send_signal(signal.SIGCONT)
    late = end(one)
    assert late.code == 0, late.said
    assert fleet.staged() == 2
    verify(fleet.ledger)


def test_a_run_that_another_machine_cancels_changes_nothing_any_more(fleet: Fleet) -> None:
    fleet.write("stage")
    one = fleet.run("one")
    fleet.begun("work.stage")
    (run,) = fleet.runs()
    assert end(fleet.start("two", "cancel", run.id)).code == 0
    fleet.go()
    stopped = end(one)
    assert (stopped.code, f"run {run.id} has ended: cancelled by" in stopped.said) == (5, True)
    assert fleet.staged() is None
    verify(fleet.ledger)


@pytest.mark.parametrize("ahead_s", [300, -300])
def test_a_clock_that_is_minutes_off_steals_no_step_that_is_performed(
    ahead_s: int, fleet: Fleet
) -> None:
    """In both directions: of the one who performs, and of the one who looks."""
    fleet.write("toil: {hold: true}", "toil")
    one = fleet.run("one", "--skew", str(-ahead_s))
    fleet.begun("work.toil")
    two = fleet.run("two", "--skew", str(ahead_s))
    fleet.said(two, "waiting for")
    three = fleet.run("three")
    fleet.said(three, "waiting for")
    assert fleet.calls() == {"work.toil": 1}
    fleet.go()
    ended = [end(each) for each in (one, two, three)]
    assert [each.code for each in ended] == [0, 0, 0], ended
    assert fleet.calls() == {"work.toil": 1, "work.toil-2": 1}
    demand_one_pass(fleet, 2)
    times = [event.at for event in fleet.ledger.events()]
    assert times == sorted(times)


@pytest.mark.parametrize("ahead_s", [300, -300])
def test_a_clock_that_is_minutes_off_keeps_nobody_from_taking_over(
    ahead_s: int, fleet: Fleet
) -> None:
    fleet.write("toil: {hold: true}")
    one = fleet.run("one", *SHORT, "--skew", str(-ahead_s))
    fleet.begun("work.toil")
    one.kill()
    two = end(fleet.run("two", *SHORT, "--skew", str(ahead_s)))
    assert two.code == 0, two.said
    demand_one_pass(fleet, 1)


def test_a_wait_ends_when_it_ends_whatever_a_machine_takes_for_the_time(fleet: Fleet) -> None:
    fleet.write("pause: {seconds: 5}", "toil")
    assert end(fleet.run("one", "--skew", "-300")).code == 4
    early = end(fleet.run("two", "--skew", "300"))
    assert early.code == 4, early.said
    late = end(fleet.start("three", "run", "pipeline.yaml", "--wait", how=("--skew", "-300")))
    assert late.code == 0, late.said
    (waiting,) = fleet.ledger.events("step_waiting")
    (finished, _) = fleet.ledger.events("step_finished")
    assert finished.at >= str(waiting.body["until"])
    assert fleet.finished() == {"work.pause": 1, "work.toil": 1}


def test_a_machine_with_another_release_says_so_and_goes_on(fleet: Fleet) -> None:
    fleet.write("toil: {hold: true}", "toil")
    one = fleet.run("one", *SHORT, "--release", "0.0.9")
    fleet.begun("work.toil")
    one.kill()
    begun = end(fleet.start("two", "runs", "--json"))
    run = json.loads(begun.out)[0]["run"]
    two = end(fleet.start("two", "step", run, "work.toil", how=SHORT))
    assert two.code == 0, two.said
    assert f"note: run {run} was planned by seatrial 0.0.9; this is seatrial " in two.said
    started = [event.body["seatrial"] for event in fleet.ledger.events("step_started")]
    assert (started[0], started[1] != "0.0.9") == ("0.0.9", True)
    assert end(fleet.run("two")).code == 0
    demand_one_pass(fleet, 2)


def test_of_moves_that_start_from_the_same_place_one_is_made(fleet: Fleet) -> None:
    """Machines that promote at once: each move is made once, or refused with nothing changed."""
    fleet.go()
    for content in ("one", "two"):
        fleet.write(f"stage: {{content: {content}}}")
        assert end(fleet.run("one")).code == 0
    ready = threading.Barrier(4)

    def promote(number: int) -> int:
        ledger = Ledger(fleet.database, workspace.now)
        registry, made = Registry(ledger, Blobs(fleet.folder)), 0
        ready.wait()
        for turn in range(15):
            channel = registry.channel("m", "production")
            move = Move(
                model="m", channel="production", version=1 + turn % 2,
                expect=channel.revision if channel else 0, event="promote",
                by=f"machine {number}", reason="because",
            )  # fmt: skip
            with contextlib.suppress(MovedError):
                registry.move(move)
                made += 1
        ledger.close()
        return made

    with ThreadPoolExecutor(4) as threads:
        made = sum(threads.map(promote, range(4)))
    registry = Registry(fleet.ledger, Blobs(fleet.folder))
    production = registry.channel("m", "production")
    assert production is not None
    assert 15 <= made < 60  # some were refused
    assert production.revision == made == len(registry.history("m"))
    verify(fleet.ledger)
