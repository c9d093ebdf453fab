"""A reason stands in the history for ever: what a form may carry there is what the API takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runs_at_hand import begin
from seatrial.web.forms import LONGEST_REASON

if TYPE_CHECKING:
    from .conftest import Site

FORMS: tuple[tuple[str, dict[str, str]], ...] = (
    ("/models/m/rollback", {"to": "1", "expect": "2"}),
    ("/models/m/promote", {"to": "3", "expect": "2"}),
    ("/runs/R1/cancel", {}),
)


@pytest.mark.parametrize(("path", "fields"), FORMS)
@pytest.mark.parametrize("reason", ["a" * (LONGEST_REASON + 1), "a\x00b"])
def test_one_that_no_history_should_hold_is_refused(
    site: Site, path: str, fields: dict[str, str], reason: str
) -> None:
    begin(site.project, "R1")
    ada = site.person("ada")
    head = site.project.ledger.head()
    answer = ada.post(path, {**fields, "csrf": ada.word(), "reason": reason})
    assert answer.status_code == 400
    assert site.project.ledger.head() == head


def test_the_longest_one_is_taken(site: Site) -> None:
    ada = site.person("ada")
    reason = f"{'a' * (LONGEST_REASON // 2)}\r\n{'b' * (LONGEST_REASON // 2 - 1)}"
    path, fields = FORMS[0]
    assert ada.post(path, {**fields, "csrf": ada.word(), "reason": reason}).status_code == 303
    assert site.project.registry.history()[-1]["reason"] == " ".join(reason.split())


@pytest.mark.parametrize(
    "path", ["/runs?pipeline=%00", "/runs?before=a%00", "/models/m?words=%00", "/runs/%00"]
)
def test_what_no_text_of_a_database_holds_is_not_looked_for(site: Site, path: str) -> None:
    answer = site.visitor().get(path)
    assert answer.status_code == (404 if path == "/runs/%00" else 400)
    assert "NUL" in answer.text
