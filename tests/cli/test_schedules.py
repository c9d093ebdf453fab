from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from seatrial import workspace
from seatrial.ledger import firings
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Program

TEXT = """
name: {}
stages: [{{name: s, tasks: [promote]}}]
{}
"""
NIGHTLY = "schedule: 0 2 * * *\ntimezone: Europe/Berlin\noverlap: queue\ncatch_up: once"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(TEXT.format("nightly", NIGHTLY))
    (tmp_path / "b.yaml").write_text(TEXT.format("by_hand", ""))
    (tmp_path / ".seatrial").mkdir()
    return tmp_path


def _note(folder: Path) -> list[datetime]:
    """Three times: fired, skipped, fired."""
    project = open_project(workspace.at(folder))
    times = [datetime(2026, 1, day, 1, tzinfo=UTC) for day in (1, 2, 3)]
    firings.fire(project.ledger, "nightly", times[0], "here:1")
    firings.settle(project.ledger, "nightly", times[0], firings.State.FIRED, "RUN")
    why = "run RUN has not ended"
    firings.fire(
        project.ledger, "nightly", times[1], "here:1", state=firings.State.SKIPPED, reason=why
    )
    firings.fire(project.ledger, "nightly", times[2], "here:1")
    project.ledger.close()
    return times


def test_json(folder: Path, seatrial: Program) -> None:
    times = _note(folder)
    (told,) = seatrial("schedules", "--json").json
    assert {key: told[key] for key in ("pipeline", "schedule", "timezone")} == {
        "pipeline": "nightly",
        "schedule": "0 2 * * *",
        "timezone": "Europe/Berlin",
    }
    assert (told["file"], told["overlap"], told["catch_up"]) == (
        str(folder / "a.yaml"),
        "queue",
        "once",
    )
    coming = [datetime.fromisoformat(each["utc"]) for each in told["next"]]
    assert len(coming) == 5
    assert datetime.now(UTC) < coming[0] < datetime.now(UTC) + timedelta(hours=26)
    for each, at in zip(told["next"], coming, strict=True):
        local = datetime.fromisoformat(each["local"])
        assert local == at
        assert local.utcoffset() == at.astimezone(ZoneInfo("Europe/Berlin")).utcoffset()
    assert told["last"] == [
        {"time": times[2].isoformat(), "state": "fired", "run": None, "reason": None},
        {
            "time": times[1].isoformat(),
            "state": "skipped",
            "run": None,
            "reason": "run RUN has not ended",
        },
        {"time": times[0].isoformat(), "state": "fired", "run": "RUN", "reason": None},
    ]


def test_text(folder: Path, seatrial: Program) -> None:
    _note(folder)
    said = seatrial("schedules")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "nightly: 0 2 * * * in Europe/Berlin; overlap: queue, catch_up: once"
    assert lines[1].split() == ["next", "(Europe/Berlin)", "UTC"]
    assert lines[9].split(maxsplit=4) == [
        "2026-01-02", "01:00", "skipped", "-", "run RUN has not ended",
    ]  # fmt: skip
    assert len(lines) == 11


def test_without_a_schedule(folder: Path, seatrial: Program) -> None:
    (folder / "a.yaml").unlink()
    said = seatrial("schedules")
    assert (said.code, said.err) == (0, "")
    assert "no pipeline here has a schedule" in said.out
    assert seatrial("schedules", "--json").json == []


def test_a_file_with_mistakes_is_told_beside_the_others(folder: Path, seatrial: Program) -> None:
    (folder / "b.yaml").write_text(TEXT.format("by_hand", "schedule: 0 25 * * *"))
    said = seatrial("schedules", "--json")
    assert said.code == 0
    assert [told["pipeline"] for told in said.json] == ["nightly"]
    assert "25 is no hour" in said.err
