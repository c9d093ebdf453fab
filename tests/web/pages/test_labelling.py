"""Labelling in the browser: row after row, the first label counts, and what follows is done."""

from __future__ import annotations

import html
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.review.differing import EQUAL, WORSE, Differing, known_ids
from tests.tasks.conftest import MODEL, _delivered, _fresh  # noqa: F401 - fixtures

from seatrial.ledger.verify import verify
from seatrial.registry.tokens import Role
from seatrial.review import items
from seatrial.traffic import files

from .conftest import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tasks.conftest import Project

    from seatrial.review.items import Item
    from visiting import Browser

pytestmark = pytest.mark.slow  # two runs


@pytest.fixture(scope="module")
def _made(_delivered: Project, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:  # noqa: F811
    """By hyperparameters: version 1 is in production, version 2 is staged."""
    folder, made = tmp_path_factory.mktemp("made"), {}
    for name, hyperparameters in (("equal", EQUAL), ("worse", WORSE)):
        made[name] = type(_delivered)(shutil.copytree(_delivered.folder, folder / name))
        Differing.make(made[name], hyperparameters)
    return made


@dataclass(frozen=True, slots=True)
class Labelling:
    """A question about answers that differ, and the site where it is answered."""

    differing: Differing
    item: Item
    site: Site

    @property
    def path(self) -> str:
        return f"/reviews/{self.item.id}/label"

    def begin(self, browser: Browser) -> None:
        """Have requests drawn."""
        answer = browser.post(f"{self.path}/begin", {"csrf": browser.word(self.path)})
        assert answer.headers["location"] == self.path, answer.text

    def form(self, browser: Browser) -> dict[str, str]:
        """What the page that asks about a row would send, but for the label."""
        page = browser.get(self.path)
        assert page.status_code == 200, page.text
        found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text)
        return {name: html.unescape(value) for name, value in found}

    def truth(self, form: dict[str, str]) -> str:
        return str(self.differing.truth[form["id"]])

    def settle(self, browser: Browser) -> int:
        """Tell the truth until nobody asks any more; how many labels that took."""
        for count in range(201):
            if self.status() != "open":
                return count
            form = self.form(browser)
            answer = browser.post(self.path, {**form, "label": self.truth(form)})
            assert answer.status_code == 303, answer.text
        raise AssertionError("it was never settled")

    def status(self) -> str:
        return str(items.get(self.site.project.ledger, self.item.id).status)


@pytest.fixture
def labelling(
    request: pytest.FixtureRequest,
    _made: dict[str, Project],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Labelling]:
    name = getattr(request, "param", "equal")
    known_ids(monkeypatch)
    project = type(_made[name])(shutil.copytree(_made[name].folder, tmp_path / name))
    differing = Differing.of(project)
    item = differing.watched()
    opened = differing.open()
    yield Labelling(differing, item, Site(opened))
    opened.ledger.close()


worse = pytest.mark.parametrize("labelling", ["worse"], indirect=True)


def test_nobody_sees_which_version_said_what_and_looking_draws_nothing(
    labelling: Labelling,
) -> None:
    grace = labelling.site.person("grace")
    head = labelling.site.project.ledger.head()
    before = grace.get(labelling.path).text
    assert "Begin" in before
    assert "traffic log" not in before  # nobody has looked there
    assert labelling.site.project.ledger.head() == head
    labelling.begin(grace)
    page = grace.get(labelling.path).text
    card = page.partition('id="labelling"')[2].partition("The question:")[0]
    assert "version 1" not in card
    assert "version 2" not in card
    said = re.search(r"One version says \D+(\d)\D+, the other \D+(\d)", card)
    assert said is not None
    assert said.groups() == ("0", "1")  # in the order of the classes
    assert "0 labelled, not settled yet: row 1 of at most" in card
    assert re.findall(r'name="label" value="(\w+)"[^>]* data-key="(\w)"', card) == [
        ("0", "0"),
        ("1", "1"),
        ("none", "s"),
    ]
    assert "feature_1" in card


def test_labels_settle_it_and_the_page_says_who_said_what_then(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    count = labelling.settle(grace)
    assert labelling.status() == "labelled"
    page = grace.get(f"/reviews/{labelling.item.id}").text
    assert "pass: labels of" in page
    assert "version 2 stays." in page
    assert page.count(">grace</td>") >= count
    assert "version 2 said" in page
    assert grace.get(labelling.path).headers["location"] == f"/reviews/{labelling.item.id}"
    verify(labelling.site.project.ledger)


@worse
def test_what_does_harm_goes_back(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    labelling.settle(grace)
    said = grace.get(f"/reviews/{labelling.item.id}").text
    assert "production went back from version 2 to version 1" in said
    serving = labelling.site.project.registry.channel(MODEL, "production")
    assert serving is not None
    assert serving.version == 1
    assert "requests by grace" in serving.reason


def test_htmx_gets_the_card_alone(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    form = labelling.form(grace)
    sent = {**form, "label": "none"}
    card = grace.post(labelling.path, sent, headers={"HX-Request": "true"})
    assert card.status_code == 200
    assert card.text.lstrip().startswith('<div id="labelling"')
    assert "1 labelled, not settled yet: row 2 of" in card.text


def test_of_two_people_the_first_label_counts_and_the_second_is_told(
    labelling: Labelling,
) -> None:
    grace, ada = labelling.site.person("grace"), labelling.site.person("ada")
    labelling.begin(grace)
    first, second = labelling.form(grace), labelling.form(ada)
    grace.post(labelling.path, {**first, "label": "1"})
    ada.post(labelling.path, {**second, "label": "0"})
    assert "grace has labelled that request before" in ada.get(labelling.path).text
    ada.post(labelling.path, {**labelling.form(ada), "label": "0"})
    assert "2 labelled" in ada.get(labelling.path).text
    assert "labelled that request before" not in ada.get(labelling.path).text


def test_a_form_about_something_else_is_refused(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    form = {**labelling.form(grace), "label": "0"}
    wrong = ({"label": "2"}, {"label": "yes"}, {"label": ""}, {"id": "r999999"}, {"row": "x"})
    for changed in wrong:
        assert grace.post(labelling.path, {**form, **changed}).status_code == 400
    assert "0 labelled" in grace.get(labelling.path).text


def test_a_question_that_was_decided_meanwhile_takes_no_label(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    form = labelling.form(grace)
    items.decide(labelling.site.project.ledger, labelling.item.id, "reject", "ada", "enough")
    grace.post(labelling.path, {**form, "label": "0"})
    said = grace.get(f"/reviews/{labelling.item.id}").text
    assert "It needs no label any more: rejected by ada on" in said


def test_rows_that_the_log_has_lost_are_told(labelling: Labelling) -> None:
    grace = labelling.site.person("grace")
    labelling.begin(grace)
    folder = labelling.differing.folder / ".seatrial/traffic"
    shutil.rmtree(files.version_folder(folder, MODEL, 2))
    answer = grace.get(labelling.path)
    assert answer.status_code == 500
    assert "the traffic log no longer holds request" in answer.text


def test_only_an_operator_sees_the_rows(labelling: Labelling) -> None:
    vera = labelling.site.person("vera", Role.VIEWER)
    assert vera.get(labelling.path).status_code == 403
    assert labelling.site.visitor().get(labelling.path).status_code == 303
