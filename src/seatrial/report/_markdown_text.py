"""Texts of others inside Markdown: shown as they are, and nothing that they hold is obeyed."""

from __future__ import annotations

import re

from seatrial.environment.printable import printable

_OBEYED = re.compile(
    r"(?<![^\W_])_|_(?![^\W_])|[\\`*\[<|~$]|&(?=[#\w])|(?<=:)/(?=/)|(?<=\bwww)\.", re.IGNORECASE
)
"""What Markdown, GitHub's tables, its links and its mathematics obey inside a line.

An underscore between letters is none, so that ``check_schema`` stays readable.
"""
_OBEYED_FIRST = re.compile(r"^(\d*)([#>]|[.)](?!\S)|[+-](?!\w))")
"""What would begin a heading, a quotation or a list."""
_MENTION = re.compile(r"((?<!\w)@)(?=\w)|(#|\bGH-)(?=\d)", re.IGNORECASE)
"""Somebody, or an issue, here or elsewhere: GitHub tells them that they were named."""
_JOINER = "\N{WORD JOINER}"
_PLAIN = re.compile(r"[^\s`|\\]+(?: [^\s`|\\]+)*")
_FENCE = re.compile(r"`{3,}")


def text(said: str, most: int) -> str:
    r"""One line of at most ``most`` characters of the text, then how many were left out.

    Nobody whom it names is notified by GitHub, nor any issue.

    >>> print(text("a | <b> *c*\nd_e", 100))
    a \| \<b> \*c\* d_e
    """
    shown = _shortened(printable(" ".join(said.split())), most)
    quoted = _OBEYED_FIRST.sub(r"\1\\\2", _OBEYED.sub(r"\\\g<0>", shown))
    return _MENTION.sub(rf"\g<0>{_JOINER}", quoted)


def code(name: str, most: int = 120) -> str:
    r"""A name in the type of code; one that would end it, or the cell of a table, as a text.

    >>> print(code("evaluate_model.unit_tests"), code("a|b"))
    `evaluate_model.unit_tests` a\|b
    """
    shown = _shortened(printable(name), most)
    return f"`{shown}`" if _PLAIN.fullmatch(shown) else text(name, most)


def block(said: str, most: int) -> str:
    """Lines in a block of their own, as they are."""
    shown = _shortened("\n".join(printable(line) for line in said.splitlines()), most)
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCE.findall(shown))])
    return f"{fence}text\n{shown}\n{fence}"


def _shortened(said: str, most: int) -> str:
    left = len(said) - most
    return said if left <= 0 else f"{said[:most]}… ({left} more characters)"
