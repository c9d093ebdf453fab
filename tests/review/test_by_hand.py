"""Production is moved by a named person, to a whole version, and only from what they have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.errors import UsageError
from seatrial.registry import brakes
from seatrial.registry.opened import digest_of
from seatrial.registry.project import open_project
from seatrial.registry.registry import MovedError
from seatrial.review.by_hand import (
    PROMOTE,
    ROLLBACK,
    move_by_hand,
    production_of,
    to_go_back_to,
    to_promote,
)
from seatrial.workspace import Workspace

from .conftest import messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.registry.project import Project

    from .conftest import Clock


@pytest.fixture
def project(tmp_path: Path, clock: Clock) -> Iterator[Project]:
    """Versions 1 and 2 of m; nothing serves."""
    opened = open_project(Workspace(tmp_path, tmp_path / ".seatrial", clock))
    for name in ("a", "b"):
        files = {"model.onnx": opened.registry.blobs.put(f"model {name}".encode())}
        opened.registry.register(
            "m", {"name": name, "files": files}, label="l{version}", run="R", by="t"
        )
    yield opened
    opened.ledger.close()


def _revision(project: Project) -> int:
    serving = production_of(project, "m")
    return serving.revision if serving else 0


def test_it_says_what_is_and_what_was_and_who_did_it(project: Project) -> None:
    first = move_by_hand(project, "m", 1, PROMOTE, "agreed", by="ada")
    assert (first.text, first.was) == ("m version 1 is in production (was: nothing)", None)
    second = move_by_hand(project, "m", 2, PROMOTE, "better", by="grace")
    assert second.text == "m version 2 is in production (was: 1)"
    told = [(each["version"], each["by"], each["reason"]) for each in project.registry.history("m")]
    assert told == [(1, "ada", "agreed"), (2, "grace", "better")]
    assert [kind for kind, _ in messages(project.ledger)] == ["promoted", "promoted"]


def test_what_serves_already_is_not_moved(project: Project) -> None:
    move_by_hand(project, "m", 1, PROMOTE, "agreed", by="ada")
    head = project.ledger.head()
    again = move_by_hand(project, "m", 1, PROMOTE, "agreed", by="ada")
    assert (again.changed, again.text) == (
        False,
        "m version 1 is in production already; nothing was changed",
    )
    assert project.ledger.head() == head


def test_whoever_saw_something_else_is_told_and_nothing_moves(project: Project) -> None:
    seen = _revision(project)
    move_by_hand(project, "m", 2, PROMOTE, "agreed", by="ada", expect=seen)
    head = project.ledger.head()
    with pytest.raises(MovedError, match=r"moved since you looked: version 2 serves .*agreed"):
        move_by_hand(project, "m", 1, PROMOTE, "other", by="grace", expect=seen)
    with pytest.raises(MovedError):  # a form that was sent twice
        move_by_hand(project, "m", 2, PROMOTE, "agreed", by="ada", expect=seen)
    assert project.ledger.head() == head


def test_a_reason_is_needed(project: Project) -> None:
    with pytest.raises(UsageError, match="a reason is needed"):
        move_by_hand(project, "m", 1, PROMOTE, " \n", by="ada")


def test_a_quarantine_is_only_lifted_by_who_says_so(project: Project) -> None:
    digest = digest_of(project.registry, project.registry.version("m", 2))
    project.ledger.write(lambda t: brakes.quarantine(t, "m", 2, digest, "0.1 worse"))
    with pytest.raises(UsageError, match=r"in quarantine since .*: 0\.1 worse"):
        move_by_hand(project, "m", 2, PROMOTE, "sure", by="ada")
    move_by_hand(project, "m", 2, PROMOTE, "sure", by="ada", lift=True)
    assert not brakes.all_quarantined(project.ledger)


def test_which_version_is_meant_where_none_is_named(project: Project) -> None:
    assert to_promote(project, "m", None) == 2  # what is staged
    assert to_promote(project, "m", 1) == 1
    with pytest.raises(UsageError, match="no earlier production version"):
        to_go_back_to(project, "m", None)
    move_by_hand(project, "m", 1, PROMOTE, "first", by="ada")
    with pytest.raises(UsageError, match="version 2 of m was never in production"):
        to_go_back_to(project, "m", 2)
    move_by_hand(project, "m", 2, PROMOTE, "second", by="ada")
    assert to_go_back_to(project, "m", None) == 1
    moved = move_by_hand(project, "m", 1, ROLLBACK, "complaints", by="ada")
    assert (moved.version.version, moved.was) == (1, 2)
    assert to_go_back_to(project, "m", None) == 2
    with pytest.raises(UsageError, match="no model 'n' in this project"):
        to_go_back_to(project, "n", None)
