"""A version that does harm: seen on the page, taken back there, and by itself; and the history."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import expect

from running import MODEL, until
from seatrial.review.by_hand import PROMOTE, move_by_hand

from .waters import BAD, GOOD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .people import Person
    from .site import Site

WEIGHTS = np.array([1.0, 0.5, -0.3])
FEW = 60
"""Labels, of which no watch rolls back by itself."""


@pytest.fixture(scope="module")
def site(afloat: Callable[[], AbstractContextManager[Site]]) -> Iterator[Site]:
    with afloat() as found:
        yield found


@pytest.fixture
def harmful(site: Site) -> None:
    """The bad version serves, in spite of the gates."""
    with site.project.stores() as stores:
        move_by_hand(stores, MODEL, BAD, PROMOTE, "in spite of the gates", by="ada", lift=True)
    until(lambda: site.gateway.version() == BAD, "the bad version serves")


@contextmanager
def labelled(site: Site, most: int | None = None) -> Iterator[None]:
    """Requests and their true labels, as long as the block lasts or until there are so many."""
    over = threading.Event()

    def ask() -> None:
        random, client = np.random.default_rng(3), site.gateway.client()
        for number in itertools.count():
            if over.is_set() or number == most:
                break
            row = random.normal(size=3).round(3)
            said = client.infer(row.tolist())
            told = json.dumps({"id": said["id"], "label": int(row @ WEIGHTS > 0)})
            client.ask("POST", f"/v2/models/{MODEL}/feedback", told)
        client.connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


@pytest.mark.usefixtures("harmful")
@pytest.mark.parametrize("keys", [False, True], ids=["mouse", "keyboard"])
def test_a_person_sees_it_and_goes_back(
    site: Site, person: Callable[..., Person], *, keys: bool
) -> None:
    grace = person(keys=keys)
    page, name = grace.page, site.admit(grace)
    grace.press("Overview", within="header")
    with labelled(site, FEW):
        watch = page.locator("section", has_text=f"version {BAD} is watched")
        expect(watch.locator("svg").first).to_be_visible()
        expect(watch).to_contain_text("degradation.accuracy")
    grace.press(MODEL)
    expect(page.locator("#production .figure")).to_have_text(f"version {BAD}")
    grace.press("Roll back …", "button")
    expect(page.locator("main")).to_contain_text(f"The watch over version {BAD} ends.")
    grace.write("Why", "worse <b>by far</b>")
    grace.press(f"Roll back to version {GOOD}", "button")
    expect(page.locator("#production .figure")).to_have_text(f"version {GOOD}")
    newest = page.locator("#history tbody tr").first
    for said in ("rollback", name, "worse <b>by far</b>", "still serves"):
        expect(newest).to_contain_text(said)
    assert site.gateway.version() == GOOD
    grace.write("Contains", "in spite")
    grace.press("Filter", "button")
    expect(page.locator("#history tbody tr").first).to_contain_text("promote")


@pytest.mark.usefixtures("harmful")
def test_it_goes_back_by_itself_before_the_eyes_of_somebody(
    site: Site, person: Callable[..., Person]
) -> None:
    grace = person()
    page = grace.page
    grace.goes(site.address)
    expect(page.locator("#production .figure")).to_have_text(f"version {BAD}")
    with labelled(site):
        expect(page.locator("#production .figure")).to_have_text(f"version {GOOD}")
    grace.press(MODEL)
    expect(page.locator("#production")).to_contain_text("worse on")
    expect(page.locator("#production")).to_contain_text(f"version {BAD} since")  # in quarantine
    expect(page.locator("#history tbody tr").first).to_contain_text("watch")
