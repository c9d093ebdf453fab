"""How data went over time: hours of traffic with their gaps, hostile names, many columns."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seatrial.registry import drifts

if TYPE_CHECKING:
    from datetime import datetime

    from .conftest import Site

NAME = '<i>"dep_delay"</i>'


def _told(name: str, value: float, verdict: str) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": 0.1, "verdict": verdict}


def _judge(site: Site, hour: datetime, value: float, columns: int = 1) -> None:
    verdict = "fail" if value > 0.1 else "pass"
    told = [_told(f"{NAME}{i or ''}", value / (i + 1), verdict) for i in range(columns)]
    day = {
        "verdict": verdict,
        "rows": 100,
        "hours": 1,
        "columns": told[:5],
        "moved": [NAME] if verdict == "fail" else [],
        "alone": [],
        "evidence": None,
    }
    episode = {"since": hour.isoformat()} if verdict == "fail" else None
    body = {"rows": 100, "measure": "kl", "unit": "nats", "columns": told, "unlogged": []}
    body |= {"day": day, "episode": episode, "note": ""}
    site.project.ledger.write(lambda t: drifts.record(t, "m", 2, hour, verdict, body))


def test_hours_of_traffic_are_drawn_and_told(site: Site) -> None:
    now = site.project.workspace.clock().replace(minute=0, second=0, microsecond=0)
    for ago in (9, 8, 3, 2):  # the hours between were not judged
        _judge(site, now - timedelta(hours=ago), 0.31 if ago < 4 else 0.01)
    page = site.visitor().get("/data")
    assert page.status_code == 200
    assert "traffic of m version 2 moved" in page.text.replace("Traffic", "traffic")
    assert "How far columns moved in each hour" in page.text
    assert 'class="spark"' in page.text
    assert "&lt;i&gt;" in page.text
    assert "<i>" not in page.text


def test_many_columns_stay_small(site: Site) -> None:
    now = site.project.workspace.clock().replace(minute=0, second=0, microsecond=0)
    for ago in range(1, 8):
        _judge(site, now - timedelta(hours=ago), 0.2, columns=500)
    page = site.visitor().get("/data").text
    assert "… and 450 more" in page
    assert len(page) < 200_000


def test_what_is_not_known_is_said(site: Site) -> None:
    page = site.visitor().get("/data?model=m").text
    assert "No full hour of live traffic was judged in the last 7 days." in page
    assert "What its versions were trained on" in page
    assert site.visitor().get("/data?model=nobody").status_code == 404
