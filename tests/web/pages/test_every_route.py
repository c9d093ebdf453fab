"""Every address that is answered, by every method, asked by nobody, a viewer and an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.routing import Route

from seatrial.registry import tokens
from seatrial.registry.tokens import Role
from seatrial.web.app import application
from seatrial.web.settings import Settings
from visiting import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Site

PLACES = {
    "model": "m",
    "version": "1",
    "run": "R1",
    "identity": "01ABC",
    "review": "01ABC",
    "ending": "json",
    "stamp": "0",
    "name": "x.css",
}
"""What stands for the parts of a path."""

OF_EVERYBODY = {"/login", "/enter", "/static/{stamp}/{name}"}
"""What is looked at before somebody is known."""

BY_OPERATORS = {
    "/models/{model}/rollback",
    "/models/{model}/promote",
    "/reviews/{identity}/label",
    "/api/v1/reviews/{review}/labels",
}
"""What only an operator may even look at: the next step changes something."""

WITHOUT = {"/login", "/logout"}
"""Changes of nobody's but the browser's own."""

CLOSED = {401, 403}


def at(site: Site, host: str) -> Browser:
    """Somebody without a token, at a port of that address."""
    settings = Settings(home=site.project.workspace.home, host=host, port=8081)
    return Browser(application(lambda: site.project, settings), f"http://{host}:8081")


def shown(site: Site, name: str, role: Role) -> dict[str, str]:
    """The headers of a program with a token; what it sends is of no known kind."""
    text = tokens.create(site.project.ledger, name, role, "root")[1]
    return {"Authorization": f"Bearer {text}", "Content-Type": "text/plain"}


def addresses(browser: Browser, *, reading: bool) -> Iterator[tuple[str, str, str]]:
    """Method, path as it is written in the code, and one such path."""
    for route in browser.app.routes:
        assert isinstance(route, Route), "only routes are guarded by what this test knows"
        for method in sorted(route.methods or ()):
            if (method in {"GET", "HEAD"}) == reading:
                yield method, route.path, route.path.format(**PLACES)


def test_from_elsewhere_nobody_looks_without_a_token(site: Site) -> None:
    browser = at(site, "10.0.0.7")
    asked = [*addresses(browser, reading=True)]
    assert len(asked) > 60
    for method, known, path in asked:
        answer = browser.ask(method, path)
        if known in OF_EVERYBODY:
            assert answer.status_code not in CLOSED, path
        elif method == "GET" and not path.startswith("/api/"):
            assert answer.headers["location"].startswith("/login?next="), path
        else:
            assert answer.status_code == 401, path


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.VIEWER, 403)])
def test_who_is_no_operator_changes_nothing_anywhere(
    site: Site, role: Role | None, status: int
) -> None:
    browser, headers = site.visitor(), {} if role is None else shown(site, "vera", role)
    head = site.project.ledger.head()
    for method, known, path in addresses(browser, reading=False):
        if known not in WITHOUT:
            assert browser.ask(method, path, headers=headers).status_code == status, path
    person = site.visitor() if role is None else site.person("victor", role)
    head = head if role is None else site.project.ledger.head()
    for _, known, path in addresses(browser, reading=False):
        word = {} if role is None else {"csrf": person.word()}
        if known not in WITHOUT:
            assert person.post(path, {**word, "reason": "x"}).status_code == status, path
    assert site.project.ledger.head() == head


def test_a_viewer_looks_at_all_but_what_leads_to_a_change(site: Site) -> None:
    browser, headers = site.visitor(), shown(site, "vera", Role.VIEWER)
    refused = {
        known
        for method, known, path in addresses(browser, reading=True)
        if method == "GET" and browser.get(path, headers=headers).status_code in CLOSED
    }
    assert refused == BY_OPERATORS


def test_an_operator_is_refused_nowhere_and_looking_changes_nothing(site: Site) -> None:
    browser, headers = site.visitor(), shown(site, "olga", Role.OPERATOR)
    head = site.project.ledger.head()
    for reading in (True, False):
        for method, _, path in addresses(browser, reading=reading):
            status = browser.ask(method, path, headers=headers).status_code
            assert status not in CLOSED, path
            assert status < 500, path
    assert site.project.ledger.head() == head
