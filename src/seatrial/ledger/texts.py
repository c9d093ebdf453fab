"""Texts that every database keeps, compares and sorts in the same way: by their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

_MARK = "\U0010ffff"
"""No character, and never one: before ``0`` it stands for NUL, which PostgreSQL does not take in a
text, before ``1`` for itself, which a text may hold all the same."""


def _kept(text: str) -> str:
    r"""A text as PostgreSQL takes it.

    >>> _kept("a\0b") == "a" + _MARK + "0b"
    True
    """
    return text.replace(_MARK, f"{_MARK}1").replace("\0", f"{_MARK}0")


def _said(kept: str) -> str:
    r"""The text that was kept.

    >>> odd = "\0" + _MARK + "0" + _MARK
    >>> _said(_kept(odd)) == odd
    True
    """
    return kept.replace(f"{_MARK}0", "\0").replace(f"{_MARK}1", _MARK)


class _Bytewise(sa.types.TypeDecorator[str]):
    """A text in PostgreSQL, whose own order depends on the language of the server."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[str]:
        return dialect.type_descriptor(sa.Text(collation="C"))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return None if value is None else _kept(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        return value if value is None or _MARK not in value else _said(value)


SHORT = sa.String().with_variant(_Bytewise(), "postgresql")
"""An id, a time, a word."""

LONG = sa.Text().with_variant(_Bytewise(), "postgresql")
"""What people or programs say."""
