"""A new ledger in each database, with a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import running
from postgres import postgres
from restarting import stoppable
from seatrial.ledger.store import Ledger
from shared_places import new_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from restarting import Stoppable
    from running import Project

__all__ = ["postgres"]


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger may lie: what asks for it is tested for each database."""
    if request.param == "sqlite":
        return tmp_path / "home" / "ledger.db"
    return new_schema(request.getfixturevalue("postgres"))


@pytest.fixture
def ledger(place: Path | str, clock: Clock) -> Iterator[Ledger]:
    opened = Ledger(place, clock)
    yield opened
    opened.close()


@pytest.fixture
def own() -> Iterator[Stoppable]:
    """A server that the test may stop."""
    with stoppable() as server:
        yield server


@pytest.fixture
def founding(tmp_path: Path) -> Project:
    """The founding pipeline and its data; nothing was run."""
    return running.founding(tmp_path / "project")
