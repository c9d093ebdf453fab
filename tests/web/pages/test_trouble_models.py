"""A model that nothing has promoted yet is a model all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.registry import drifts

if TYPE_CHECKING:
    from .conftest import Site


def test_one_that_was_never_in_production_has_a_page(site: Site) -> None:
    project = site.project
    files = {"model.onnx": project.registry.blobs.put(b"model of another")}
    project.registry.register("another", {"files": files}, label="l{version}", run="Rx", by="t")
    page = site.visitor().get("/models/another")
    assert page.status_code == 200
    assert "Nothing is in production" in page.text
    assert site.visitor().get("/api/v1/models/another").status_code == 200
    assert drifts.terms(project.ledger, "another") == []
