"""A project whose tasks are a third party's probes: quick, and they do what a test says."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios import pipeline
from seatrial import extend
from seatrial import plan as plans
from seatrial.engines import Work, _drive
from seatrial.engines._for_engine import Begun, begin_for_engine
from seatrial.engines._one_step import Performed, one_step
from seatrial.ledger.overlaps import Asked
from seatrial.pipeline.read import read_file
from seatrial.registry.project import Project, open_project
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
class Probing:
    """A project folder, its clock, and what was said on the way."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)

    def write(self, *stages: str) -> None:
        (self.folder / "pipeline.yaml").write_text(pipeline("probing", *stages))

    def open(self) -> Project:
        return open_project(Workspace(self.folder, self.folder / ".seatrial", self.clock))

    def run(self, *changes: str, wait: bool = False) -> _drive.Driven:
        """What ``seatrial run`` does, by the test's clock."""
        plan = plans.make(read_file(self.folder / "pipeline.yaml", changes), self.folder)
        project = self.open()
        try:
            return _drive.drive(Work(project, plan, self.said.append), wait=wait)
        finally:
            project.ledger.close()

    def begin(
        self,
        once: str | None,
        *changes: str,
        policy: str = "skip",
        engine: str = "airflow",
        adopt: bool = False,
        time: datetime | None = None,
    ) -> Begun:
        """What ``seatrial begin`` does, by the test's clock."""
        plan = plans.make(read_file(self.folder / "pipeline.yaml", changes), self.folder)
        with closing((project := self.open()).ledger):
            asked = Asked(policy=policy, engine=engine, once=once, adopt=adopt)
            return begin_for_engine(Work(project, plan, self.said.append), asked, time)

    def step(self, run: str | None, address: str) -> Performed:
        """What ``seatrial step`` does, by the test's clock."""
        assert run
        with closing((project := self.open()).ledger):
            return one_step(project, run, address, self.said.append)

    def calls(self) -> list[str]:
        """The addresses of the probes that were called, in order."""
        file = self.folder / "calls.txt"
        return file.read_text().split() if file.exists() else []


def forget_words() -> None:
    """What was installed is looked up once a process; a test installs more."""
    for known in (extend.names, extend._built_in, extend._installed):
        known.cache_clear()


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(THIRD_PARTY))
    forget_words()
    yield
    monkeypatch.undo()
    forget_words()


@pytest.fixture
def probing(tmp_path: Path, words: None) -> Probing:
    del words
    return Probing(tmp_path)
