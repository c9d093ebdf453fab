"""Two versions side by side: what is known at once, and scored only when an operator asks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from running import founding, until
from seatrial.gateway.parent import VARIABLE
from seatrial.registry.tokens import Role

from .conftest import Site

if TYPE_CHECKING:
    from pathlib import Path


def test_what_the_ledger_has_comes_at_once(site: Site) -> None:
    page = site.visitor().get("/compare")
    assert page.status_code == 200
    # without a word: what is staged, beside what serves
    assert re.findall(r'value="(\d)" selected', page.text) == ["3", "2"]
    page = site.visitor().get("/compare?model=m&a=3&b=2")
    assert "version 3" in page.text
    assert "What their runs found" in page.text
    assert "Score both" not in page.text  # who only looks starts nothing
    assert "seatrial compare m@3 m@2" in page.text
    assert "Both are the same version" in site.visitor().get("/compare?a=2&b=2").text


@pytest.mark.parametrize("query", ["model=nobody", "model=m&a=9", "model=m&a=<b>", "a=1&b=x"])
def test_what_there_is_not(query: str, site: Site) -> None:
    page = site.visitor().get(f"/compare?{query}")
    assert page.status_code == 404
    assert "<b>" not in page.text


def test_scoring_needs_an_operator(site: Site) -> None:
    viewer = site.person("vera", Role.VIEWER)
    form = {"model": "m", "a": "3", "b": "2"}
    assert viewer.post("/compare", {**form, "csrf": viewer.word("/models")}).status_code == 403
    assert site.visitor().post("/compare", form).status_code == 401


@pytest.mark.slow
def test_a_real_pair_is_scored_and_its_data_and_machine_are_shown(tmp_path: Path) -> None:
    made = founding(tmp_path / "project")
    made.deliver()
    made.retrain(9)
    with made.stores() as stores:
        grace = Site(stores).person("grace")
        model = stores.registry.versions()[0].model
        before = grace.get("/compare?a=2&b=1").text
        assert "What differs in how they were made" in before
        assert "Nothing differs." in before  # both were trained here
        form = {"model": model, "a": "2", "b": "1", "csrf": grace.word("/models")}
        assert grace.post("/compare", form).status_code == 303
        busy = grace.post("/compare", {**form, "a": "1", "b": "2"})
        assert busy.status_code == 303
        place = f"/compare/scored?model={model}&a=2&b=1"
        assert "that takes seconds" in grace.get(place).text
        until(lambda: "hx-trigger" not in grace.get(place).text, "both are scored", 60)
        found = grace.get("/compare?a=2&b=1").text
        assert "600 rows of validation_data" in found
        assert "Rows on which they differ most" in found
        assert "alone is right" in found
        data = grace.get("/data").text
        assert "training_data, run by run" in data
        assert "0 of 4" in data
        machine = grace.get("/environment").text
        assert "What it was trained in" in machine
        assert "This machine" in machine


def test_scoring_ends_with_the_server_that_asked_for_it(site: Site) -> None:
    folder = str(site.project.workspace.folder)
    words = ["--folder", folder, "--first", "m@1", "--second", "m@2"]
    command = [sys.executable, "-m", "seatrial.web.compared", *words]
    ended = [
        subprocess.run(
            command, env={**os.environ, VARIABLE: str(parent)}, capture_output=True, check=False
        )
        for parent in (os.getpid(), 1)
    ]
    assert ended[0].returncode != 0  # their models are none
    assert ended[0].stderr
    assert (ended[1].returncode, ended[1].stdout, ended[1].stderr) == (0, b"", b"")
