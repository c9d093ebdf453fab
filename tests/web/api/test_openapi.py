"""What is published of the API is what it does."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest

from runs_at_hand import HOSTILE, ask, begin, say
from seatrial.ledger.verify import verify
from seatrial.outcome import Finding, Measure, Outcome, Verdict
from seatrial.web import api
from seatrial.web.api import openapi as published
from seatrial.web.app import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.web.pages.conftest import Site

    from .conftest import Program

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,allow_header_conformance,"
    "response_headers_conformance,response_schema_conformance,unsupported_method,"
    "negative_data_rejection,positive_data_acceptance,missing_required_header"
)

NOT_OF_ANY = ("/labels", "/settled", "/compare", "/openapi.json")
"""What needs more than a question or two versions of nothing; tested where there is more."""

PIPELINE = """name: nightly
schedule: "0 2 * * *"
stages:
  - name: checks
    tasks:
      - check_schema: {dataset: a}
"""


@pytest.fixture
def busy(site: Site, robot: Program) -> Program:
    """A project of which everything has something to tell."""
    (site.project.workspace.folder / "pipeline.yaml").write_text(PIPELINE)
    measure = Measure(name="accuracy", value=0.9, low=0.88, n=9, verdict=Verdict.PASS)
    begin(site.project, "R1", HOSTILE)
    found = Finding(what="odd", where=HOSTILE)
    said = Outcome(verdict=Verdict.PASS, reason="good", measures=(measure,), findings=(found,))
    say(site.project, "R1", said)
    begin(site.project, "R2", model="n")
    item = ask(site.project, "R1", HOSTILE)
    ask(site.project, "R2", "What now?")
    robot.post(f"/reviews/{item.id}/reject", {"reason": HOSTILE})
    return robot


def test_every_address_is_published_and_nothing_else() -> None:
    told = {
        (path, method.upper())
        for path, methods in published.document()["paths"].items()
        for method in methods
    }
    routed = {
        (route.path, method)
        for route in routes_of(api)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert told == routed
    identities = re.findall(r'"operationId": "(\w+)"', json.dumps(published.document()))
    assert len(identities) == len({*identities}) == len(told)


def test_every_document_has_the_keys_that_are_published_and_no_other(busy: Program) -> None:
    item = busy.get("/reviews?all=true")[0]["id"]
    filled = {"{run}": "R1", "{model}": "m", "{version}": "1", "{review}": item}
    seen = 0
    for path, methods in published.document()["paths"].items():
        if "get" in methods and not path.endswith(NOT_OF_ANY):
            below = path.removeprefix("/api/v1")
            busy.fits(below, re.sub(r"\{\w+\}", lambda found: filled[found[0]], below))
            seen += 1
    assert seen == 18


def test_a_refusal_is_as_it_is_published(busy: Program) -> None:
    components = published.document()["components"]
    schema = {"$ref": "#/components/schemas/Error", "components": components}
    for path in ("/runs/R9", "/nothing", "/models/x"):
        jsonschema.validate(busy.get(path, 404), schema)


@pytest.mark.slow
def test_schemathesis_finds_nothing(site: Site, busy: Program, tmp_path: Path) -> None:
    """Hundreds of requests by the published OpenAPI, right and wrong, to a server of its own."""
    item = busy.get("/reviews")[0]["id"]
    document = busy.get("/openapi.json")
    known = {"run": ["R1"], "model": ["m"], "version": ["1", "3"], "review": [item]}
    for methods in document["paths"].values():
        for operation in methods.values():
            for each in operation["parameters"]:
                if each["in"] == "path":  # random names would all be unknown
                    each["schema"]["enum"] = known[each["name"]]
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(document))
    with _served(site.project.workspace.folder) as address:
        said = subprocess.run(
            [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis as s; s()"),
                *("run", str(file), "--url", address, "--checks", CHECKS, "--no-color"),
                *("--max-examples", "12", "--seed", "1", "--workers", "1"),
                *("--phases", "examples,coverage,fuzzing", "--generation-database", "none"),
                *("-H", f"Authorization: {busy.headers['Authorization']}"),
            ],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=tmp_path,
        )
    assert said.returncode == 0, said.stdout[-9000:] + said.stderr[-2000:]
    verify(site.project.ledger)


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The process of the page, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        listening.set_inheritable(True)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "seatrial.web.server", "--folder", str(folder)),
                *("--host", "127.0.0.1", "--port", str(port)),
                *("--socket", str(listening.fileno())),
            ],
            pass_fds=[listening.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
