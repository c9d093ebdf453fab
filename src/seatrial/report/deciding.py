"""Which measures of a run decided, and how are they told?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from seatrial.report._number import as_given, number, room

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from seatrial.report.account import Account

Measured: TypeAlias = "tuple[str, Mapping[str, Any]]"
"""A measure of the document, behind the address of its task."""

_RANKS = ("fail", "inconclusive", "pass")


def decided(account: Account) -> list[Measured]:
    """What was held against a limit, the worst and the narrowest first."""
    return worst_first(each for each in _every(account) if _decides(each[1]))


def reported(account: Account) -> list[Measured]:
    """What was measured and decided nothing, in order."""
    return [each for each in _every(account) if not _decides(each[1])]


def worst_first(of: Iterable[Measured]) -> list[Measured]:
    """What failed, then what is not settled, then what passed; of these the narrowest first."""
    return sorted(of, key=lambda each: (_RANKS.index(each[1]["verdict"]), room(each[1])))


def interval(measure: Mapping[str, Any]) -> str:
    """Its bounds, as far as they are known.

    >>> interval({"low": 0.81, "high": 0.9, "limit": 0.8})
    '0.81 … 0.9'
    """
    low, high, limit = measure["low"], measure["high"], measure["limit"]
    return "-" if low is None and high is None else f"{number(low, limit)} … {number(high, limit)}"


def limit(measure: Mapping[str, Any]) -> str:
    """What is demanded of it.

    >>> limit({"limit": 0.8, "direction": "at_least"})
    'at least 0.8'
    """
    if measure["limit"] is None:
        return "-"
    held = (measure.get(each) for each in ("value", "low", "high"))
    given = as_given(measure["limit"], *held)
    return f"{str(measure['direction']).replace('_', ' ')} {given}"


def _every(account: Account) -> list[Measured]:
    return [(address, m) for address, task in account.tasks for m in task["measures"]]


def _decides(measure: Mapping[str, Any]) -> bool:
    return measure["limit"] is not None and measure["verdict"] != "skip"
