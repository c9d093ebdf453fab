"""Texts of others lead nowhere in a comment, and no issue is told that it was named."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from seatrial.report._markdown_text import text

JOINER = "\N{WORD JOINER}"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("fixes #12", f"fixes #{JOINER}12"),
        ("#12", f"\\#{JOINER}12"),
        ("somebody/else#3", f"somebody/else#{JOINER}3"),
        ("gh-7 and GH-7", f"gh-{JOINER}7 and GH-{JOINER}7"),
        ("https://evil.example/a", "https:\\//evil.example/a"),
        ("WWW.evil.example", "WWW\\.evil.example"),
        ("column #a of a://b", "column #a of a:\\//b"),
    ],
)
def test_they_are_words(said: str, written: str) -> None:
    assert text(said, 100) == written
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(written)
    assert shown.replace(JOINER, "") == f"<p>{said}</p>\n"
