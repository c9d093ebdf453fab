"""What a watch decided happens whole, once, and is told; or nothing has happened."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from seatrial.errors import PassingError
from seatrial.ledger import store
from seatrial.ledger.tables import MESSAGE
from seatrial.ledger.verify import verify
from seatrial.registry import brakes, watches
from seatrial.registry.collect import collect
from seatrial.registry.policy import Policy
from seatrial.registry.project import Project, open_project
from seatrial.registry.registry import PRODUCTION, Move, Version
from seatrial.registry.watches import State, Watch
from seatrial.review import items
from seatrial.review.items import Choice, Item
from seatrial.watch import act as acting
from seatrial.watch.act import Done, act, ask_about, brakes_of
from seatrial.watch.decide import Ask, Brakes, End, Extend, RollBack
from seatrial.watch.needless import close_needless
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.watch.decide import Action

POLICY = Policy(degradation_margin=0.05, metric="accuracy").to_json()
EVIDENCE = {"judged": {"quality": {"value": 0.087}}}
SEEN_AT_THE_END = {"judged": {"quality": {"value": 0.001}}}
HARM = RollBack("0.087 worse on 312 labelled requests", "quality")
FAULTS = RollBack("9 of 9 requests failed within a minute", "guardrail")
PASSED = End(State.PASSED, "known good: at most 0.02 worse")
OPEN = End(State.INCONCLUSIVE, "it may be 0.06 worse; the version stays")


def question(kind: str) -> Ask:
    return Ask(
        kind=kind,
        question="What now?",
        recommended="look",
        on_timeout="keep",
        resolves="more labels",
        reason="it looks so",
    )


class Clock:
    """Begins now (files carry real times) and stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class Production:
    """Versions of ``m`` whose files are a few bytes, delivered by the test."""

    project: Project
    clock: Clock
    made: list[Version] = field(default_factory=list)

    def make(self, model: str = "", **manifest: object) -> Version:
        """A new version, whole; ``model`` are the bytes of its model file."""
        blobs = self.project.registry.blobs
        content = model or f"model {len(self.made) + 1}"
        files = {"model.onnx": blobs.put(content.encode()), "golden.json": blobs.put(b"{}")}
        whole = {"number": len(self.made) + 1, "files": files, **manifest}
        version = self.project.registry.register("m", whole, label="l", run="R", by="run R")
        self.made.append(version)
        return version

    def move(self, version: int, event: str = "promote", by: str = "run R") -> None:
        at = self.project.registry.channel("m", PRODUCTION)
        move = Move(
            model="m",
            channel=PRODUCTION,
            version=version,
            expect=at.revision if at else 0,
            event=event,
            by=by,
            reason="why",
        )
        self.project.registry.move(move, POLICY)

    def deliver(self, model: str = "") -> Version:
        """A new version goes into production."""
        version = self.make(model)
        self.move(version.version)
        return version

    def act(self, action: Action, watch: Watch | None = None) -> Done | None:
        """As the watcher does it, of the watch that lasts."""
        evidence = SEEN_AT_THE_END if isinstance(action, End) else EVIDENCE
        return act(self.project, watch or self.watch, action, evidence)

    @property
    def watch(self) -> Watch:
        found = watches.current(self.project.ledger, "m")
        assert found is not None
        return found

    @property
    def serving(self) -> int:
        at = self.project.registry.channel("m", PRODUCTION)
        assert at is not None
        return at.version

    @property
    def frozen(self) -> str:
        found = brakes.frozen(self.project.ledger, "m")
        return found.reason if found else ""

    def quarantined(self, version: Version) -> bool:
        files: Any = self.project.registry.manifest(version)["files"]
        return brakes.quarantined(self.project.ledger, "m", files["model.onnx"]) is not None

    def damage(self, version: Version, how: str) -> None:
        """Of its model file, or of its manifest."""
        blobs, files = self.project.registry.blobs, self.project.registry.manifest(version)["files"]
        digest = version.digest if how == "manifest" else files["model.onnx"]  # type: ignore[index]
        path = blobs.path(digest)
        content = path.read_bytes()
        path.unlink()
        if how == "folder":  # as good as a file that the disk no longer gives
            path.mkdir()
        elif how != "gone":
            path.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    def kinds(self) -> list[str]:
        return [event.kind for event in self.project.ledger.events()]

    def messages(self) -> list[tuple[str, str, Any]]:
        """What is told: kind, text and data, oldest first."""
        query = sa.select(MESSAGE).order_by(sa.literal_column("rowid"))
        with self.project.ledger.read() as connection:
            rows = connection.execute(query).all()
        bodies = [json.loads(row.body) for row in rows]
        return [
            (row.kind, body["text"], body["data"]) for row, body in zip(rows, bodies, strict=True)
        ]

    def told(self) -> list[str]:
        """The kinds of what is told, of what a watch tells by itself."""
        return [kind for kind, _, _ in self.messages() if not kind.startswith("review")]

    def asked(self) -> list[Item]:
        """The open questions."""
        with self.project.ledger.read() as connection:
            return items.waiting(connection)

    def ever_asked(self) -> list[Item]:
        """Every question."""
        with self.project.ledger.read() as connection:
            return items.everything(connection)

    def state(self) -> Any:
        """All that must be as it was when nothing has happened."""
        last = watches.latest(self.project.ledger, "m")
        return self.project.ledger.head(), self.serving, self.frozen, last, self.messages()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program holds the write lock of the ledger."""
        with closing(sqlite3.connect(self.project.ledger.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Production]:
    """Version 2 has replaced version 1, and is being watched."""
    monkeypatch.setattr(store, "BUSY_TIMEOUT_MS", 20)
    clock = Clock()
    project = open_project(Workspace(tmp_path, tmp_path / ".seatrial", clock))
    made = Production(project, clock)
    made.deliver()
    made.deliver()
    yield made
    verify(project.ledger)
    project.ledger.close()


# The way back


def test_harm_goes_back_to_the_version_that_was_replaced(production: Production) -> None:
    watch, before = production.watch, len(production.kinds())
    done = production.act(HARM)
    assert done == Done(what="rolled_back", model="m", version=2, reason=HARM.reason, to=1)
    assert production.serving == 1
    ended = watches.latest(production.project.ledger, "m")
    assert ended is not None
    assert (ended.state, ended.reason) == (State.FAILED, HARM.reason)
    assert watches.current(production.project.ledger, "m") is None
    assert production.kinds()[before:] == ["channel_moved", "watch_closed", "version_quarantined"]
    assert production.quarantined(production.made[1])
    assert not production.quarantined(production.made[0])
    ((kind, text, told),) = production.messages()
    assert (kind, text) == (
        "rolled_back",
        "m went back from version 2 to version 1: 0.087 worse on 312 labelled requests",
    )
    assert (told["version"], told["to"], told["by"]) == (2, 1, f"watch {watch.id}")


def test_the_history_names_the_watch_and_what_it_had_seen(production: Production) -> None:
    watch = production.watch
    production.act(HARM)
    move = production.project.registry.history("m")[-1]
    assert (move["event"], move["version"], move["by"], move["reason"]) == (
        "rollback",
        1,
        f"watch {watch.id}",
        HARM.reason,
    )
    kept = production.project.registry.blobs.get(str(move["evidence"]))
    assert json.loads(kept) == EVIDENCE


@pytest.mark.parametrize("found", ["watching", "known good"])
def test_what_was_seen_is_never_collected(production: Production, found: str) -> None:
    """Also when the version had passed its watch, and a guardrail found the harm later."""
    watch = production.watch
    if found == "known good":
        production.act(PASSED)
        production.clock.move(days=1)
    assert production.act(FAULTS, watch) is not None
    digest = str(production.project.registry.history("m")[-1]["evidence"])
    production.clock.move(days=400)
    collect(production.project.registry, timedelta(0), timedelta(0))
    assert json.loads(production.project.registry.blobs.get(digest)) == EVIDENCE
    production.project.registry.verify(production.made[1])  # in quarantine: kept to be looked at


def test_what_a_watch_had_seen_at_its_end_is_never_collected(production: Production) -> None:
    production.act(PASSED)
    (ended,) = production.project.ledger.events("watch_closed")
    production.clock.move(days=400)
    collect(production.project.registry, timedelta(0), timedelta(0))
    kept = production.project.registry.blobs.get(str(ended.body["evidence"]))
    assert json.loads(kept) == SEEN_AT_THE_END


def test_the_last_that_passed_a_whole_watch_is_never_collected(production: Production) -> None:
    first, second = production.made
    production.act(PASSED)
    for _ in range(4):  # each is replaced before its watch is over
        production.deliver()
    production.clock.move(days=400)
    dropped = collect(production.project.registry, timedelta(0), timedelta(0)).versions
    assert {each.version for each in dropped} == {first.version, 3}
    production.project.registry.verify(second)


DAMAGE = ("gone", "bits", "manifest", "folder")


@pytest.mark.parametrize("how", DAMAGE)
def test_from_a_damaged_version_to_one_that_passed_a_whole_watch(
    production: Production, how: str
) -> None:
    production.act(PASSED)
    third = production.deliver()  # is replaced before its watch is over
    production.deliver()
    production.damage(third, how)
    done = production.act(HARM)
    assert done is not None
    assert (done.to, production.serving) == (2, 2)


def test_the_latest_that_passed_a_watch_comes_first(production: Production) -> None:
    production.act(PASSED)
    production.clock.move(days=3)
    production.deliver()
    production.act(PASSED)
    production.clock.move(days=3)
    fourth = production.deliver()
    production.deliver()
    production.damage(fourth, "gone")
    done = production.act(HARM)
    assert done is not None
    assert done.to == 3


@pytest.mark.parametrize("how", DAMAGE)
def test_with_no_whole_version_to_go_back_to_what_serves_goes_on(
    production: Production, how: str
) -> None:
    """Version 1 was no better than nothing once; that it served is no proof."""
    second = production.made[1]
    production.deliver()
    production.damage(second, how)
    done = production.act(HARM)
    assert done is not None
    assert (done.what, done.version, done.to) == ("rollback_blocked", 3, None)
    assert production.serving == 3
    assert production.watch.state is State.WATCHING
    assert "m version 2" in production.frozen
    assert "cannot go back" in production.frozen
    (item,) = production.asked()
    assert (item.kind, item.subject) == ("rollback_blocked", "m version 3")
    assert (item.asked.on_timeout, HARM.reason in item.asked.question) == ("keep", True)
    assert production.told() == ["rollback_failed"]
    state = production.state()
    for _ in range(3):
        assert production.act(HARM) is None
    assert production.state() == state


def test_a_version_that_was_known_good_is_no_way_back_from_itself(production: Production) -> None:
    watch = production.watch
    production.act(PASSED)
    production.damage(production.made[0], "bits")
    done = production.act(FAULTS, watch)
    assert done is not None
    assert (done.what, production.serving) == ("rollback_blocked", 2)


def test_damage_of_the_harmful_version_keeps_it_in_production_no_longer(
    production: Production,
) -> None:
    second = production.made[1]
    production.damage(second, "manifest")
    done = production.act(HARM)
    assert done is not None
    assert production.serving == 1
    (kept,) = brakes.all_quarantined(production.project.ledger)
    assert (kept.version, kept.digest) == (2, second.digest)


def test_the_same_model_under_another_number_is_nothing_to_go_back_to(
    production: Production,
) -> None:
    production.act(PASSED)
    production.deliver("model 2")
    watch = production.watch
    done = production.act(FAULTS)
    assert done is not None
    assert (done.what, production.serving) == ("rollback_blocked", 3)
    assert "m version 2 is the same model" in production.frozen
    assert not brakes.all_quarantined(production.project.ledger)
    assert watch.against == 2


# Quarantine


def test_the_same_model_trained_again_is_in_quarantine_too(production: Production) -> None:
    production.act(HARM)
    again = production.make("model 2", seed=7)
    assert again.version == 3
    assert production.quarantined(again)
    assert not production.quarantined(production.make("another"))


def test_what_is_in_quarantine_is_nothing_to_go_back_to(production: Production) -> None:
    first, watch = production.made[0], production.watch
    production.act(PASSED)
    production.act(FAULTS, watch)  # version 2 passed its watch, and fails later
    assert production.serving == 1
    production.clock.move(days=30)
    production.deliver()
    production.damage(first, "gone")
    done = production.act(HARM)
    assert done is not None
    assert done.what == "rollback_blocked"
    assert production.serving == 3
    assert "m version 2 is in quarantine" in production.frozen


# Storms


@pytest.mark.parametrize(
    ("days", "frozen"), [(0.1, True), (6.9, True), (7, True), (7.1, False), (30, False)]
)
def test_a_second_rollback_within_a_week_freezes(
    production: Production,
    days: float,
    frozen: bool,  # noqa: FBT001 - a table
) -> None:
    production.act(HARM)
    assert not production.frozen
    production.clock.move(days=days)
    production.deliver()
    done = production.act(HARM)
    assert done is not None
    assert (done.to, production.serving) == (1, 1)
    assert bool(production.frozen) is frozen
    assert [item.kind for item in production.asked()] == ["storm_freeze"] * frozen
    assert production.told() == ["rolled_back", "rolled_back"] + ["frozen"] * frozen
    if frozen:
        (item,) = production.asked()
        assert (item.subject, item.asked.on_timeout) == ("m", "reject")
        assert production.frozen.startswith("2 rollbacks by itself within 7 days, the last: ")


def test_rollbacks_by_hand_are_no_storm(production: Production) -> None:
    for _ in range(3):
        production.move(1, "rollback", by="ada")
        production.deliver()
    production.act(HARM)
    assert not production.frozen


@pytest.mark.parametrize("choice", [Choice.APPROVE, Choice.REJECT])
def test_a_person_ends_a_freeze(production: Production, choice: Choice) -> None:
    production.act(HARM)
    production.deliver()
    production.act(HARM)
    (item,) = production.asked()
    items.decide(production.project.ledger, item.id, choice, "ada", "the feed was broken")
    assert bool(production.frozen) is (choice is Choice.REJECT)
    if choice is Choice.APPROVE:
        (thawed,) = production.project.ledger.events("model_thawed")
        assert (thawed.body["by"], thawed.body["reason"]) == ("ada", "the feed was broken")


def test_what_keeps_it_from_going_back_is_about_production_alone(production: Production) -> None:
    production.make()  # is staged while version 2 is watched
    assert brakes_of(production.project, "m") == Brakes(promoted=True, rollbacks=0, frozen=False)
    production.act(HARM)
    assert brakes_of(production.project, "m") == Brakes(promoted=False, rollbacks=1, frozen=False)
    production.deliver()
    production.act(HARM)
    assert brakes_of(production.project, "m") == Brakes(promoted=False, rollbacks=2, frozen=True)
    production.clock.move(days=7.1)
    assert brakes_of(production.project, "m").rollbacks == 0


# Once, or not at all


@pytest.mark.parametrize("to", [1, 3])
def test_production_that_was_moved_meanwhile_is_left_alone(production: Production, to: int) -> None:
    watch = production.watch
    production.make()
    production.move(to, by="ada")
    state = production.state()
    for action in (HARM, FAULTS):
        assert production.act(action, watch) is None
    assert production.state() == state


def test_a_move_between_the_look_and_the_move_wins(
    production: Production, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = acting._keep
    production.make()

    def moved_first(project: Project, evidence: Any) -> str:
        production.move(3, by="ada")
        return keep(project, evidence)

    monkeypatch.setattr(acting, "_keep", moved_first)
    assert production.act(HARM) is None
    assert production.serving == 3
    assert not brakes.all_quarantined(production.project.ledger)
    assert production.messages() == []
    assert production.watch.version == 3


ACTIONS: dict[str, Action] = {
    "roll back": HARM,
    "ask": question("retrain"),
    "extend": Extend(datetime(2100, 1, 1, tzinfo=UTC), "too few labels"),
    "pass": PASSED,
    "leave open": OPEN,
    "end without a move": End(State.FAILED, "harm, but a person must say"),
}
every_action = pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)


@every_action
def test_what_was_done_is_not_done_again(production: Production, action: Action) -> None:
    watch = production.watch
    assert production.act(action, watch) is not None
    state = production.state()
    for _ in range(2):
        assert production.act(action, watch) is None
    assert production.state() == state


@every_action
def test_while_the_ledger_is_locked_nothing_happens_and_then_all(
    production: Production, action: Action
) -> None:
    watch, state = production.watch, production.state()
    with production.locked():
        for _ in range(2):
            with pytest.raises(PassingError, match="locked"):
                production.act(action, watch)
        assert production.state() == state
    assert production.act(action, watch) is not None
    assert production.state() != state


@every_action
def test_two_watchers_at_once_do_it_once(production: Production, action: Action) -> None:
    """Each opened the project for itself; one that finds the ledger locked tries again."""
    watch, workspace = production.watch, production.project.workspace
    before, meet = len(production.kinds()), Barrier(2)

    def decided() -> Done | None:
        project = open_project(workspace)
        meet.wait()
        while True:
            try:
                return act(project, watch, action, EVIDENCE)
            except PassingError:
                continue
            finally:
                project.ledger.close()

    with ThreadPoolExecutor(2) as pool:
        done = [each.result() for each in [pool.submit(decided) for _ in range(2)]]
    assert done.count(None) == 1
    assert len(production.messages()) == 1
    appended = production.kinds()[before:]
    assert len(appended) == len(set(appended))


@every_action
def test_what_breaks_on_the_way_undoes_all(
    production: Production, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, open_before = production.state(), production.asked()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(acting, "post", full)
        patched.setattr(items, "tell", full)
        with pytest.raises(OSError, match="No space"):
            production.act(action)
    assert (production.state(), production.asked()) == (state, open_before)
    assert not brakes.all_quarantined(production.project.ledger)


# The end of a watch, and questions


@pytest.mark.parametrize(
    ("action", "kind", "state"),
    [
        (PASSED, "watch_passed", State.PASSED),
        (OPEN, "watch_inconclusive", State.INCONCLUSIVE),
        (ACTIONS["end without a move"], "rollback_failed", State.FAILED),
    ],
)
def test_the_end_is_told_and_the_version_stays(
    production: Production, action: End, kind: str, state: State
) -> None:
    assert production.act(action) is not None
    assert production.serving == 2
    ended = watches.latest(production.project.ledger, "m")
    assert ended is not None
    assert ended.state is state
    ((told, text, data),) = production.messages()
    assert (told, text) == (kind, f"m version 2: {action.reason}")
    kept = production.project.registry.blobs.get(data["evidence"])
    assert json.loads(kept) == SEEN_AT_THE_END


def test_a_longer_watch_says_until_when(production: Production) -> None:
    until = production.clock() + timedelta(days=7)
    production.act(Extend(until, "too few labels"))
    assert production.watch.until == until.isoformat()
    ((kind, text, _),) = production.messages()
    assert kind == "watch_extended"
    assert text.endswith(f"is watched until {until:%Y-%m-%d %H:%M} UTC: too few labels")


def test_a_watch_that_is_over_is_not_extended(production: Production) -> None:
    watch = production.watch
    production.act(PASSED)
    told = production.messages()
    assert production.act(Extend(datetime(2100, 1, 1, tzinfo=UTC), "late"), watch) is None
    assert production.messages() == told


KINDS = ("retrain", "disagreement", "watch_inconclusive", "rollback_blocked")


@pytest.mark.parametrize(
    ("action", "left"),
    [
        (HARM, set()),  # the version has gone
        (PASSED, {"retrain", "rollback_blocked"}),  # as good as the one before: no more is said
        (OPEN, set(KINDS)),
    ],
)
def test_new_evidence_closes_what_it_answers(
    production: Production, action: Action, left: set[str]
) -> None:
    for kind in KINDS:
        done = production.act(question(kind))
        assert done is not None
        assert done.what == kind
    production.act(action)
    assert {item.kind for item in production.asked()} == left


def test_a_question_is_about_the_watch_and_is_asked_once(production: Production) -> None:
    watch = production.watch
    production.act(question("retrain"))
    production.clock.move(hours=1)
    assert production.act(question("retrain")) is None
    (item,) = production.asked()
    assert item.asked.evidence == {
        "watch": watch.id,
        "model": "m",
        "version": 2,
        "against": 1,
        "since": watch.opened,
        "reason": "retrain",
    }
    assert item.asked.question == "What now? Seen: it looks so."
    items.decide(production.project.ledger, item.id, "reject", "ada", "we know")
    assert production.act(question("retrain")) is None
    assert production.asked() == []
    production.deliver()  # another version is another question
    assert production.act(question("retrain")) is not None


# Questions that nobody needs to answer any more


@pytest.mark.parametrize("kind", [*KINDS, "guardrail"])
def test_what_was_asked_of_a_version_that_serves_no_more_is_closed(
    production: Production, kind: str
) -> None:
    if kind == "guardrail":
        ask_about(production.project, "m", 2, FAULTS)
    else:
        production.act(question(kind))
    close_needless(production.project)
    assert [item.kind for item in production.asked()] == [kind]
    production.move(1, "rollback", by="ada")
    close_needless(production.project)
    assert production.asked() == []
    (item,) = production.ever_asked()
    assert (item.status, item.reason) == ("resolved", "version 1 serves now")


def test_a_freeze_that_was_ended_elsewhere_is_asked_about_no_more(production: Production) -> None:
    """A run that the freeze keeps from promoting asks too: whoever answers that ends it."""
    production.act(HARM)
    production.deliver()
    production.act(HARM)
    (asked,) = production.asked()
    of_a_run = replace(asked.asked, subject="p/deploy_model.promote", evidence={"since": "then"})
    production.project.ledger.write(lambda t: items.ask(t, of_a_run))
    close_needless(production.project)
    assert len(production.asked()) == 2
    production.project.ledger.write(lambda t: brakes.thaw(t, "m", "ada", "the feed was broken"))
    close_needless(production.project)
    # the run's own is closed with what becomes of the run
    assert [item.subject for item in production.asked()] == ["p/deploy_model.promote"]


@pytest.mark.parametrize(
    ("model", "why"), [("m", "it is not watched"), ("first", "it replaced nothing")]
)
def test_a_version_that_is_not_watched_and_does_harm_is_a_question(
    production: Production, model: str, why: str
) -> None:
    for again in (False, True):
        done = ask_about(production.project, model, 2, FAULTS)
        assert (done is None) is again
    (item,) = production.asked()
    assert (item.kind, item.subject) == ("guardrail", f"{model} version 2")
    assert item.asked.on_timeout == "keep"
    assert f"go back by itself: {why}. Seen: {FAULTS.reason}." in item.asked.question
    assert production.serving == 2
