"""Is this machine one to serve a version on? Said once its golden rows were proven here.

An error stops a version that was never delivered. One that is or was in production goes on
serving whatever is installed by now, for it answers as it was registered: that is said loudly, and
nobody is without answers because of a version number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.environment.capture import capture
from seatrial.environment.compare import compare
from seatrial.environment.demands import Demands
from seatrial.environment.difference import Difference, settled
from seatrial.errors import SeatrialError
from seatrial.gateway.loading import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SHOWN = 3
"""So many differences are told in a reason, the rest is counted."""

LONGEST = 600
"""A reason is read in a table and in a log."""


@dataclass(frozen=True, slots=True)
class Judged:
    """``kind`` is ready or refused; a ready version may have a ``reason`` to look at it."""

    kind: str
    reason: str = ""


def judged(manifest: Mapping[str, Any], *, delivered: bool) -> Judged:
    """What differs here from where a version was trained, and whether it may be served so.

    Its golden rows must have been answered equally in this process before.
    """
    try:
        demands = Demands.of(manifest)
        got = capture(deep=demands.needs.packages)
        found = compare(demands.environment, got, demands.needs, demands.policy)
    except SeatrialError as error:
        if not delivered:
            raise
        why = sentence(error.mistakes)
        return Judged("ready", f"its environment could not be compared: {why}"[:LONGEST])
    return verdict(settled(found, proven=True), delivered=delivered)


def verdict(differences: Iterable[Difference], *, delivered: bool) -> Judged:
    """What differences at the level that counts mean for a version.

    >>> libc = Difference(level="warn", proven="warn", field="libc", expected="glibc 2.36",
    ...                   got="musl 1.2", why="another C library rounds otherwise")
    >>> verdict([libc], delivered=False)
    Judged(kind='ready', reason='warn libc: glibc 2.36 -> musl 1.2 (another C library rounds \
otherwise)')
    """
    grave = [each for each in differences if each.level != "info"]
    if not any(each.level == "error" for each in grave):
        return Judged("ready", _told("", grave))
    if delivered:
        return Judged("ready", _told("it serves because it was delivered before, but: ", grave))
    return Judged("refused", _told("this machine does not fit it: ", grave))


def _told(begin: str, differences: list[Difference]) -> str:
    shown = [str(each) for each in differences[:SHOWN]]
    more = len(differences) - len(shown)
    shown += [f"and {more} more"] if more else []
    text = begin + "; ".join(shown)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
