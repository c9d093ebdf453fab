"""What is said to people and where they are led, whatever letters stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.web.drawing import SAID

if TYPE_CHECKING:
    from control_port import Site

MOST = 4096
"""Bytes of a cookie, name and value: a browser drops one that is longer."""


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f600", '"', "\x01", "\\", "\u202e"])
def test_a_long_reason_is_still_said_afterwards(site: Site, letter: str) -> None:
    browser = site.browser()
    browser.log_in(site.token())
    browser.post("/change", {"csrf": browser.word(), "reason": letter * 5000})
    kept = [f"{name}{value}" for name, value in browser.cookies.items() if name.startswith(SAID)]
    assert len(kept) == 1
    assert len(kept[0].encode()) < MOST
    said = browser.get("/login").text
    assert "anna: " in said
    assert "\u202e" not in said


@pytest.mark.parametrize(
    ("to", "there"),
    [
        ("/runs?pipeline=\u540d", "/runs?pipeline=%E5%90%8D"),
        ("/\U0001f600", "/%F0%9F%98%80"),
        ("/\ufffd", "/%EF%BF%BD"),
        ("/a%0d%0aX-Evil: 1", "/a%0d%0aX-Evil:%201"),
        ("/a\r\nX-Evil: 1", "/"),
        ("//evil.example", "/"),
    ],
)
def test_scripts_and_people_are_led_to_the_same_place(site: Site, to: str, there: str) -> None:
    browser = site.browser()
    followed = browser.get("/enter", params={"to": to})
    assert followed.headers["location"] == there
    fetched = browser.get("/enter", params={"to": to}, headers={"HX-Request": "true"})
    assert (fetched.status_code, fetched.headers["hx-redirect"]) == (204, there)
    assert "x-evil" not in {**followed.headers, **fetched.headers}
