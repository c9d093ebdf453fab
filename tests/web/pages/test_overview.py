"""Overview: who serves, what waits and for whom, what the gateways answer; and that it is live."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from running import until
from runs_at_hand import HOSTILE, ask, begin, say
from seatrial import workspace
from seatrial.errors import Mistake, PassingError
from seatrial.evidence.agreement import Tally
from seatrial.gateway.counts import Counts
from seatrial.gateway.scraped import Scraped
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.outcome import Verdict, Wait
from seatrial.registry import brakes, gateways, shadows, watches
from seatrial.registry.policy import Policy
from seatrial.registry.project import open_project
from seatrial.serve.pulse import Pulse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from visiting import Browser

    from .conftest import Site


class Far:
    """A gateway that answers 50 requests more, and one error, at each look two seconds later."""

    def __init__(self) -> None:
        self.looks = 0
        self.silent = False

    def clock(self) -> float:
        return 2.0 * self.looks

    def ask(self, _host: str, _port: int) -> Scraped:
        if self.silent:
            raise PassingError(Mistake("no answer within 0.3 s"))
        self.looks += 1
        many = 50 * self.looks
        counts = Counts(requests=many, errors=self.looks, buckets=[0, 0, 0, many, *[0] * 11])
        return Scraped(2.0 * self.looks, {("m", 2): counts})


@pytest.fixture
def far(site: Site) -> Iterator[Far]:
    """It is alive while the test runs."""
    home = site.project.workspace.home
    with gateways.hold(home, "G"):
        gateway = gateways.Gateway(
            id="G",
            host=workspace.machine(home),
            pid=1,
            address="http://127.0.0.1:8080",
            workers=1,
        )
        gateways.enter(site.project.ledger, gateway)
        yield Far()


def _shown(browser: Browser, path: str = "/live") -> str:
    """The words of a page."""
    page = browser.get(path)
    assert page.status_code == 200, page.text
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_a_new_project_says_how_to_begin(site: Site, tmp_path: Path) -> None:
    opened = open_project(workspace.at(tmp_path / "new"))
    page = type(site)(opened).visitor().get("/")
    assert page.status_code == 200
    assert "<code>seatrial run pipeline.yaml</code>" in page.text
    assert "In production" not in page.text
    opened.ledger.close()


def test_who_serves_since_when_and_why(site: Site) -> None:
    page = site.visitor().get("/")
    assert 'data-live hx-get="/live" hx-trigger="every 2s"' in page.text
    assert '<a href="/models/m"><bdi>m</bdi></a>' in page.text
    shown = _shown(site.visitor())
    assert re.search(r"m version 2 since [-\d]+ [:\d]+ UTC: better", shown)
    assert "No gateway is running" in shown
    assert "<html" not in site.visitor().get("/live").text


def test_what_waits_is_shown_and_for_whom(site: Site) -> None:
    ledger = site.project.ledger
    begin(site.project, "R1", HOSTILE)
    say(site.project, "R1", Wait(until=ledger.clock() + timedelta(days=2), reason=HOSTILE))
    item = ask(site.project, "R1", HOSTILE)
    ledger.write(lambda transaction: brakes.freeze(transaction, "m", HOSTILE))
    for number in range(12):
        begin(site.project, f"S{number:02}")
    runs.end(ledger, "S11", State.FINISHED, Verdict.PASS, 2)
    page = site.visitor().get("/").text
    assert f'href="/reviews/{item.id}"' in page
    assert "Waits for a person" in page
    assert "m is frozen" in page
    assert page.count('href="/runs/') == 1 + 10  # the one under way, and the newest ten
    assert "<b>" not in page
    assert "\u202e" not in page
    assert page.index("Waits for a person") < page.index("Traffic")


def test_what_is_compared_on_live_traffic_is_drawn(site: Site) -> None:
    ledger = site.project.ledger
    policy = Policy(degradation_margin=0.05, metric="accuracy").to_json()
    ledger.write(lambda transaction: watches.open_watch(transaction, 9, "m", 2, 1, policy))
    begin(site.project, "R1")
    wish = shadows.Wish(
        id="R1/a.one",
        run="R1",
        model="m",
        version=3,
        against=2,
        share_percent=5,
        lasts_s=60,
        spec={"disagreement": 0.02, "disagreement_margin": 0.05},
    )
    shadow = shadows.open_shadow(ledger, wish)
    tally = Tally(seen=1000, sampled=500, reached=500, compared=500, disagreed=20)
    shadows.report(ledger, shadow.id, "G", tally.to_json())
    page = site.visitor().get("/").text
    assert "m version 2 is watched" in page
    assert "m version 3 answers in the shadow" in page
    assert "500 of 1000 requests" in page
    drawn = re.search(r'class="chart forest".*?</figure>', page, re.DOTALL)
    assert drawn is not None
    assert "disagreement" in drawn[0]


def test_traffic_is_told_as_it_comes(site: Site, far: Far) -> None:
    browser = site.visitor()
    browser.app.state.pulse = Pulse(far.ask, far.clock)
    assert "is being asked" in _shown(browser)
    until(lambda: "requests so far" in _shown(browser), "one look")
    shown = until(lambda: "99 % within" in (said := _shown(browser)) and said, "two looks")
    rate = 25 + 0.5
    assert f"requests/s {rate} errors 1.96 % 99 % within" in shown
    far.silent = True
    assert until(lambda: "gives no answer" in (said := _shown(browser)) and said, "silence")
