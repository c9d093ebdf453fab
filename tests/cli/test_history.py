"""`seatrial history --at`: which version served then, since when, moved by whom, on what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from seatrial.registry.project import open_project
from seatrial.registry.registry import Move, Registry
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Program

KEYS = {"at", "event", "model", "version", "by", "reason", "evidence", "until"}
DIGEST = "sha256:" + "ab" * 32


class Clock:
    """Stands where the test puts it."""

    time = datetime(2025, 11, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is a project in which production was moved a few times."""
    clock = Clock()
    project = open_project(Workspace(tmp_path, tmp_path / ".seatrial", clock))
    for name in ("one", "two"):
        _register(project.registry, "flights", name)
        _register(project.registry, "taxis", name)
    for model, at, version, event, by in (
        ("flights", "2025-11-05T14:00:00+00:00", 1, "promote", "run R1"),
        ("taxis", "2025-11-06T08:00:00+00:00", 1, "promote", "run R2"),
        ("flights", "2025-11-06T09:30:15.500000+00:00", 2, "promote", "run R3"),
        ("flights", "2025-11-07T10:00:00+00:00", 1, "rollback", "watch flights-9"),
        # the clock had run ahead, and was put right
        ("taxis", "2025-11-06T07:00:00+00:00", 2, "promote", "ada"),
    ):
        clock.time = datetime.fromisoformat(at)
        channel = project.registry.channel(model, "production")
        project.registry.move(
            Move(
                model=model,
                channel="production",
                version=version,
                expect=channel.revision if channel else 0,
                event=event,
                by=by,
                reason="0.087 worse" if event == "rollback" else "all gates passed",
                evidence=DIGEST if event == "rollback" else None,
            )
        )
    project.ledger.close()
    monkeypatch.chdir(tmp_path)


def _register(registry: Registry, model: str, name: str) -> None:
    files = {"model.onnx": registry.blobs.put(name.encode())}
    registry.register(model, {"files": files}, label="l{version}", run="R", by="t")


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize(
    ("moment", "version", "until"),
    [
        ("2025-11-05T13:59:59.999999", None, None),
        ("2000-01-01", None, None),
        ("2025-11-05T14:00", 1, "2025-11-06T09:30:15.500000+00:00"),  # exactly at the move
        ("2025-11-06", 1, "2025-11-06T09:30:15.500000+00:00"),
        ("2025-11-06T09:30:15.499999", 1, "2025-11-06T09:30:15.500000+00:00"),
        ("2025-11-06T09:30:15.5", 2, "2025-11-07T10:00:00+00:00"),
        ("2025-11-07T10:00Z", 1, None),
        ("2025-11-20 12:00", 1, None),
        # zones are heeded
        ("2025-11-05T15:00+01:00", 1, "2025-11-06T09:30:15.500000+00:00"),
        ("2025-11-05T14:59:59+01:00", None, None),
        ("2025-11-05T09:00-05:00", 1, "2025-11-06T09:30:15.500000+00:00"),
    ],
)
def test_who_served_then(
    seatrial: Program, moment: str, version: int | None, until: str | None
) -> None:
    told = seatrial("history", "flights", "--at", moment, "--json")
    assert told.code == 0
    assert [(each["version"], each["until"]) for each in told.json] == (
        [] if version is None else [(version, until)]
    )
    assert all(set(each) == KEYS for each in told.json)


@pytest.mark.usefixtures("moved")
def test_it_is_said_in_a_sentence_with_its_evidence(seatrial: Program) -> None:
    said = seatrial("history", "flights", "--at", "2025-11-06T12:00")
    assert said.out.splitlines() == [
        (
            "flights version 2 served, since 2025-11-06 09:30 UTC until 2025-11-07 10:00 UTC:"
            " promote by run R3: all gates passed"
        )
    ]
    said = seatrial("history", "flights", "--at", "2025-11-08")
    assert said.out.splitlines() == [
        (
            "flights version 1 served, since 2025-11-07 10:00 UTC and still does:"
            " rollback by watch flights-9: 0.087 worse"
        ),
        f"  on evidence {DIGEST}",
    ]
    said = seatrial("history", "--at", "2025-11-05T15:00+02:00")
    assert said.out == "nothing was in production at 2025-11-05 13:00 UTC\n"


@pytest.mark.usefixtures("moved")
def test_without_a_model_all_are_told(seatrial: Program) -> None:
    told = seatrial("history", "--at", "2025-11-08", "--json").json
    assert [(each["model"], each["version"]) for each in told] == [("flights", 1), ("taxis", 2)]


@pytest.mark.usefixtures("moved")
def test_a_clock_that_went_back_does_not_hide_what_came_later(seatrial: Program) -> None:
    (told,) = seatrial("history", "taxis", "--at", "2025-11-06T07:30", "--json").json
    assert (told["version"], told["until"]) == (2, None)


@pytest.mark.usefixtures("moved")
def test_the_moves_name_their_evidence(seatrial: Program) -> None:
    told = seatrial("history", "flights", "--json").json
    assert [(each["version"], each["evidence"]) for each in told] == [
        (1, None),
        (2, None),
        (1, DIGEST),
    ]
    assert all(set(each) == KEYS - {"until"} for each in told)
    assert seatrial("history", "--verify").code == 0


@pytest.mark.usefixtures("moved")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--at", "yesterday"], "'yesterday' is no time"),
        (["--at", ""], "'' is no time"),
        (["--at", "2025-13-01"], "'2025-13-01' is no time"),
        (["--at", "2025-11-05T25:00"], "is no time"),
        (["--at", "1730800000"], "is no time"),
        (["--at", "9999-12-31T23:59-05:00"], "is no time"),
        (["--at", "0001-01-01T00:00+05:00"], "is no time"),
        (["--at", "9999-01-01"], "9999-01-01 00:00 UTC is still to come"),
        (["flight", "--at", "2025-11-06"], "no model 'flight'"),
        (["--at", "2025-11-06", "--verify"], "--verify is about the whole ledger"),
    ],
)
def test_nonsense_is_refused(seatrial: Program, words: list[str], says: str) -> None:
    said = seatrial("history", *words)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    (mistake,) = said.mistakes
    assert len(mistake) <= 6
