"""Live traffic by the hour, from a log on disk to what is in the ledger and the queue."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sa
from tests.traffic.conftest import recorded

from seatrial.data.drift.limits import Limits
from seatrial.data.profiles.as_read import profiled
from seatrial.data.profiles.profile import encode
from seatrial.errors import StoreError
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.ledger.tables import DRIFT
from seatrial.ledger.verify import verify
from seatrial.registry import drifts
from seatrial.registry.collect import collect
from seatrial.registry.project import Project, open_project
from seatrial.registry.registry import PRODUCTION, Move
from seatrial.review import items
from seatrial.review.items import Status
from seatrial.tasks._drifted import recent_drift
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog
from seatrial.traffic.retention import Keep, retain
from seatrial.watch.drifting import Demand, judge_hour, judge_hours
from seatrial.watch.due_hours import due
from seatrial.watch.needless import close_needless
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.registry.drifts import Hour

BEGIN = datetime(2026, 11, 24, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
READS = Signature((Input("delay", "FP32"), Input("carrier", "BYTES")), "numbers")
CARRIERS = np.array(["AA", "DL", "UA", "B6"], dtype=object)


class Clock:
    def __init__(self) -> None:
        self.time = BEGIN

    def __call__(self) -> datetime:
        return self.time


def features(rows: int, random: np.random.Generator, shift: float = 0.0) -> dict[str, Any]:
    return {
        "delay": (random.normal(size=rows) + shift).astype(np.float32),
        "carrier": CARRIERS[random.integers(0, 4, rows)],
    }


@dataclass
class Serving:
    """A model ``m``, versions of it that learned from rows of one kind, and its log."""

    project: Project
    clock: Clock
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    count: int = 0

    def deliver(self, *, profile: bool = True) -> int:
        registry = self.project.registry
        files = {"model.onnx": registry.blobs.put(b"a model")}
        number = len(registry.versions()) + 1
        if profile:
            told = profiled(features(20_000, np.random.default_rng(number)), "training_data", "f")
            files[drifts.PROFILE] = registry.blobs.put(encode(told))
        manifest = {"number": number, "signature": READS.to_json(), "files": files}
        registry.register("m", manifest, label="l", run="R", by="run R")
        self.promote(number)
        return number

    def promote(self, number: int) -> None:
        at = self.project.registry.channel("m", PRODUCTION)
        revision = at.revision if at else 0
        move = Move(
            model="m", channel=PRODUCTION, version=number, expect=revision,
            event="promote", by="run R", reason="why",
        )  # fmt: skip
        self.project.registry.move(move)

    def answer(self, rows: int, shift: float = 0.0, version: int = 1, **other: Any) -> None:
        """One request of so many rows is answered now, and logged."""
        self.count += 1
        asked = {**features(rows, self.random, shift), **other}
        head = record.head("m", version, self.project.registry.version("m", version).digest)
        answer = Answer(np.zeros(rows, np.float32))
        at_us = int(self.clock.time.timestamp() * 1e6)
        raw = recorded(head, at_us, f"r{self.count}", asked, answer)
        log = TrafficLog(self.project.workspace.traffic, "W", self.clock, lambda _digest: READS)
        log.redact({"m": ()})
        assert log.append([raw]).written == 1
        log.roll(everything=True)

    def hours(
        self, count: int, rows: int = 300, shift: float = 0.0, version: int = 1
    ) -> list[Hour]:
        """So many hours pass, with so many rows in each; they are judged as they end."""
        found = []
        for _ in range(count):
            self.clock.time += timedelta(minutes=20)
            self.answer(rows, shift, version)
            self.clock.time += timedelta(minutes=43)  # three past the hour
            found += self.judge()
            self.clock.time -= timedelta(minutes=3)
        return found

    def judge(self, **limits: Any) -> list[Hour]:
        demand = Demand(Limits(**limits), 24)
        return judge_hours(self.project, lambda _model: demand)

    def asked(self) -> list[items.Item]:
        with self.project.ledger.read() as connection:
            return [item for item in items.everything(connection) if item.kind == "drift"]


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    clock = Clock()
    project = open_project(Workspace(tmp_path, tmp_path / ".seatrial", clock))
    yield Serving(project, clock)
    project.ledger.close()


def test_an_hour_is_judged_once_when_it_is_over(serving: Serving) -> None:
    serving.deliver()
    serving.clock.time += timedelta(minutes=59)
    serving.answer(500)
    serving.clock.time += timedelta(minutes=2)
    assert due(serving.project) == []  # the last rows may still be on their way
    serving.clock.time += timedelta(minutes=1)
    (hour,) = serving.judge()
    assert (hour.hour, hour.verdict, hour.body["rows"]) == (BEGIN.isoformat(), "pass", 500)
    assert (hour.day["verdict"], hour.day["hours"], hour.since) == ("pass", 1, None)
    assert serving.judge() == []
    assert serving.asked() == []
    verify(serving.project.ledger)


def test_a_day_is_the_sum_of_its_hours(serving: Serving) -> None:
    serving.deliver()
    found = serving.hours(26, rows=40)
    assert [hour.day["hours"] for hour in found] == [*range(1, 25), 24, 24]
    assert [hour.day["rows"] for hour in found[-2:]] == [960, 960]
    assert found[0].verdict == "inconclusive"
    assert found[-1].day["verdict"] == "pass"


@pytest.mark.parametrize(
    "forged",
    [
        sa.update(DRIFT).values(verdict="pass").where(DRIFT.c.verdict == "fail"),
        sa.delete(DRIFT),
        sa.insert(DRIFT).values(model="m", version=1, hour="x", at="x", verdict="pass", body="{}"),
    ],
)
def test_an_hour_that_somebody_rewrote_is_found(serving: Serving, forged: sa.Executable) -> None:
    serving.deliver()
    serving.hours(2, shift=1.5)
    verify(serving.project.ledger)
    serving.project.ledger.write(lambda transaction: transaction.connection.execute(forged))
    with pytest.raises(StoreError, match="'drift' differs"):
        verify(serving.project.ledger)


def test_traffic_that_moves_is_told_and_asked_about_once(serving: Serving) -> None:
    serving.deliver()
    serving.hours(4)
    found = serving.hours(6, shift=2.0)
    moved = [hour for hour in found if hour.moved]
    assert moved
    assert moved[0].since == moved[0].hour
    assert moved[-1].since == moved[0].hour
    assert moved[0].moved == ["delay"]
    (item,) = serving.asked()
    assert (item.subject, item.status, item.asked.on_timeout) == ("m version 1", "open", "keep")
    assert "delay" in item.asked.question
    assert item.asked.evidence["columns"] == ["delay"]
    evidence = json.loads(serving.project.registry.blobs.get(str(item.asked.evidence["counts"])))
    assert evidence["rows"] == moved[0].day["rows"]
    assert sum(evidence["columns"]["delay"]["counts"]) == evidence["rows"]
    (told,) = recent_drift(serving.project.registry, "m")
    assert told.what.startswith("live traffic of version 1 moved: delay ")
    verify(serving.project.ledger)


def test_an_answer_moves_nothing_and_holds_while_the_columns_are_the_same(
    serving: Serving,
) -> None:
    serving.deliver()
    serving.hours(3, shift=2.0)
    (item,) = serving.asked()
    items.decide(serving.project.ledger, item.id, "reject", "ada", "we know")
    serving.clock.time += 30 * HOUR  # nobody asks anything for a day, and then the same
    serving.hours(3, shift=2.0)
    assert [each.status for each in serving.asked()] == [Status.REJECTED]
    production = serving.project.registry.channel("m", PRODUCTION)
    assert production is not None
    assert production.version == 1
    serving.clock.time += 30 * HOUR
    serving.hours(1, rows=1000)
    assert recent_drift(serving.project.registry, "m") == ()
    serving.clock.time += 30 * HOUR
    serving.hours(3, shift=2.0)
    # it is another time in which the traffic moved
    assert [each.status for each in serving.asked()] == [Status.OPEN, Status.REJECTED]


def test_a_question_closes_when_a_whole_day_is_like_training(serving: Serving) -> None:
    serving.deliver()
    *_, last = serving.hours(3, shift=2.0)
    serving.clock.time = last.begin + 23 * HOUR
    (calm,) = serving.hours(1, rows=8000)  # the sum of the day is within its limits already
    assert (calm.day["verdict"], calm.day["rows"]) == ("pass", 8300)
    assert calm.since == last.since != last.hour
    assert serving.asked()[0].status is Status.OPEN
    (calm,) = serving.hours(1, rows=2000)
    assert calm.since is None
    (item,) = serving.asked()
    assert (item.status, item.reason) == (
        Status.RESOLVED,
        "a whole day of traffic was like the training data again",
    )


def test_a_question_closes_when_another_version_serves(serving: Serving) -> None:
    serving.deliver()
    serving.hours(3, shift=2.0)
    serving.deliver()
    close_needless(serving.project)
    assert serving.asked()[0].status is Status.RESOLVED


def test_each_version_has_its_part_of_an_hour(serving: Serving) -> None:
    serving.deliver()
    serving.clock.time += timedelta(minutes=10)
    serving.answer(70)
    serving.clock.time += timedelta(minutes=10)
    serving.deliver()
    serving.clock.time += timedelta(minutes=10)
    serving.answer(50, version=2)
    serving.answer(30, version=1)  # asked for by its number: no longer production's traffic
    serving.clock.time = BEGIN + HOUR + timedelta(minutes=5)
    found = serving.judge()
    assert {(hour.version, hour.body["rows"]) for hour in found} == {(1, 70), (2, 50)}


def test_a_version_without_a_profile_is_left_out(serving: Serving) -> None:
    serving.deliver(profile=False)
    assert serving.hours(2) == []
    assert drifts.profile_of(serving.project.registry, "m", 1) is None


@pytest.mark.parametrize("every", [1, 2], ids=["all rows", "every other row"])
@pytest.mark.parametrize("measure", ["kl", "jensen_shannon"])
def test_values_never_heard_of_and_missing_ones(serving: Serving, every: int, measure: str) -> None:
    serving.deliver()
    for _ in range(2):
        asked = features(400, serving.random)
        asked["carrier"][::every] = "ZZ"
        asked["delay"][::every] = np.nan
        serving.clock.time += timedelta(minutes=5)
        serving.answer(400, **asked)
        serving.clock.time += timedelta(minutes=58)
        (found,) = serving.judge(measure=measure)
        serving.clock.time -= timedelta(minutes=3)
    assert sorted(found.moved) == ["carrier", "delay"]
    told = {each["name"]: " ".join(each["changes"]) for each in found.day["columns"]}
    assert f"missing` rose from 0 to {100 // every} %" in told["delay"]
    assert f"rose from 0 to {100 // every} %" in told["carrier"]


def test_what_is_in_the_way_of_one_version_is_not_in_that_of_another(serving: Serving) -> None:
    serving.deliver()
    serving.answer(300)
    serving.clock.time += timedelta(minutes=20)
    serving.deliver()
    serving.answer(300, version=2)
    serving.clock.time += timedelta(minutes=43)
    digest = drifts.profile_of(serving.project.registry, "m", 1)
    assert digest is not None
    serving.project.registry.blobs.path(digest).unlink()
    with pytest.raises(StoreError, match="m version 1"):
        serving.judge()
    assert drifts.latest(serving.project.ledger, "m", 1) is None
    assert drifts.latest(serving.project.ledger, "m", 2) is not None


def test_hours_that_were_missed_are_caught_up_in_order(serving: Serving) -> None:
    serving.deliver()
    for _ in range(3):
        serving.clock.time += timedelta(minutes=30)
        serving.answer(100)
        serving.clock.time += timedelta(minutes=30)
    serving.clock.time += 10 * HOUR
    going_on = iter([True, False])
    demand = Demand(Limits(), 24)
    first = judge_hours(serving.project, lambda _model: demand, lambda: next(going_on))
    rest = serving.judge()
    assert [hour.hour for hour in (*first, *rest)] == [
        (BEGIN + n * HOUR).isoformat() for n in range(3)
    ]
    assert [hour.day["rows"] for hour in (*first, *rest)] == [100, 200, 300]
    assert {hour.body["note"] for hour in rest} == {""}


def test_what_retention_dropped_is_told(serving: Serving) -> None:
    serving.deliver()
    serving.hours(1)
    for _ in range(4):
        serving.clock.time += timedelta(minutes=30)
        serving.answer(100)
        serving.clock.time += timedelta(minutes=30)
    kept_days = 2 / 24
    serving.clock.time += timedelta(minutes=3)
    folder = serving.project.workspace.traffic / "m"
    assert retain(folder, Keep(days=kept_days), serving.clock.time)
    found = serving.judge()
    assert found[0].hour == (BEGIN + 3 * HOUR).isoformat()
    said = "older files of the log are gone (keep_days, keep_gb): hours from 2026-11-24T11Z to"
    assert found[0].body["note"].startswith(said)
    assert found[1].body["note"] == ""


def test_a_kill_between_the_blobs_and_the_ledger_loses_nothing(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.deliver()
    serving.clock.time += timedelta(minutes=30)
    serving.answer(100)
    serving.clock.time += HOUR
    with monkeypatch.context() as patched:
        patched.setattr(drifts, "record", _killed)
        with pytest.raises(KeyboardInterrupt):
            serving.judge()
    assert len(serving.judge()) == 1


def _killed(*_arguments: object) -> bool:
    raise KeyboardInterrupt


def test_two_that_judge_the_same_hour_write_it_once(serving: Serving) -> None:
    serving.deliver()
    serving.clock.time += timedelta(minutes=30)
    serving.answer(100)
    serving.clock.time += HOUR
    other = open_project(serving.project.workspace)
    (span,) = due(other)
    demand = Demand(Limits(), 24)
    assert len(serving.judge()) == 1
    assert judge_hour(other, span, demand) is None
    assert len([*other.ledger.events("traffic_judged")]) == 1
    other.ledger.close()


def test_counts_are_kept_while_a_day_needs_them_and_for_good_when_something_moved(
    serving: Serving,
) -> None:
    serving.deliver()
    (quiet,) = serving.hours(1)
    found = serving.hours(3, shift=2.0)
    serving.clock.time += timedelta(days=60)
    collect(serving.project.registry, timedelta(days=30), grace=timedelta(days=-999))
    has = serving.project.registry.blobs.has
    assert not has(quiet.body["counts"])
    assert has(found[-1].body["counts"])
    assert has(found[-1].day["evidence"])
    assert has(found[-1].body["reference"])
