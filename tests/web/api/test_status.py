"""How the project stands, over the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.web.pages.test_overview import far  # noqa: F401 - a fixture

from running import until
from seatrial.registry import brakes, gateways
from seatrial.serve.pulse import Pulse

if TYPE_CHECKING:
    from tests.web.pages.conftest import Site
    from tests.web.pages.test_overview import Far

    from .conftest import Program


def test_what_gateways_answer_now_is_told_by_version(
    site: Site,
    robot: Program,
    far: Far,  # noqa: F811
) -> None:
    robot.browser.app.state.pulse = Pulse(far.ask, far.clock)
    opened = site.project
    digest = opened.registry.version("m", 2).digest
    gateways.acknowledge(opened.ledger, "G", "m", 2, digest, gateways.READY, "warn libc: another")

    def versions() -> list[dict[str, object]]:
        found: list[dict[str, object]] = robot.fits("/traffic", "/traffic")["versions"]
        return found

    until(lambda: any(each["per_s"] for each in versions()), "it was looked at twice")
    told = robot.get("/traffic")
    assert told["gateways"][0]["versions"][0]["reason"] == "warn libc: another"
    assert (told["versions"][0]["model"], told["versions"][0]["version"]) == ("m", 2)
    assert robot.fits("/status", "/status")["remarks"][0]["address"] == "http://127.0.0.1:8080"


def test_what_is_held_is_told(site: Site, robot: Program) -> None:
    site.project.ledger.write(lambda t: brakes.freeze(t, "m", "two rollbacks"))
    assert robot.fits("/status", "/status")["held"][0]["what"] == "m is frozen"
    assert robot.fits("/models/{model}", "/models/m")["frozen"]["reason"] == "two rollbacks"
