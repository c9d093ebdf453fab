"""A text on one line: what others wrote may hold anything, and some of it steers a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The same text; what cannot be shown is written as Python would.

    >>> print(printable("x\ny\x1b[2J"))
    x\ny\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
