"""A project with three versions, and browsers of people who may look, or change something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from seatrial.registry import tokens
from seatrial.registry.project import open_project
from seatrial.registry.tokens import Role
from seatrial.review.by_hand import PROMOTE, move_by_hand
from seatrial.web.app import application
from seatrial.web.settings import Settings
from seatrial.workspace import Workspace
from visiting import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.registry.project import Project


@dataclass(frozen=True, slots=True)
class Site:
    """The web page of a project."""

    project: Project

    def visitor(self) -> Browser:
        """Somebody without a token."""
        settings = Settings(home=self.project.workspace.home, host="127.0.0.1", port=8081)
        return Browser(application(lambda: open_project(self.project.workspace), settings))

    def person(self, name: str, role: Role = Role.OPERATOR) -> Browser:
        """Somebody who is logged in."""
        browser = self.visitor()
        _, text = tokens.create(self.project.ledger, name, role, "root")
        assert browser.log_in(text).status_code == 303
        browser.get("/login")  # what was said of the login is shown
        return browser


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Versions 1 and 2 of m were in production, version 3 is only staged."""
    workspace = Workspace(tmp_path, tmp_path / ".seatrial")
    opened = open_project(workspace)
    for name in ("a", "b", "c"):
        files = {"model.onnx": opened.registry.blobs.put(f"model {name}".encode())}
        opened.registry.register(
            "m", {"name": name, "files": files}, label="l{version}", run=f"R{name}", by="t"
        )
    move_by_hand(opened, "m", 1, PROMOTE, "first", by="ada")
    move_by_hand(opened, "m", 2, PROMOTE, "better", by="ada")
    yield Site(opened)
    opened.ledger.close()
