"""Pictures of the web page, made anew: ``.venv/bin/python docs/pictures.py``.

Plays the demo, puts a version into production that does harm, and looks at the pages with
Debian's Chromium while requests come. Takes about three minutes; overwrites ``docs/pictures/``.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import expect, sync_playwright

from seatrial.cli._real_water import MODEL, _read

if TYPE_CHECKING:
    from collections.abc import Iterator

from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).parent / "pictures"
LARGEST = 150_000
"""Bytes of a picture."""

COLOURS = 128
SIZES = ((1280, 860), (390, 844))
LABELS = 60
"""So few that nobody knows yet."""

PAUSE_S = 0.01
PATIENCE_MS = 60_000


def main(project: Path) -> None:
    """Write every picture of a project that the demo has left."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("needs chromium: apt-get install chromium")
    token = _seatrial(project, "token", "create", "grace", "--role", "operator", "--json")["token"]
    runs = [
        _seatrial(project, "runs", each["run"], "--json")
        for each in _seatrial(project, "runs", "--json")
    ]
    good, bad = (runs[0]["production"][each] for each in ("before", "after"))
    run = next(
        each["run"]
        for each in runs
        if each["production"]["after"] == good != each["production"]["before"]
    )
    PICTURES.mkdir(exist_ok=True)
    with _served(project) as (gateway, address), sync_playwright() as driver:
        # the demo's last version, which came back by itself
        words = ("--reason", "gusts are known in time now", "--lift-quarantine")
        _seatrial(project, "promote", MODEL, str(bad), *words, "--json")
        with _asked(gateway, project / "later" / "month_06.csv.gz"):
            browser = driver.chromium.launch(executable_path=chromium)
            pages = {
                f"{size[0]}-{scheme}": _opened(browser, size, scheme)
                for size, scheme in itertools.product(SIZES, ("light", "dark"))
            }
            for page in pages.values():
                _log_in(page, address, token)
            for look in (_overview, _run_and_registry, _labelling):
                for how, page in pages.items():
                    look(page, how, address, run)
            browser.close()


def _overview(page: Page, how: str, address: str, _run: str) -> None:
    """While the version is watched, which lasts seconds in the demo."""
    page.goto(address)
    expect(page.get_by_text("degradation.accuracy").first).to_be_attached()
    expect(page.locator("#production .card", has_text="requests")).to_be_visible()
    _take(page, f"overview-{how}")


def _run_and_registry(page: Page, how: str, address: str, run: str) -> None:
    page.goto(f"{address}/runs/{run}")
    _take(page, f"run-{how}")
    page.goto(f"{address}/models/{MODEL}")
    _take(page, f"registry-{how}")


def _labelling(page: Page, how: str, address: str, _run: str) -> None:
    """Of the question with which the watch has ended."""
    page.goto(f"{address}/reviews")
    question = page.locator("main td a").first
    while not question.count():
        page.wait_for_timeout(500)
        page.reload()
    question.click()
    page.get_by_role("link", name="Label the disagreements").click()
    expect(page.locator("#labelling")).to_be_visible()
    begin = page.get_by_role("button", name="Begin")
    if begin.count():
        begin.click()
    expect(page.locator("#labelling progress")).to_be_visible()
    page.locator("#labelling .choices").scroll_into_view_if_needed()
    _take(page, f"labelling-{how}")


def _take(page: Page, name: str) -> None:
    """What is seen without scrolling, in as few colours as one does not miss."""
    file = PICTURES / f"{name}.png"
    with Image.open(BytesIO(page.screenshot())) as seen:
        seen.convert("RGB").quantize(COLOURS).save(file, optimize=True)
    if file.stat().st_size > LARGEST:
        sys.exit(f"{file} is larger than {LARGEST} bytes")


def _opened(browser: Browser, size: tuple[int, int], scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _log_in(page: Page, address: str, token: str) -> None:
    page.goto(f"{address}/login")
    page.fill("#token", token)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("grace")
    page.goto(address)  # what was said of the login is shown once


def _seatrial(folder: Path, *words: str) -> Any:
    """The document that a command prints."""
    command = (sys.executable, "-m", "seatrial", *words)
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, check=True)  # noqa: S603 - ours
    return json.loads(done.stdout)


@contextmanager
def _served(project: Path) -> Iterator[tuple[str, str]]:
    """The project behind `seatrial serve`; where the gateway and the page listen."""
    with (project / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "seatrial", "serve", "--port", "0", "--no-schedules", "--json"],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        told = "".join(itertools.takewhile(lambda line: line != "}\n", process.stdout))
        addresses = json.loads(f"{told}}}")
        yield addresses["address"].removeprefix("http://"), addresses["control"]
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def _asked(gateway: str, month: Path) -> Iterator[None]:
    """Flights are asked about as long as the block lasts; of the first the truth comes back."""
    over = threading.Event()

    def ask() -> None:
        with closing(HTTPConnection(gateway, timeout=30)) as connection:
            for number, (body, late) in enumerate(itertools.cycle(_read(month))):
                if over.is_set():
                    break
                said = _post(connection, "infer", body)
                if number < LABELS:
                    _post(connection, "feedback", json.dumps({"id": said["id"], "label": late}))
                over.wait(PAUSE_S)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def _post(connection: HTTPConnection, what: str, body: str) -> Any:
    connection.request("POST", f"/v2/models/{MODEL}/{what}", body)
    return json.loads(connection.getresponse().read())


if __name__ == "__main__":
    main(Path(_seatrial(Path(), "demo", "--json")["folder"]))
