"""What goes wrong between a browser and the page, and what people then see."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

import seatrial
from running import MODEL, until
from runs_at_hand import HOSTILE, begin
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.registry import tokens
from seatrial.registry.tokens import Role
from seatrial.review import items
from seatrial.review.items import Question

from .waters import GOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .people import Person
    from .site import Site

COLUMNS = (
    '<img src=x onerror="alert(1)">',
    'it\'s "quoted" & <b>bold</b>',
    "\u202e\u0627\u0633\u0645 \u05e9\u05dd",
)


@pytest.fixture(scope="module")
def hostile(port: Site) -> str:
    """A run over columns that are called as nobody should call them; they have moved."""
    folder = port.project.folder
    names = ",".join('"' + name.replace('"', '""') + '"' for name in COLUMNS)
    for name, far in (("then", 0), ("now", 3)):
        lines = [f"{n % 7 + far},{n % 5},{n % 11},{n % 2}" for n in range(400)]
        text = "\n".join([f"{names},target", *lines, ""])
        (folder / "data" / f"{name}.csv").write_text(text)
    table = open_table(Dataset("then", folder / "data" / "then.csv"))
    profile.write(profile.make(table), folder / "then.json")
    file = folder / "hostile.yaml"
    file.write_text(
        "name: hostile\nstages:\n  - name: look\n    tasks:\n"
        "      - check_distribution: {dataset: now, reference: then.json, threshold: 0.1}\n"
    )
    return str(seatrial.run(file).document["run"])


def test_names_are_names_whatever_they_are(
    port: Site, hostile: str, person: Callable[..., Person]
) -> None:
    grace = person(width=390)
    grace.goes(f"{port.address}/runs/{hostile}")
    shown = grace.page.locator("main").inner_text()
    assert COLUMNS[0] in shown
    assert COLUMNS[1] in shown
    assert "\u202e" not in shown
    assert grace.page.locator("main img, main b").count() == 0
    assert grace.page.evaluate("document.documentElement.scrollWidth") <= 390
    with port.project.stores() as stores:
        begin(stores, "R1", HOSTILE)
    grace.goes(f"{port.address}/runs?pipeline={quote(HOSTILE)}")
    expect(grace.page.locator("tbody tr")).to_have_count(1)
    assert grace.page.locator("main b").count() == 0


def test_what_is_gone_says_so_in_its_place(
    port: Site, hostile: str, person: Callable[..., Person]
) -> None:
    grace = person()
    grace.goes(f"{port.address}/runs/{hostile}")
    expect(grace.page.locator("main svg").first).to_be_visible()
    with _without_blobs(port.project.home / "blobs"):
        grace.page.reload()
        expect(grace.page.locator("main")).to_contain_text("cannot be shown any more")
        expect(grace.page.locator("main")).to_contain_text(hostile)


def test_a_browser_that_was_left_open_goes_on_after_a_restart(
    port: Site, person: Callable[..., Person]
) -> None:
    grace, ada = person(), person()
    ada.foreseen += ["ERR_CONNECTION_REFUSED", "htmx:sendError", "htmx:afterRequest"]
    _, question = _asked(port, "left open")
    name = port.admit(grace)
    grace.goes(question)
    ada.goes(port.address)
    at = ada.page.locator("[data-live] .hint").first
    before = at.inner_text()
    port.end()
    expect(ada.page.locator("#said")).to_contain_text("The server does not answer")
    port.begin()
    grace.write("Why", "seen before the restart")
    grace.press("Reject", "button")
    expect(grace.page.locator("#said")).to_contain_text("You rejected it")
    expect(grace.page.locator("#history")).to_contain_text(name)
    expect(at).not_to_have_text(before)
    expect(ada.page.locator("#said")).not_to_contain_text("does not answer")


def test_a_token_that_was_taken_away_does_nothing_any_more(
    port: Site, person: Callable[..., Person]
) -> None:
    grace = person()
    grace.foreseen += ["401", "403"]
    name = port.admit(grace)
    _, question = _asked(port, "taken away")
    grace.goes(question)
    grace.write("Why", "I may")
    with port.project.stores() as stores:
        (taken,) = (each for each in tokens.known(stores.ledger) if each.name == name)
        tokens.revoke(stores.ledger, taken.id, "root")
    head = port.head()
    grace.press("Approve", "button")
    expect(grace.page.locator(".note")).to_have_text("I may")
    assert port.head() == head
    grace.press("Log in")
    grace.page.keyboard.type(port.token()[1])
    grace.page.keyboard.press("Enter")
    expect(grace.page.locator(".lead")).to_contain_text("taken away")
    grace.write("Why", "I may again")
    grace.press("Reject", "button")
    expect(grace.page.locator("#said")).to_contain_text("You rejected it")


def test_of_two_reviewers_the_second_is_told_what_the_first_has_decided(
    port: Site, person: Callable[..., Person]
) -> None:
    grace, ada = person(scripts=False), person()
    identity, question = _asked(port, "two at once")
    name = port.admit(grace)
    port.admit(ada)
    for each in (grace, ada):
        each.goes(question)
        each.write("Why", "because")
    grace.press("Approve", "button")
    expect(grace.page.locator("#said")).to_contain_text("You approved it")
    ada.press("Reject", "button")
    expect(ada.page.locator("#said")).to_contain_text(f"{name} has decided already")
    with port.project.stores() as stores:
        assert items.get(stores.ledger, identity).by == name


def test_a_viewer_looks_and_is_offered_nothing_else(
    port: Site, person: Callable[..., Person]
) -> None:
    vera = person()
    vera.foreseen += ["403"]
    port.admit(vera, Role.VIEWER)
    vera.goes(port.model)
    assert vera.page.get_by_role("button", name="Roll back …").count() == 0
    vera.goes(f"{port.model}/rollback")
    expect(vera.page.locator("main")).to_contain_text("it may look, and change nothing")


def test_other_sites_change_nothing_and_their_links_lead_here(
    port: Site, person: Callable[..., Person]
) -> None:
    grace = person()
    grace.foreseen += ["401", "403", "Failed to load resource"]
    name = port.admit(grace)
    identity, question = _asked(port, "from elsewhere")
    forms = {
        f"/reviews/{identity}/decide": {"choice": "approve", "reason": "clicked"},
        f"/models/{MODEL}/rollback": {"to": "2", "expect": "3", "reason": "clicked"},
        "/logout": {},
    }
    head = port.head()
    with _elsewhere(port, forms, question) as address:
        for number in range(len(forms)):
            grace.goes(address)
            grace.page.locator("form button").nth(number).click()
            expect(grace.page.locator("main")).to_be_visible()
        assert port.head() == head
        grace.goes(address)
        grace.page.get_by_role("link", name="the question").click()
        expect(grace.page.locator(".lead")).to_contain_text("from elsewhere")
        expect(grace.page.locator(".who")).to_contain_text(name)
    assert port.serves() == GOOD


def test_a_report_is_whole_in_a_file(
    port: Site, person: Callable[..., Person], tmp_path: Path
) -> None:
    grace = person(width=390)
    file = tmp_path / "report.html"
    answer = grace.page.request.get(f"{port.address}/runs/{port.waters.run}/report.html")
    file.write_bytes(answer.body())
    asked: list[str] = []
    grace.page.on("request", lambda request: asked.append(request.url))
    for scheme in ("light", "dark"):
        grace.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        grace.goes(file.as_uri())
        assert grace.page.evaluate("document.documentElement.scrollWidth") <= 390
        grave = {"serious", "critical"}
        found = [each["id"] for each in Axe().run(grace.page).response["violations"]
                 if each["impact"] in grave]  # fmt: skip
        assert not found
    expect(grace.page.locator("svg").first).to_be_visible()
    assert set(asked) == {file.as_uri()}
    assert grace.page.pdf().startswith(b"%PDF")
    grace.page.emulate_media(media="print")
    back = grace.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}


def test_the_page_itself_may_die(port: Site, person: Callable[..., Person]) -> None:
    grace = person()
    port.admit(grace)
    pid = _started(port)
    os.kill(pid, signal.SIGKILL)
    until(lambda: _started(port) != pid, "the page is begun again")
    until(port.answers, "it answers")
    grace.goes(port.model)
    expect(grace.page.get_by_role("button", name="Roll back …")).to_be_visible()


def _asked(port: Site, question: str) -> tuple[str, str]:
    """Ask something of people; its id, and where it is shown."""
    asked = Question(
        kind="retrain",
        subject=question,
        model=MODEL,
        version=GOOD,
        run=port.waters.run,
        step=None,
        by=None,
        question=f"Is this {question}?",
        recommended="reject",
        options=("approve", "reject"),
        evidence={"about": question},
        resolves="a look",
        hours=10.0,
        on_timeout="keep",
    )
    with port.project.stores() as stores:
        found = stores.ledger.write(lambda transaction: items.ask(transaction, asked))
    return found.id, f"{port.address}/reviews/{found.id}"


def _started(port: Site) -> int:
    """The newest process of the page."""
    lines = port.gateway.logged()
    return int([each for each in lines if each.get("child") == "web"
                and each["event"] == "started"][-1]["child_pid"])  # fmt: skip


@contextmanager
def _without_blobs(folder: Path) -> Iterator[None]:
    """All of them are away as long as the block lasts."""
    aside = folder.with_name("aside")
    shutil.move(folder, aside)
    folder.mkdir()
    try:
        yield
    finally:
        shutil.rmtree(folder)
        shutil.move(aside, folder)


@contextmanager
def _elsewhere(port: Site, forms: dict[str, dict[str, str]], link: str) -> Iterator[str]:
    """The address of a page of another site, with forms that lead here, and a link."""
    text = "".join(
        f'<form method="post" action="{port.address}{path}">'
        + "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        + "<button>win</button></form>"
        for path, fields in forms.items()
    )
    page = f'<!doctype html><link rel="icon" href="data:,">{text}<a href="{link}">the question</a>'

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
