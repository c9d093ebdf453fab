"""Wrong tokens from an address that others share, as behind a proxy: who is kept out by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.registry import tokens
from seatrial.web.access import failures

if TYPE_CHECKING:
    from control_port import Site
    from visiting import Browser

SECRET = "a" * 52


def bearer(browser: Browser, text: str) -> int:
    """The status of a request that shows this token."""
    return browser.get("/api/v1/look", headers={"Authorization": f"Bearer {text}"}).status_code


@pytest.mark.parametrize("wrong", ["x", f"seatrial_{'b' * 8}_{SECRET}", "revoked"])
def test_keep_out_nobody_whose_token_is_right(site: Site, wrong: str) -> None:
    anna = site.token()
    if wrong == "revoked":  # a job that nobody has told of it asks again and again
        wrong = site.token("job")
        tokens.revoke(site.opened.ledger, wrong.split("_")[1], "root")
    browser, person = site.browser(), site.browser()
    person.app = browser.app
    assert [bearer(browser, wrong) for _ in range(8)] == [401] * 5 + [429] * 3
    assert person.log_in(wrong).status_code == 429
    assert bearer(browser, anna) == 200
    assert person.log_in(anna).status_code == 303
    assert bearer(browser, wrong) == 429


def test_guesses_at_one_token_are_few_also_while_they_are_refused(site: Site) -> None:
    anna, bert = site.token(), site.token("bert")
    guess = f"{anna[:-52]}{SECRET}"
    browser = site.browser()
    for _ in range(failures.AT_ONCE):
        bearer(browser, "x")
    assert [bearer(browser, guess) for _ in range(failures.AT_ONCE)] == [429] * failures.AT_ONCE
    assert bearer(browser, anna) == 429
    assert bearer(browser, bert) == 200


@pytest.mark.parametrize("text", ["right", "x"])
def test_where_the_ledger_lies_is_told_to_nobody_who_is_not_let_in(site: Site, text: str) -> None:
    browser, token = site.browser("10.0.0.7"), site.token()
    site.opened.ledger.close()
    site.opened.workspace.ledger.unlink()
    answer = browser.log_in(token if text == "right" else text)
    assert answer.status_code == 503
    assert "ledger cannot be read now" in answer.text
    assert str(site.opened.workspace.folder) not in answer.text
    assert str(site.opened.workspace.folder) in str(site.log)
    assert browser.get("/login").status_code == 200
