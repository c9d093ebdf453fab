"""How a suite says that a promise is broken."""

from __future__ import annotations


def demand(held: object, sentence: str) -> None:
    """Raise :class:`AssertionError` with the sentence unless ``held``; also under ``python -O``.

    >>> demand(1 + 1 == 2, "arithmetic is broken")
    """
    if not held:
        raise AssertionError(sentence)
