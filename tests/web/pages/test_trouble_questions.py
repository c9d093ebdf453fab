"""A question whose evidence is gone, or of another release: it can still be decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runs_at_hand import begin
from seatrial.review import items
from seatrial.review.items import Question
from seatrial.review.run_decisions import GATE

if TYPE_CHECKING:
    from .conftest import Site

MEASURE = {
    "name": "disagreement",
    "value": 0.05,
    "low": 0.03,
    "high": 0.09,
    "limit": 0.06,
    "direction": "at_most",
    "n": 400,
    "verdict": "inconclusive",
}


@pytest.mark.parametrize(
    "kept",
    [
        None,
        b"{}",
        b"[]",
        b'{"candidate": 3, "production": 2, "since": "then", "until": "", "offline": {}}',
    ],
)
def test_it_is_shown_and_decided(site: Site, kept: bytes | None) -> None:
    project = site.project
    begin(project, "R1")
    digest = project.registry.blobs.put(kept or b"soon gone")
    asked = Question(
        kind=GATE,
        subject="R1 a.one",
        model="m",
        version=3,
        run="R1",
        step="a.one",
        by=None,
        question="is it good enough?",
        recommended="reject",
        options=("approve", "reject"),
        evidence={"blobs": {"shadow": digest}, "measures": [MEASURE], "run": "R1"},
        resolves="more requests",
        hours=10.0,
        on_timeout="keep",
    )
    item = project.ledger.write(lambda transaction: items.ask(transaction, asked))
    if kept is None:
        project.registry.blobs.path(digest).unlink()
    grace, path = site.person("grace"), f"/reviews/{item.id}"
    page = grace.get(path)
    assert page.status_code == 200
    assert "is it good enough?" in page.text
    assert f"{path}/label" not in page.text
    by_labels = grace.get(f"{path}/label")
    assert "cannot settle a.one" in by_labels.text or "missing" in by_labels.text
    answer = {"choice": "reject", "reason": "looked", "csrf": grace.word(path)}
    assert grace.post(f"{path}/decide", answer).status_code == 303
    assert items.get(project.ledger, item.id).status == "rejected"
