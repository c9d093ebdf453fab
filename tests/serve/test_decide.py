"""The scheduler's decisions, driven through months by a clock that the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from seatrial.ledger.firings import State as Fate
from seatrial.pipeline.read import read
from seatrial.serve.decide import (
    Known,
    Record,
    Release,
    Replace,
    Resume,
    Start,
    State,
    decide,
    next_time,
)

if TYPE_CHECKING:
    from seatrial.pipeline import Pipeline

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def _pipeline(more: str = "", name: str = "p", schedule: str = "0 2 * * *") -> Pipeline:
    text = f"name: {name}\nschedule: '{schedule}'\nstages: [{{name: s, tasks: [promote]}}]\n{more}"
    pipeline = read(text, f"{name}.yaml")
    assert not pipeline.mistakes
    return pipeline


@dataclass(slots=True)
class World:
    """What the ledger, the jobs and the clock would be, for one pipeline."""

    pipeline: Pipeline
    now: datetime = BEGAN
    takes: timedelta = HOUR
    waits: bool = False
    seen: datetime = BEGAN
    rows: dict[datetime, tuple[Fate, str | None]] = field(default_factory=dict)
    run: tuple[str, datetime] | None = None
    started: list[datetime] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def look(self) -> State:
        if self.run and self.now >= self.run[1]:
            self.run = None
        past = [time for time in self.rows if time <= self.now]
        fired = [t for t, (fate, _) in self.rows.items() if fate is Fate.FIRED]
        unstarted = next((t for t in fired if t not in self.started), None)
        queued = next((t for t, (fate, _) in self.rows.items() if fate is Fate.QUEUED), None)
        known = Known(
            since=max([self.seen, *past]),
            under_way=self.run[0] if self.run else None,
            unstarted=unstarted,
            queued=queued,
        )
        busy = {self.pipeline.name} if self.run and not self.waits else set()
        return State(known={self.pipeline.name: known}, busy=frozenset(busy))

    def turn(self) -> None:
        for action in decide(self.now, {self.pipeline.name: self.pipeline}, self.look()):
            match action:
                case Record(_, time, fate, reason, replaces):
                    if time not in self.rows:
                        self.rows[time] = fate, reason
                        self._cancel(replaces)
                case Release(_, time):
                    self.rows[time] = Fate.FIRED, self.rows[time][1]
                case Replace(_, run, _):
                    self._cancel(run)
                case Start(_, time):
                    assert self.run is None
                    self.started.append(time)
                    self.run = f"R{len(self.started)}", self.now + self.takes
                case Resume():
                    pytest.fail("nothing was owed")

    def _cancel(self, run: str | None) -> None:
        if run and self.run and self.run[0] == run:
            self.cancelled.append(run)
            self.run = None

    def go(self, until: datetime, step: timedelta = MINUTE) -> None:
        while self.now < until:
            self.now += step
            self.turn()
            self.turn()

    def fates(self) -> list[Fate]:
        return [self.rows[time][0] for time in sorted(self.rows)]


def test_half_a_year_of_nights_in_berlin() -> None:
    world = World(_pipeline("timezone: Europe/Berlin\n"))
    world.go(BEGAN + 180 * DAY, step=HOUR / 2)
    assert len(world.started) == 181
    assert {f"{time:%H:%M}" for time in world.started} == {"01:00", "00:00"}  # UTC
    assert set(world.fates()) == {Fate.FIRED}


def test_nothing_happens_between_times() -> None:
    pipeline = _pipeline()
    state = State(known={"p": Known(since=BEGAN)})
    assert decide(BEGAN + HOUR, {"p": pipeline}, state) == []
    assert next_time(pipeline, BEGAN) == BEGAN + 2 * HOUR
    bare = replace(pipeline, schedule=None)
    assert decide(BEGAN + DAY, {"p": bare}, state) == []
    assert decide(BEGAN + DAY, {"p": pipeline}, State()) == []


def test_skip_says_why() -> None:
    world = World(_pipeline(), takes=30 * HOUR)
    world.go(BEGAN + 2 * DAY)
    assert world.fates() == [Fate.FIRED, Fate.SKIPPED]
    assert world.rows[BEGAN + 26 * HOUR][1] == "run R1 has not ended"
    world.go(BEGAN + 3 * DAY)
    assert world.started == [BEGAN + 2 * HOUR, BEGAN + 50 * HOUR]


@pytest.mark.parametrize("waits", [False, True])
def test_queue_holds_one_and_starts_it_when_the_last_has_ended(*, waits: bool) -> None:
    world = World(_pipeline("overlap: queue\n"), takes=60 * HOUR, waits=waits)
    world.go(BEGAN + 61 * HOUR)
    first, second, third = (BEGAN + hours * HOUR for hours in (2, 26, 50))
    assert world.rows == {
        first: (Fate.FIRED, None),
        second: (Fate.QUEUED, "run R1 has not ended"),
        third: (
            Fate.SKIPPED,
            "run R1 has not ended, and that of 2026-01-02 02:00 UTC is queued",
        ),
    }
    world.go(BEGAN + 63 * HOUR)
    assert world.started == [first, second]
    assert world.rows[second] == (Fate.FIRED, "run R1 has not ended")


@pytest.mark.parametrize("waits", [False, True])
def test_replace_cancels_what_is_under_way(*, waits: bool) -> None:
    world = World(_pipeline("overlap: replace\n"), takes=60 * HOUR, waits=waits)
    world.go(BEGAN + 60 * HOUR)
    assert world.cancelled == ["R1", "R2"]
    assert world.started == [BEGAN + hours * HOUR for hours in (2, 26, 50)]


def test_replace_is_made_up_for_when_the_scheduler_died_before_it() -> None:
    time = BEGAN + 2 * HOUR
    pipelines = {"p": _pipeline("overlap: replace\n")}
    known = Known(since=time, under_way="OLD", unstarted=time)
    assert decide(time, pipelines, State(known={"p": known})) == [Replace("p", "OLD", time)]
    # a job at work may be driving the very run of that time
    busy = State(known={"p": known}, busy=frozenset({"p"}))
    assert decide(time, pipelines, busy) == []


def test_a_time_that_was_fired_and_not_started_is_taken_up() -> None:
    time = BEGAN + 2 * HOUR
    state = State(known={"p": Known(since=time, unstarted=time)})
    subject = Start("p", time).subject
    assert decide(time + 5 * HOUR, {"p": _pipeline()}, state) == [Start("p", time)]
    assert decide(time, {"p": _pipeline()}, replace(state, busy=frozenset({"p"}))) == []
    assert decide(time, {"p": _pipeline()}, replace(state, paused=frozenset({subject}))) == []
    assert decide(time, {}, state) == []


@pytest.mark.parametrize(("catch_up", "started"), [("skip", 1), ("once", 2)])
def test_times_that_were_missed(catch_up: str, started: int) -> None:
    world = World(_pipeline(f"catch_up: {catch_up}\n"))
    world.go(BEGAN + 3 * HOUR)
    world.now = BEGAN + 9 * DAY + 12 * HOUR  # off, for nine days
    world.go(world.now + HOUR)
    assert len(world.started) == started
    last = BEGAN + 9 * DAY + 2 * HOUR
    assert sorted(world.rows) == [BEGAN + 2 * HOUR, last]
    if catch_up == "once":
        assert world.started[-1] == last
    else:
        why = "it passed while no scheduler was running, as did 8 before it"
        assert world.rows[last] == (Fate.SKIPPED, why)


def test_one_run_stands_for_all_that_were_missed_and_for_the_one_that_is_due() -> None:
    world = World(_pipeline("catch_up: once\n"), now=BEGAN + 9 * DAY + 2 * HOUR)
    world.turn()
    assert world.fates() == [Fate.SKIPPED, Fate.FIRED]


def test_a_late_look_still_fires() -> None:
    world = World(_pipeline(), now=BEGAN + 2 * HOUR + timedelta(seconds=90))
    world.turn()
    assert world.fates() == [Fate.FIRED]


def test_times_before_the_first_look_are_never_caught_up() -> None:
    world = World(_pipeline("catch_up: once\n"), now=BEGAN + 12 * HOUR, seen=BEGAN + 12 * HOUR)
    world.go(BEGAN + 13 * HOUR)
    assert not world.rows


def test_a_clock_that_goes_back_fires_nothing_twice() -> None:
    world = World(_pipeline("catch_up: once\n", schedule="0 * * * *"), takes=MINUTE)
    world.go(BEGAN + 6 * HOUR)
    for hours in (1, 3, 5):
        world.now -= hours * HOUR
        world.go(BEGAN + 6 * HOUR)
    assert world.started == [BEGAN + hours * HOUR for hours in range(1, 7)]


def test_a_clock_that_was_decades_ahead_costs_nothing() -> None:
    world = World(_pipeline(schedule="0 * * * *"), takes=MINUTE)
    world.go(BEGAN + 2 * HOUR)
    world.now = BEGAN + 40 * 365 * DAY
    world.go(world.now + 2 * HOUR)
    world.now, world.run = BEGAN + 2 * HOUR, None
    world.go(BEGAN + 4 * HOUR)
    assert [BEGAN + hours * HOUR for hours in (3, 4)] == world.started[-2:]


def test_waits_come_first_and_two_jobs_are_at_work_at_once() -> None:
    time = BEGAN + 2 * HOUR
    pipelines = {name: _pipeline(name=name) for name in "abc"}
    known = {name: Known(since=time, unstarted=time) for name in "abc"}
    state = State(known=known, owed=(("z", "RUN"), ("z", "OTHER")))
    assert decide(time, pipelines, state) == [Resume("z", "RUN"), Start("a", time)]
    assert decide(time, pipelines, replace(state, busy=frozenset("xy"))) == []
    state = replace(state, paused=frozenset({"RUN"}), busy=frozenset("a"))
    assert decide(time, pipelines, state) == [Resume("z", "OTHER")]
