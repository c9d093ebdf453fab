"""A whole watch in milliseconds: real log, real models, and a clock that the test moves."""

from __future__ import annotations

import json
import platform
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.tasks.conftest import MODEL
from tests.tasks.traffic import Clocked, Gateway, requests

from seatrial.errors import FormError, PassingError
from seatrial.inference.served import Served
from seatrial.ledger import store
from seatrial.ledger.verify import verify
from seatrial.registry import brakes, watches
from seatrial.registry.registry import PRODUCTION, Move
from seatrial.review import items
from seatrial.watch import watcher as watching
from seatrial.watch.act import act
from seatrial.watch.decide import Ask
from seatrial.watch.guardrails import Vitals
from seatrial.watch.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.tasks.conftest import Project

    from seatrial.registry.watches import Watch
    from seatrial.watch.act import Done
    from seatrial.watch.decide import Action

pytestmark = pytest.mark.slow  # each is quick, and there are many

WITHOUT_SHADOW = (
    "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
)


@dataclass(slots=True)
class Still:
    """A gateway whose workers have counted nothing, or what the test says."""

    answered: int = 0
    faults: int = 0
    crashed: int = 0
    seconds: float = 0.0

    def look(self) -> None:
        self.seconds += 1.0

    def vitals(self, _model: str, _version: int) -> Vitals:
        return Vitals(
            at_s=self.seconds,
            answered=self.answered,
            faults=self.faults,
            crashed=self.crashed,
        )

    def times(self, _model: str, _version: int) -> Sequence[int]:
        return (0,)

    def p99_us(self, _times: Sequence[int]) -> float | None:
        return None


@dataclass(slots=True)
class Sea:
    """Version 2 in production in the place of version 1, traffic, and a watcher."""

    clocked: Clocked
    gateway: Gateway
    gauge: Still = field(default_factory=Still)
    logged: list[dict[str, Any]] = field(default_factory=list)
    watcher: Watcher = field(init=False)
    asked: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.watcher = self.start()

    def start(self) -> Watcher:
        """Another process's watcher."""
        return Watcher(self.clocked.open(), self.gauge, self._log, monotonic=lambda: self.seconds)

    def restart(self) -> None:
        """``serve`` is stopped, and started again."""
        self.watcher.end()
        self.watcher.project.ledger.close()
        self.watcher = self.start()

    def _log(self, event: str, **fields: object) -> None:
        self.logged.append({"event": event, **fields})

    def promote(self, version: int) -> None:
        registry = self.gateway.stores.registry
        now, policy = registry.channel(MODEL, PRODUCTION), registry.policy(MODEL)
        assert now is not None
        assert policy is not None
        registry.move(
            Move(
                model=MODEL,
                channel=PRODUCTION,
                version=version,
                expect=now.revision,
                event="promote",
                by="ada",
                reason="to see it",
            ),
            {**policy, "disagreement": 0.02},
        )

    def requests(
        self, count: int, *, labelled: float = 1.0, wrong: float = 0.0, version: int = 2
    ) -> None:
        """Requests that ``version`` answers; a share gets labels, of which a share is flipped."""
        rows, _, labels = requests(count, 100 + self.asked)
        ids = [f"r{self.asked + n}" for n in range(count)]
        self.asked += count
        random = np.random.default_rng(self.asked)
        flipped = np.where(random.random(count) < wrong, 1 - np.array(labels), labels)
        self.gateway.answer(rows, ids, version)
        self.clocked.clock.move(seconds=1)
        told = int(labelled * count)
        if told:
            self.gateway.label(ids[:told], flipped[:told].tolist(), version)

    def turn(self, times: int = 3) -> None:
        """As many seconds."""
        for _ in range(times):
            self.seconds += 1.0
            self.watcher.turn()

    def pass_hours(self, hours: float) -> None:
        self.clocked.clock.move(hours=hours)
        self.turn()

    @property
    def watch(self) -> Watch:
        found = watches.latest(self.gateway.stores.ledger, MODEL, 2)
        assert found is not None
        return found

    @property
    def production(self) -> int:
        now = self.gateway.stores.registry.channel(MODEL, PRODUCTION)
        assert now is not None
        return now.version

    def questions(self) -> dict[str, items.Item]:
        with self.gateway.stores.ledger.read() as connection:
            return {item.kind: item for item in items.everything(connection)}


def _sea(delivered: Project, **how: Any) -> Clocked:
    delivered.edit(WITHOUT_SHADOW, "")
    clocked = Clocked(delivered)
    if how:
        delivered.rows("training_data", 1500, 7, **how)
    else:
        clocked.retrain()
    went = clocked.run(
        "validate_data.check_distribution.threshold=9",
        "evaluate_model.integration_tests.performance_threshold=0.999",
        "evaluate_model.unit_tests.performance_threshold=0.1",
    )
    assert went.document["model"]["version"] == 2
    return clocked


@pytest.fixture
def good(delivered: Project) -> Iterator[Sea]:
    """Version 2 is nearly the same model as version 1."""
    clocked = _sea(delivered)
    with Gateway(clocked) as gateway:
        sea = Sea(clocked, gateway)
        sea.promote(2)
        yield sea
        sea.watcher.end()
        sea.watcher.project.ledger.close()


@pytest.fixture
def bad(delivered: Project) -> Iterator[Sea]:
    """Version 2 learned mostly noise."""
    clocked = _sea(delivered, noise=3.0)
    with Gateway(clocked) as gateway:
        sea = Sea(clocked, gateway)
        sea.promote(2)
        yield sea
        sea.watcher.end()
        sea.watcher.project.ledger.close()


def test_a_good_version_is_known_good_when_its_time_is_over(good: Sea) -> None:
    good.requests(600)
    good.turn()
    assert good.watch.state == "watching"
    good.pass_hours(47.9)
    assert good.watch.state == "watching"
    good.pass_hours(0.2)
    watch = good.watch
    assert watch.state == "passed"
    assert "labelled requests (at most" in str(watch.reason)
    assert good.production == 2
    assert not good.questions()
    with good.gateway.stores.ledger.read() as connection:
        assert watches.known_good(connection, MODEL) == [2]
    verify(good.gateway.stores.ledger)
    assert not [*good.gateway.stores.workspace.traffic.rglob("*.marks")]  # no longer needed


def test_too_few_labels_watch_on_and_then_a_person_is_asked(good: Sea) -> None:
    good.requests(40)
    good.pass_hours(48.1)
    watch = good.watch
    assert watch.state == "watching"
    assert watch.reason is not None
    assert "on 40 labelled requests" in watch.reason
    good.pass_hours(100)
    assert good.watch.state == "watching"
    good.pass_hours(20)
    assert good.watch.state == "inconclusive"
    assert "the version stays" in str(good.watch.reason)
    item = good.questions()["watch_inconclusive"]
    assert item.asked.on_timeout == "keep"
    assert "more labelled requests" in item.asked.resolves
    assert good.production == 2


def test_what_was_decided_is_not_decided_again_at_every_look(
    good: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that was extended knows its new end: nothing is written until then."""
    good.requests(40)
    good.pass_hours(48.1)
    again: list[Action] = []
    monkeypatch.setattr(watching, "act", lambda _p, _w, action, _e: again.append(action))
    good.turn()
    assert again == []


def test_labels_of_a_few_prove_nothing_of_the_rest(good: Sea) -> None:
    good.requests(600)
    good.requests(4000, labelled=0)
    good.pass_hours(48.1)
    assert good.watch.state == "watching"
    assert "13 % of the answers got a label" in str(good.watch.reason)
    good.requests(600)
    good.turn()
    assert good.watch.state == "passed"


def test_harm_goes_back_at_once_with_its_evidence(bad: Sea) -> None:
    bad.requests(400)
    bad.turn(2)
    assert (bad.production, bad.watch.state) == (1, "failed")
    stores = bad.gateway.stores
    move = stores.registry.history(MODEL)[-1]
    kept: Any = json.loads(stores.registry.blobs.get(str(move["evidence"])))
    assert kept["labels"]["matched"] == 400
    measure = kept["judged"]["quality"]["measure"]
    assert measure["verdict"] == "fail"
    assert measure["low"] > 0
    assert brakes.all_quarantined(stores.ledger)[0].version == 2
    assert bad.logged[-1]["event"] == "rolled_back"
    verify(stores.ledger)


def test_harm_that_begins_late_is_not_hidden_by_the_good_days_before(good: Sea) -> None:
    """From hour 24 on version 2 is wrong on everything; version 1 would have been right."""
    good.requests(1500)
    good.pass_hours(24)
    rows, _, labels = requests(120, 7)
    ids = [f"late{n}" for n in range(len(rows))]
    good.gateway.answer(rows, ids, 2, as_if=-rows)
    good.clocked.clock.move(seconds=1)
    good.gateway.label(ids, labels, 2)
    good.turn()
    assert good.production == 1
    assert "since hour 24" in str(good.watch.reason)


def test_a_bad_week_for_both_is_no_harm_and_a_question(good: Sea) -> None:
    good.requests(600, wrong=0.45)
    good.turn()
    good.requests(600, wrong=0.45)
    good.turn()
    assert (good.production, good.watch.state) == (2, "watching")
    item = good.questions()["retrain"]
    assert "no longer reaches" in item.asked.question
    assert "mean loss 0.4" in item.asked.question
    count = len(good.questions())
    good.turn(5)
    assert len(good.questions()) == count


def test_without_labels_answers_that_differ_are_a_question_and_no_more(bad: Sea) -> None:
    for _ in range(40):
        bad.requests(20, labelled=0)
        bad.turn(1)
    assert (bad.production, bad.watch.state) == (2, "watching")
    assert "share of answers that differ" in bad.questions()["disagreement"].asked.question


def test_answers_are_looked_at_also_after_the_clock_went_back(bad: Sea) -> None:
    bad.turn()
    bad.clocked.clock.move(hours=-3)
    for _ in range(40):
        bad.requests(20, labelled=0)
        bad.turn(1)
    assert "disagreement" in bad.questions()


def test_requests_that_fail_need_no_label(good: Sea) -> None:
    good.turn()
    good.gauge.answered, good.gauge.faults = 50, 50
    good.turn(2)
    assert (good.production, good.watch.state) == (1, "failed")
    assert "50 of 100 requests failed" in str(good.watch.reason)


def test_what_was_gone_back_to_is_not_left_again_by_itself(bad: Sea) -> None:
    bad.requests(400)
    bad.turn(2)
    assert bad.production == 1
    bad.gauge.answered, bad.gauge.faults = 50, 50
    bad.turn(3)
    assert bad.production == 1
    (item,) = bad.questions().values()
    assert item.kind in {"guardrail", "rollback_blocked"}


def test_a_locked_ledger_delays_a_rollback_loudly(
    bad: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 50)
    bad.watcher = bad.start()
    bad.turn()
    bad.requests(400)
    file = bad.gateway.stores.ledger.file
    with closing(sqlite3.connect(file, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        bad.turn(3)
        assert "locked" in bad.watcher.trouble
        assert bad.watcher.told()["trouble"]
        rival.execute("ROLLBACK")
    assert bad.production == 2
    bad.turn(3)
    assert (bad.production, bad.watcher.trouble) == (1, "")
    events = [each["event"] for each in bad.logged]
    assert events.count("watch_in_trouble") == 1
    assert "watch_recovered" in events
    verify(bad.gateway.stores.ledger)


def test_two_watchers_count_a_label_once(good: Sea) -> None:
    good.requests(150)
    rival = good.start()
    good.turn()
    for _ in range(3):
        good.seconds += 1
        rival.turn()
    assert rival.told()["watches"] == []
    assert good.watcher.told()["watches"][0]["labels"] == 150
    good.watcher.end()
    good.requests(30)
    for _ in range(3):
        good.seconds += 1
        rival.turn()
    assert rival.told()["watches"][0]["labels"] == 180
    rival.end()
    rival.project.ledger.close()


def test_a_ledger_that_is_gone_delays_a_rollback_too(bad: Sea) -> None:
    bad.turn()
    bad.requests(400)
    file = bad.gateway.stores.ledger.file
    aside = file.with_name("aside.db")
    file.rename(aside)
    bad.turn()
    assert "cannot read the ledger" in bad.watcher.trouble
    aside.rename(file)
    bad.turn(3)
    assert (bad.production, bad.watcher.trouble) == (1, "")


def test_the_trouble_of_one_model_is_not_that_of_another(
    bad: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another model's watch cannot be taken up: this one's goes on."""
    _watch_another(bad)
    monkeypatch.setattr(bad.watcher, "log", lambda *_event, **_fields: None)
    bad.requests(400)
    bad.turn(3)
    assert "another version 2" in bad.watcher.trouble
    assert bad.production == 1


def test_the_trouble_of_one_model_does_not_stop_deadlines(good: Sea) -> None:
    _watch_another(good)
    good.requests(40)
    good.pass_hours(169)
    assert good.questions()["watch_inconclusive"].status == "open"
    good.clocked.clock.move(hours=25)
    good.seconds += watching.TEND_S
    good.turn(1)
    assert "another version 2" in good.watcher.trouble
    assert good.questions()["watch_inconclusive"].status == "expired"


def test_workers_that_die_are_held_against_what_was_promoted_last(good: Sea) -> None:
    """They serve all models: whose fault it is nobody can tell."""
    good.clocked.clock.move(hours=1)
    _watch_another(good)
    good.turn()
    good.gauge.crashed = 3
    good.turn()
    another = good.gateway.stores.registry.channel("another", PRODUCTION)
    assert another is not None
    assert (another.version, "workers died" in another.reason) == (1, True)
    assert (good.production, good.watch.state) == (2, "watching")


def _watch_another(sea: Sea) -> None:
    """Another model is promoted too, whose files are no models."""
    stores = sea.gateway.stores
    for name in ("one", "two"):
        manifest = {"files": {"model.onnx": stores.registry.blobs.put(f"no model {name}".encode())}}
        version = stores.registry.register("another", manifest, label=name, run="R1", by="ada")
        registry = stores.registry
        now = registry.channel("another", PRODUCTION)
        registry.move(
            Move(
                model="another",
                channel=PRODUCTION,
                version=version.version,
                expect=now.revision if now else 0,
                event="promote",
                by="ada",
                reason="to see it",
            ),
            {"degradation_margin": 0.05, "metric": "accuracy"},
        )


def _counted(sea: Sea) -> int:
    """How many labels a decision would be drawn from."""
    quality = sea.watcher._followed[MODEL].judged()["quality"]
    return quality.measure.n if quality else 0


def test_under_another_name_of_the_machine_no_label_counts_twice(
    good: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container has another name whenever it is started."""
    good.requests(150)
    good.turn()
    monkeypatch.setattr(platform, "node", lambda: "another")
    good.restart()
    good.requests(30)
    good.turn()
    assert _counted(good) == 180


def test_what_a_log_had_shown_counts_although_the_log_was_thrown_away(good: Sea) -> None:
    good.requests(150)
    good.turn()
    shutil.rmtree(good.gateway.stores.workspace.traffic)
    good.restart()
    good.requests(30)
    good.turn()
    good.restart()
    good.turn()
    assert _counted(good) == 180


def test_what_the_watcher_of_another_machine_sees_meanwhile_counts(good: Sea) -> None:
    good.requests(150)
    good.turn()
    ledger, watch = good.gateway.stores.ledger, good.watch.id
    (mine,) = watches.trails(ledger, watch).values()
    for _ in range(2):  # what it keeps takes the place of what it kept before
        ledger.write(lambda t: watches.save(t, watch, "elsewhere", mine))
        good.turn()
        assert _counted(good) == 300
    good.requests(30)
    good.turn()
    assert _counted(good) == 330


@pytest.mark.slow
def test_what_answers_without_labels_have_shown_outlives_a_restart(bad: Sea) -> None:
    for _ in range(40):
        bad.turn(1)
        bad.requests(20, labelled=0)
        bad.turn(1)
        bad.restart()
    assert "disagreement" in bad.questions()


def test_a_person_is_asked_although_the_ledger_was_locked_at_the_end(
    good: Sea, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of the last actions cannot be done now is done later."""
    good.requests(40)
    good.turn()

    def locked(project: Any, watch: Watch, action: Action, evidence: Any) -> Done | None:
        if isinstance(action, Ask):
            raise PassingError("the ledger cannot be used: database is locked")
        return act(project, watch, action, evidence)

    with monkeypatch.context() as patched:
        patched.setattr(watching, "act", locked)
        good.pass_hours(169)
    assert not good.questions()
    good.turn()
    assert good.watch.state == "inconclusive"
    assert "watch_inconclusive" in good.questions()


@pytest.mark.parametrize("how", ["folder", "no model"])
def test_a_version_before_that_cannot_be_opened_leaves_the_guardrails(
    good: Sea, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    registry = good.gateway.stores.registry
    files: Any = registry.manifest(registry.version(MODEL, 1))["files"]
    if how == "folder":  # as good as a file that the disk no longer gives
        path = registry.blobs.path(files["model.onnx"])
        path.unlink()
        path.mkdir()
    else:
        opened = Served.open

        def cannot(model: str, version: int, digest: str, read: Any) -> Served:
            if version == 1:
                raise FormError("onnxruntime cannot open the model")
            return opened(model, version, digest, read)

        monkeypatch.setattr(Served, "open", cannot)
    good.requests(40)
    good.turn()
    assert good.watcher.trouble == ""
    good.pass_hours(169)
    assert good.watch.state == "inconclusive"
    assert "version 1 cannot be read" in str(good.watch.reason)


def test_of_a_ledger_from_a_backup_nothing_is_held_against_another_version(
    good: Sea, tmp_path: Path
) -> None:
    """It gives the place in the chain, and so the name of the watch, to another promotion."""
    registry, file = good.gateway.stores.registry, good.gateway.stores.ledger.file
    now = registry.channel(MODEL, PRODUCTION)
    assert now is not None
    manifest = registry.manifest(registry.version(MODEL, 2))
    registry.register(MODEL, {**manifest, "label": "three"}, label="l", run="R", by="ada")
    good.promote(1)
    registry.ledger.stamp()
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(tmp_path / "b")) as copy:
        source.backup(copy)
    good.promote(2)
    good.requests(150)
    good.turn()
    assert _counted(good) == 150
    shutil.copy(tmp_path / "b", file.with_name("restored"))
    file.with_name("restored").replace(file)
    for tail in ("-wal", "-shm"):
        file.with_name(file.name + tail).unlink(missing_ok=True)
    registry.ledger.stamp()  # opens the file that is there now
    good.promote(3)
    watch = watches.current(registry.ledger, MODEL)
    assert watch is not None
    assert watch.id == good.watcher._followed[MODEL].watch.id
    good.turn()
    assert good.watcher._followed[MODEL].watch.version == 3
    assert _counted(good) == 0


def test_promoted_again_after_the_clock_went_back_it_is_the_new_watch_that_ends(good: Sea) -> None:
    good.turn()
    good.clocked.clock.move(hours=-3)
    stores = good.gateway.stores
    now = stores.registry.channel(MODEL, PRODUCTION)
    assert now is not None
    back = Move(
        model=MODEL,
        channel=PRODUCTION,
        version=1,
        expect=now.revision,
        event="rollback",
        by="ada",
        reason="to see it",
    )
    stores.registry.move(back)
    good.promote(2)
    good.turn()
    good.gauge.answered, good.gauge.faults = 50, 50
    good.turn(2)
    assert (good.production, good.watch.state) == (1, "failed")
