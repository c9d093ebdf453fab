"""What is answered in place of a document."""

from __future__ import annotations

from msgspec import Struct


class Wrong(Struct):
    """A mistake: what, where, the nearest known word, how to put it right."""

    what: str
    where: str
    nearest: str
    fix: str


class Error(Struct):
    """Why something was refused: one sentence, and each mistake."""

    error: str
    mistakes: list[Wrong]
