"""Schedules: the times to come and those that have been, of every pipeline file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runs_at_hand import HOSTILE
from seatrial.ledger import firings

if TYPE_CHECKING:
    from .conftest import Site

TEXT = "name: {}\nstages: [{{name: s, tasks: [promote]}}]\n{}\n"
NIGHTLY = 'schedule: "0 2 * * *"\ntimezone: Europe/Berlin\noverlap: queue\n'


def test_what_runs_when_and_why_not(site: Site) -> None:
    folder, ledger = site.project.workspace.folder, site.project.ledger
    (folder / "a.yaml").write_text(TEXT.format("nightly", NIGHTLY))
    (folder / "b.yaml").write_text(TEXT.format("by_hand", ""))
    (folder / "c.yaml").write_text(TEXT.format('"<b>bad</b>"', ""))
    times = [datetime(2026, 1, day, 1, tzinfo=UTC) for day in (1, 2)]
    firings.fire(ledger, "nightly", times[0], "here:1")
    firings.settle(ledger, "nightly", times[0], firings.State.FIRED, "RUN")
    skipped = firings.State.SKIPPED
    firings.fire(ledger, "nightly", times[1], "here:1", state=skipped, reason=HOSTILE)
    page = site.visitor().get("/schedules")
    assert page.status_code == 200
    assert "<code>0 2 * * *</code>" in page.text
    assert page.text.count("<td><time>20") == 5 * 2 + 2
    assert "time (Europe/Berlin)" in page.text
    assert 'href="/runs/RUN"' in page.text
    assert 'class="badge skip">skipped' in page.text
    assert "by_hand" in page.text
    assert "cannot be the name of a pipeline" in page.text
    assert "<b>" not in page.text
    assert "\u202e" not in page.text


def test_nothing_is_scheduled(site: Site) -> None:
    assert "No pipeline here has a schedule" in site.visitor().get("/schedules").text
