"""A queue with a clock that the test moves, and a project whose steps say what a test wants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import extend
from seatrial import plan as plans
from seatrial.engines import Work, _drive
from seatrial.ledger.store import Ledger
from seatrial.pipeline.read import read_file
from seatrial.registry.project import Project, open_project
from seatrial.review import items, person
from seatrial.review.items import Item, Question
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

THIRD_PARTY = Path(__file__).parent / "third_party"


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of a new ledger."""

    ledger: Ledger
    clock: Clock

    def ask(self, **said: Any) -> Item:
        """Ask whether to retrain, unless ``said`` is something else."""
        asking: dict[str, Any] = {
            "kind": "retrain",
            "subject": "flights version 3",
            "model": "flights",
            "version": 3,
            "run": None,
            "step": None,
            "by": None,
            "question": "Both versions got worse. Train a new one?",
            "recommended": "approve",
            "options": ("approve", "reject"),
            "evidence": {"loss": 0.3},
            "resolves": "a version that was trained on newer rows",
            "hours": 10.0,
            "on_timeout": "keep",
        }
        return self.ledger.write(lambda t: items.ask(t, Question(**{**asking, **said})))

    def item(self, identity: str) -> Item:
        with self.ledger.read() as connection:
            return items.fetch(connection, identity)

    def open(self) -> list[Item]:
        with self.ledger.read() as connection:
            return items.waiting(connection)

    def messages(self) -> list[tuple[str, str]]:
        """What was queued to be told: its kind, and about which item."""
        return messages(self.ledger)


def messages(ledger: Ledger) -> list[tuple[str, str]]:
    with ledger.read() as connection:
        rows = connection.exec_driver_sql("SELECT kind, key FROM message ORDER BY rowid")
        return [(kind, key.partition("/")[2]) for kind, key in rows]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Iterator[Queue]:
    ledger = Ledger(tmp_path / "home" / "ledger.db", clock)
    yield Queue(ledger, clock)
    ledger.close()


@dataclass(frozen=True, slots=True)
class Asking:
    """A project folder, its clock, and what was said on the way."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)

    def write(self, *stages: str, settings: str = "") -> None:
        """A pipeline of these stages, each ``NAME`` or ``NAME NUMBER_OF_TASKS``."""
        lines = [f"name: asking\n{settings}", "stages:"]
        for stage in stages:
            name, _, count = stage.partition(" ")
            lines += [f"  - name: {name}", "    tasks:"]
            lines += ["      - opinion: {}"] * int(count or 1)
        (self.folder / "pipeline.yaml").write_text("\n".join(lines) + "\n")
        if not (self.folder / "opinions.json").exists():
            self.opinions()

    def opinions(self, **said: Any) -> None:
        """What the steps say from now on; ``a__b`` is the address ``a.b``."""
        told = {name.replace("__", "."): opinion for name, opinion in said.items()}
        (self.folder / "opinions.json").write_text(json.dumps(told))

    def open(self) -> Project:
        return open_project(Workspace(self.folder, self.folder / ".seatrial", self.clock))

    def run(self, *changes: str) -> _drive.Driven:
        """What ``seatrial run`` does, by the test's clock."""
        plan = plans.make(read_file(self.folder / "pipeline.yaml", changes), self.folder)
        project = self.open()
        try:
            return _drive.drive(Work(project, plan, self.said.append), wait=False)
        finally:
            project.ledger.close()

    def calls(self) -> list[str]:
        """The steps that were asked, in order."""
        return (self.folder / "calls.txt").read_text().split()

    def items(self) -> list[Item]:
        """Every item that ever was, oldest first."""
        with self.open().ledger.read() as connection:
            return items.everything(connection)[::-1]

    def the_open(self) -> Item:
        (item,) = [item for item in self.items() if item.status is items.Status.OPEN]
        return item

    def decide(self, choice: str, by: str = "ada", reason: str = "looked at 30 rows") -> Item:
        return items.decide(self.open().ledger, self.the_open().id, choice, by, reason)


def _forget_words() -> None:
    for known in (extend.names, extend._built_in, extend._installed):
        known.cache_clear()


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    _forget_words()
    yield
    monkeypatch.undo()
    _forget_words()


@pytest.fixture
def asking(tmp_path: Path, words: None, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """A project; whoever begins a run is called grace."""
    del words
    monkeypatch.setattr(person, "name", lambda: "grace")
    return Asking(tmp_path)


UNSURE = {"verdict": "inconclusive", "reason": "40 rows cannot say", "value": 0.85}
