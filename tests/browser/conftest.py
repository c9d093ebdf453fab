"""A real browser before a real `seatrial serve`, over projects that were made once."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from running import MODEL, Project
from seatrial.review.by_hand import PROMOTE, ROLLBACK, move_by_hand

from .people import Person
from .site import Site, served
from .waters import BAD, GOOD, Waters, made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser

CHROMIUM = shutil.which("chromium")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it is slow, needs Chromium, and shares what was made once."""
    here = Path(__file__).parent
    marks: list[pytest.MarkDecorator] = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
    if CHROMIUM is None:
        marks.append(pytest.mark.skip(reason="needs Debian's chromium: apt-get install chromium"))
    for item in items:
        if here in item.path.parents:
            for mark in marks:
                item.add_marker(mark)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: as long as it is there, nobody else can run an event loop."""
    with sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def _waters(tmp_path_factory: pytest.TempPathFactory) -> Waters:
    return made(tmp_path_factory.mktemp("waters") / "project")


@pytest.fixture(scope="session")
def afloat(
    _waters: Waters, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], AbstractContextManager[Site]]:
    """Serves a copy of the project as long as the block lasts."""

    @contextmanager
    def serve() -> Iterator[Site]:
        folder = tmp_path_factory.mktemp("afloat") / "project"
        copy = Project(Path(shutil.copytree(_waters.project.folder, folder)))
        with served(copy, _waters) as site:
            yield site

    return serve


@pytest.fixture
def person(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Somebody at a browser of their own; at the end, what their browser complained of is told."""
    people: list[Person] = []

    def come(**how: Any) -> Person:
        people.append(Person.at(browser, **how))
        return people[-1]

    yield come
    troubles = [trouble for each in people for trouble in each.troubles]
    for each in people:
        each.page.context.close()
    assert not troubles


@pytest.fixture(scope="session")
def port(afloat: Callable[[], AbstractContextManager[Site]]) -> Iterator[Site]:
    """One site for all who change nothing that others look at; production came back once."""
    with afloat() as site:
        with site.project.stores() as stores:
            move_by_hand(stores, MODEL, BAD, PROMOTE, "in spite of the gates", by="ada")
            move_by_hand(stores, MODEL, GOOD, ROLLBACK, "it was worse", by="ada")
        yield site
