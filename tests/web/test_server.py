"""The page in its own process, beside a gateway that does not need it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from running import Gateway, Project, serving, until

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAVY = {"numpy", "pyarrow", "duckdb", "onnxruntime", "sklearn", "lightgbm", "onnx", "scipy"}


def test_loads_nothing_heavy_before_a_page_needs_it() -> None:
    code = (
        "import sys, seatrial.web.server;"
        "from seatrial.web.app import routes_of; from seatrial.web import api, pages;"
        f"routes_of(pages); routes_of(api); print([m for m in sys.modules if m in {HEAVY}])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.slow
def test_page_comes_back_and_knows_who_was_logged_in(tmp_path: Path) -> None:
    project = Project(tmp_path)
    made = project.command("token", "create", "anna", "--role", "operator", "--json")
    token = json.loads(made.stdout)["token"]
    with serving(project, "--control-port", "0", wait=False, page=True) as gateway:
        status, headers, text = asked(gateway, "/login")
        assert status == 200
        assert "default-src 'none'" in headers["content-security-policy"]
        for address in re.findall(r'"(/static/[^"]+)"', text):
            assert asked(gateway, address)[0] == 200
        sent = urlencode({"token": token, "next": "/login"})
        status, headers, _ = asked(gateway, "/login", sent)
        assert status == 303
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        pid = started(gateway)
        os.kill(pid, signal.SIGKILL)
        assert gateway.ask("GET", "/v2/health/live")[0] == 200
        until(lambda: started(gateway) != pid, "the page is started again")
        assert "anna" in asked(gateway, "/login", None, cookie)[2]
        pid = started(gateway)
        assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
        gateway.process.kill()
        gateway.process.wait()
        until(lambda: gone(pid), "the page ends with its supervisor", 10)
    listed = json.loads(project.command("token", "list", "--json").stdout)
    assert listed[0]["last_used"] is not None
    assert token not in gateway.errors.read_text()


def asked(
    gateway: Gateway, path: str, form: str | None = None, more: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    """One request to the page, on a connection of its own."""
    assert gateway.control is not None
    host = gateway.control.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=30)
    headers = dict(more or {})
    if form is not None:
        headers |= {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": gateway.control,
        }
    try:
        connection.request("GET" if form is None else "POST", path, form, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        # of several cookies the last one is the session's
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
    finally:
        connection.close()


def started(gateway: Gateway) -> int:
    """The newest process of the page."""
    lines: list[dict[str, Any]] = [
        line
        for line in gateway.logged()
        if line["event"] == "started" and line.get("child") == "web"
    ]
    return int(lines[-1]["child_pid"])


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().split()[2] == "Z"
