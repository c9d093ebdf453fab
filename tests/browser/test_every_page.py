"""Every page that a link leads to: whole, quiet, narrow or wide, light or dark, for everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from running import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from .people import Person
    from .site import Site

GRAVE = {"serious", "critical"}
WIDE, NARROW = 1280, 390
KNOWN = {
    "/", "/runs", "/runs/.", "/models", "/models/.", "/models/./rollback", "/reviews",
    "/reviews/.", "/reviews/./label", "/compare", "/data", "/environment", "/schedules", "/login",
}  # fmt: skip
"""What at least is found; the rest of the pages is found by their links."""


def test_opens_without_a_fault(port: Site, person: Callable[..., Person]) -> None:
    grace = person()
    port.admit(grace)
    seen = dict(_crawled(grace, port))
    assert seen.keys() >= KNOWN
    assert not {path: faults for path, faults in seen.items() if faults}


def test_what_is_not_there_is_told_as_well(port: Site, person: Callable[..., Person]) -> None:
    grace = person()
    grace.foreseen += ["404", "nothing"]
    for path in ("/nothing", "/runs/nothing", "/models/nothing", "/reviews/nothing"):
        grace.goes(f"{port.address}{path}")
        assert not _faults(grace.page)


FLIGHT = {
    "month": "1", "day_of_week": "5", "carrier": "UA", "flight": "1545", "tail_number": "N14228",
    "origin": "EWR", "destination": "IAH", "dep_time": "517", "sched_dep_time": "515",
    "dep_delay": "2", "distance": "1400", "air_time": "227", "temperature": "39.02",
    "wind_speed": "12.65858", "wind_gust": "-", "precipitation": "0", "visibility": "10",
}  # fmt: skip
SHOWN_INSTEAD = """(row, columns) => row.replaceChildren(
  ...Object.entries(columns).map(([name, value]) => {
    const next = row.firstElementChild.cloneNode(true);
    next.querySelector("dt").textContent = name;
    next.querySelector("dd").textContent = value;
    return next;
  }))"""


def test_a_row_of_many_columns_is_seen_together_with_the_buttons(
    port: Site, person: Callable[..., Person]
) -> None:
    grace = person(keys=True)
    page = grace.page
    port.admit(grace)
    grace.goes(f"{port.review}/label")
    grace.press("Begin", "button")
    row, buttons = page.locator("#labelling .row"), page.locator("#labelling .choices")
    expect(page.locator("#labelling")).to_be_focused()
    row.evaluate(SHOWN_INSTEAD, FLIGHT)
    for width, height in ((WIDE, 720), (NARROW, 844)):
        page.set_viewport_size({"width": width, "height": height})
        at, below = row.bounding_box(), buttons.bounding_box()
        assert at is not None
        assert below is not None
        assert at["y"] >= 0
        assert at["y"] + at["height"] <= below["y"]
        assert below["y"] + below["height"] <= height
    assert not _faults(page)
    grace.tab_to(buttons.get_by_role("button", name="Cannot be said"))


def _crawled(grace: Person, port: Site) -> Iterator[tuple[str, list[str]]]:
    """One page of each kind, and its faults."""
    waiting = [
        *("/", "/login", "/runs", "/models", "/reviews?all=1", "/schedules"),
        f"/runs/{port.waters.run}",
        f"/models/{MODEL}/rollback",
        f"/reviews/{port.waters.item}/label",
    ]
    kinds: set[str] = set()
    while waiting:
        path = waiting.pop(0)
        kind = _kind(path)
        if kind in kinds:
            continue
        kinds.add(kind)
        grace.goes(f"{port.address}{path}")
        yield kind.partition("?")[0], _faults(grace.page)
        waiting += _links(grace.page, port.address)


def _links(page: Page, address: str) -> list[str]:
    """Where the page leads within the site, but for files to keep."""
    found: list[str] = page.eval_on_selector_all(
        "a[href]:not([download])", "all => all.map((each) => each.href.split('#')[0])"
    )
    return [each.removeprefix(address) for each in found if each.startswith(f"{address}/")]


def _kind(path: str) -> str:
    """What a page shows, whatever it shows it of."""
    parts = urlsplit(path)
    of = re.sub(r"^/(runs|models|reviews)/[^/]+", r"/\1/.", parts.path)
    return f"{of}?{sorted(name for name, _ in parse_qsl(parts.query))}"


def _faults(page: Page) -> list[str]:
    """What is wrong with it at either width, in light and dark, and for who cannot see it."""
    found = []
    looks: list[tuple[int, Literal["light", "dark"]]]
    looks = [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")]
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            found.append(f"{needed} px are needed of {width}")
        found += [
            f"{scheme}, {width} px, {each['id']}: {_where(each)}"
            for each in Axe().run(page).response["violations"]
            if each["impact"] in GRAVE
        ]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDE, "height": 900})
    return found


def _where(violation: dict[str, Any]) -> list[str]:
    return [node["html"][:120] for node in violation["nodes"][:3]]
