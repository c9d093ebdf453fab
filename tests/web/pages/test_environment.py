"""Which machines answer with what serves, what they have proven, and in what they differ."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seatrial import workspace
from seatrial.registry import gateways
from seatrial.registry.gateways import SERVING, Gateway

if TYPE_CHECKING:
    from .conftest import Site


def test_each_gateway_says_how_its_machine_differs(site: Site) -> None:
    ledger, home = site.project.ledger, site.project.workspace.home
    assert "No gateway is running" in site.visitor().get("/environment").text
    with gateways.hold(home, "one"):
        gateways.enter(
            ledger,
            Gateway(
                id="one",
                host=workspace.machine(home),
                pid=os.getpid(),
                address="http://127.0.0.1:8080",
                workers=2,
            ),
        )
        assert "not proven" in site.visitor().get("/environment").text
        digest = site.project.registry.version("m", 2).digest
        why = "warn libc: <glibc> -> musl"
        gateways.acknowledge(ledger, "one", "m", 2, digest, SERVING, why)
        page = site.visitor().get("/environment").text
    assert "answered equally" in page
    assert "warn libc: &lt;glibc&gt; -&gt; musl" in page
    assert "Where it was trained was not recorded." in page


def test_a_model_of_which_nothing_serves(site: Site) -> None:
    site.project.registry.register("n", {"name": "n", "files": {}}, label="l", run="R", by="t")
    page = site.visitor().get("/environment?model=n").text
    assert "is in production." in page
    assert site.visitor().get("/environment?model=nobody").status_code == 404
