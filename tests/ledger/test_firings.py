from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from seatrial.ledger import beginnings, firings, runs
from seatrial.ledger.beginnings import Beginning
from seatrial.ledger.firings import State
from seatrial.ledger.store import Ledger
from seatrial.ledger.verify import verify

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from pathlib import Path

    from .conftest import Clock

TWO = datetime(2026, 1, 2, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_time_is_fired_once(ledger: Ledger) -> None:
    assert firings.fire(ledger, "p", TWO, "a:1")
    assert not firings.fire(ledger, "p", TWO, "b:2")
    assert not firings.fire(ledger, "p", TWO, "b:2", state=State.SKIPPED, reason="late")
    assert firings.fire(ledger, "q", TWO, "b:2")
    (found,) = firings.latest(ledger, "p")
    assert (found.time, found.state, found.by, found.run) == (TWO, State.FIRED, "a:1", None)
    assert [event.body["by"] for event in ledger.events("schedule_fired")] == ["a:1", "b:2"]
    verify(ledger)


def test_a_time_is_the_same_in_every_zone(ledger: Ledger) -> None:
    assert firings.fire(ledger, "p", TWO, "a:1")
    local = datetime.fromisoformat("2026-01-02T03:00:00.25+01:00")
    assert not firings.fire(ledger, "p", local, "a:1")


def _rival(place: Path | str, start: object, won: Queue[list[int]]) -> None:
    ledger = Ledger(place, lambda: datetime.now(UTC))
    start.wait()  # type: ignore[attr-defined]
    times = [TWO + number * DAY for number in range(40)]
    won.put([n for n, time in enumerate(times) if firings.fire(ledger, "p", time, "rival")])
    ledger.close()


def test_of_rival_processes_one_fires_each_time(place: Path | str) -> None:
    Ledger(place, lambda: datetime.now(UTC)).close()
    context = multiprocessing.get_context("spawn")
    start, won = context.Barrier(3), context.Queue()
    rivals = [context.Process(target=_rival, args=(place, start, won)) for _ in range(3)]
    for rival in rivals:
        rival.start()
    fired = [number for _ in rivals for number in won.get(timeout=60)]
    for rival in rivals:
        rival.join()
    assert sorted(fired) == list(range(40))
    ledger = Ledger(place, lambda: datetime.now(UTC))
    assert len(list(ledger.events("schedule_fired"))) == 40
    verify(ledger)
    ledger.close()


def test_the_last_the_queued_and_the_unstarted(ledger: Ledger) -> None:
    assert firings.last(ledger, "p") is None
    assert firings.queued(ledger, "p") is None
    firings.fire(ledger, "p", TWO, "a")
    firings.fire(ledger, "p", TWO + DAY, "a", state=State.QUEUED, reason="one is under way")
    last, queued, unstarted = (
        found(ledger, "p") for found in (firings.last, firings.queued, firings.unstarted)
    )
    assert last == queued
    assert queued
    assert (queued.time, queued.reason) == (TWO + DAY, "one is under way")
    assert unstarted
    assert unstarted.time == TWO
    earlier = firings.last(ledger, "p", until=TWO + DAY / 2)
    assert earlier == unstarted
    assert firings.last(ledger, "p", until=TWO - DAY) is None


def test_a_run_is_noted_and_stays_noted(ledger: Ledger) -> None:
    firings.fire(ledger, "p", TWO, "a", state=State.QUEUED)
    assert firings.settle(ledger, "p", TWO, State.FIRED)
    assert firings.settle(ledger, "p", TWO, State.FIRED, "RUN")
    assert not firings.settle(ledger, "p", TWO, State.FIRED)  # a scheduler that looked earlier
    assert firings.unstarted(ledger, "p") is None
    assert firings.of_runs(ledger, ["RUN", "OTHER"])["RUN"].time == TWO
    assert firings.settle(ledger, "p", TWO, State.REPLACED, reason="a newer one")
    assert not firings.settle(ledger, "p", TWO, State.FIRED)
    found = firings.get(ledger, "p", TWO)
    assert found
    assert (found.state, found.run, found.reason) == (State.REPLACED, "RUN", "a newer one")
    assert len(list(ledger.events("schedule_settled"))) == 3


def test_a_schedule_is_seen_once_and_again_when_it_changes(ledger: Ledger, clock: Clock) -> None:
    began = clock()
    assert firings.seen(ledger, "p", "0 2 * * *", "UTC") == began
    clock.move(3600)
    assert firings.seen(ledger, "p", "0 2 * * *", "UTC") == began
    assert firings.seen(ledger, "p", "0 2 * * *", "Asia/Tokyo") == clock()
    assert firings.seen(ledger, "q", "0 2 * * *", "UTC") == clock()
    clock.move(3600)
    assert firings.seen(ledger, "p", None, "UTC") == clock()  # taken away …
    clock.move(3600)
    assert firings.seen(ledger, "p", "0 2 * * *", "Asia/Tokyo") == clock()  # … and back
    assert len(list(ledger.events("schedule_seen"))) == 5


def test_a_pipeline_without_a_schedule_is_not_noted(ledger: Ledger) -> None:
    assert firings.seen(ledger, "p", None, "UTC") == ledger.clock()
    assert not list(ledger.events())


def test_a_clock_that_was_put_back_sees_anew(ledger: Ledger, clock: Clock) -> None:
    firings.seen(ledger, "p", "0 2 * * *", "UTC")
    clock.move(-7200)
    assert firings.seen(ledger, "p", "0 2 * * *", "UTC") == clock()
    assert firings.seen(ledger, "p", "0 2 * * *", "UTC") == clock()
    assert len(list(ledger.events("schedule_seen"))) == 2


def test_unfinished_runs(ledger: Ledger) -> None:
    for name in ("a", "b"):
        request = {"file": "", "text": "", "changes": []}
        asked = {"pipeline": name, "key": "k", "model": name, "request": request, "steps": ["s.t"]}
        beginnings.begin(ledger, Beginning(identity=name.upper(), **asked))  # type: ignore[arg-type]
    assert [run.id for run in runs.unfinished(ledger)] == ["B", "A"]
    runs.end(ledger, "B", runs.State.CANCELLED, None, None)
    assert [run.id for run in runs.unfinished(ledger)] == ["A"]
