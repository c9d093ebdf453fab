"""`seatrial report`: on the screen, as a file, as JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Program, Project


def _run(delivered: Project) -> str:
    ((run,),) = delivered.query("SELECT id FROM run")
    return str(run)


def test_markdown_on_the_screen(delivered: Project, seatrial: Program) -> None:
    run = _run(delivered)
    said = seatrial("report", run[:10])
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("## `ml_model_training_pipeline`: passed\n")
    assert "Version 1 was put into production (before: nothing)." in said.out
    assert "| `evaluate_model.integration_tests` | `accuracy` | 0." in said.out
    assert f"run `{run}` · model `ml_model_training_pipeline` version 1 (`sha256:" in said.out
    assert said.out.endswith("UTC\n")


def test_json_holds_the_document_and_the_markdown(delivered: Project, seatrial: Program) -> None:
    run = _run(delivered)
    told = seatrial("report", run, "--json").json
    assert list(told) == ["document", "markdown"]
    assert told["document"] == seatrial("runs", run, "--json").json
    assert told["markdown"] == seatrial("report", run).out


def test_a_file_by_its_ending(delivered: Project, seatrial: Program) -> None:
    run = _run(delivered)
    said = seatrial("report", run, "-o", "reports/run.md")
    assert (said.code, said.out) == (
        0,
        f"reports/run.md: run {run} of ml_model_training_pipeline\n",
    )
    markdown = (delivered.folder / "reports" / "run.md").read_text()
    assert markdown == seatrial("report", run).out
    assert seatrial("report", run, "--output", "run.JSON").code == 0
    document = json.loads((delivered.folder / "run.JSON").read_text())
    assert document == seatrial("runs", run, "--json").json
    assert [file.name for file in (delivered.folder / "reports").iterdir()] == ["run.md"]


def test_a_page_and_what_continuous_integration_reads(
    delivered: Project, seatrial: Program
) -> None:
    run = _run(delivered)
    for name in ("run.html", "run.xml"):
        assert seatrial("report", run, "-o", name).code == 0
    page = (delivered.folder / "run.html").read_text()
    anchors = re.findall(r'<section id="(\w+)"', page)
    assert {"gates", "distribution", "card", "lineage"} <= {*anchors}
    assert page.count("<svg") > 2
    suites = ET.parse(delivered.folder / "run.xml").getroot()  # noqa: S314 - our own
    assert suites.attrib["failures"] == "0"
    assert suites.find("testsuite/testcase/system-out") is not None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("run.mdd", ["no report ends in '.mdd'", "nearest: .md", "run.html or run.md or run.xml"]),
        ("run.htm", ["no report ends in '.htm'", "nearest: .html"]),
        ("run", ["the file has no ending", "run.xml or run.json"]),
        ("run.pdf", ["no report ends in '.pdf'"]),
    ],
)
def test_an_ending_that_nobody_knows(
    name: str, says: list[str], delivered: Project, seatrial: Program
) -> None:
    said = seatrial("report", _run(delivered), "-o", name)
    assert (said.code, said.out) == (2, "")
    assert all(each in said.err for each in says)
    assert not (delivered.folder / name).exists()


def test_a_place_that_cannot_be_written(delivered: Project, seatrial: Program) -> None:
    said = seatrial("report", _run(delivered), "-o", "pipeline.yaml/run.md")
    assert said.code == 2
    assert "the report cannot be written" in said.err


@pytest.mark.usefixtures("delivered")
def test_a_run_that_is_not_there(seatrial: Program) -> None:
    said = seatrial("report", "nope")
    assert said.code == 2
    assert "no run 'nope' in this project" in said.err
    assert seatrial("report", "").code == 2
