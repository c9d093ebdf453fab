"""From a run that cannot say to a version in production, and back: by mouse, keys, no scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from running import MODEL, until
from seatrial.ledger.verify import verify

from .waters import CANDIDATE, GOOD

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .people import Person
    from .site import Site

WHY = "customers complain"


def _labels(site: Site, person: Person, most: int = 200) -> int:
    """Label what is asked about until nobody asks; how many. Production is right thrice of five."""
    page, card = person.page, person.page.locator("#labelling")
    for count in range(most):
        progress = card.locator("label[for=progress]")
        if not page.url.endswith("/label"):
            return count
        expect(progress).to_contain_text(f"{count} labelled")
        identity = card.locator(".hint code").first.inner_text()
        answer = str(site.waters.said[identity][count % 5 in {2, 3}])
        if person.keys:
            expect(card).to_be_focused()
            page.keyboard.press(answer)
        else:
            card.get_by_role("button", name=answer, exact=True).click()
        expect(
            progress.get_by_text(f"{count + 1} labelled").or_(page.locator("#decide, .lead"))
        ).to_be_visible()
    return most


def _goes_back(site: Site, person: Person) -> None:
    """Production goes back on its page, and the history says who, when and why."""
    page = person.page
    person.press("Registry", within="header")
    person.press(MODEL)
    expect(page.locator("#production .figure")).to_have_text(f"version {CANDIDATE}")
    person.press("Roll back …", "button")
    expect(page.locator("h1")).to_contain_text(f"to version {GOOD}?")
    person.write("Why", WHY)
    person.press(f"Roll back to version {GOOD}", "button")
    expect(page.locator("#said")).to_contain_text(WHY)
    expect(page.locator("#production .figure")).to_have_text(f"version {GOOD}")
    newest = page.locator("#history tbody tr").first
    for said in ("rollback", WHY, "still serves"):
        expect(newest).to_contain_text(said)
    assert site.gateway.version() == GOOD


def _follows_the_link(site: Site, person: Person) -> None:
    """Of the notification, and looks at what the question rests on."""
    page = person.page
    person.goes(site.told)
    expect(page.locator("h1")).to_contain_text("May evaluate_model.shadow_tests")
    expect(page.locator("#evidence")).to_contain_text("disagreement")
    expect(page.locator("#evidence svg").first).to_be_visible()


@pytest.mark.parametrize(
    "how",
    [{}, {"keys": True}, {"scripts": False}],
    ids=["mouse", "keyboard", "without-scripts"],
)
def test_labels_settle_it_and_it_is_promoted(
    afloat: Callable[[], AbstractContextManager[Site]],
    person: Callable[..., Person],
    how: dict[str, bool],
) -> None:
    grace = person(**how)
    with afloat() as site:
        name = site.admit(grace)
        _follows_the_link(site, grace)
        grace.press("Label the disagreements")
        grace.press("Begin", "button")
        count = _labels(site, grace)
        # on a busy machine fewer requests were compared, and fewer labels settle that
        assert 5 <= count <= 80, grace.page.locator("main").inner_text()
        expect(grace.page.locator("#said")).to_contain_text("pass")
        expect(grace.page.locator("#labels")).to_contain_text(name)
        until(site.delivered, "the candidate serves")
        until(lambda: site.ended(site.waters.run), "the run has ended")
        grace.press("The whole run, with what it found")
        expect(grace.page.locator("h1 .badge")).to_contain_text("passed")
        grace.press("Overview", within="header")
        expect(grace.page.locator("h1")).to_have_text("Overview")
        traffic = grace.page.locator("#traffic tbody tr", has_text="production")
        until(lambda: grace.page.reload() and traffic.is_visible(), "what serves is counted")
        _goes_back(site, grace)
        with site.project.stores() as stores:
            verify(stores.ledger)
