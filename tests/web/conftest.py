"""A control port over an empty project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from control_port import Site
from seatrial.registry.project import open_project
from seatrial.workspace import HOME, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found: Site

    def clock() -> datetime:
        return found.now()

    opened = open_project(Workspace(tmp_path, tmp_path / HOME, clock=clock))
    found = Site(opened)
    yield found
    opened.ledger.close()
