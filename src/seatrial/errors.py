"""Every exception that seatrial raises, by who must act on it.

Each carries the exit code of the command line. A failed check is no exception but an
:class:`~seatrial.outcome.Outcome`; an exception means that we could not find out.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN = 5
"""How many mistakes are shown in full; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: what, where, the nearest known word, and how to put it right.

    >>> print(Mistake("unknown word 'tran'", "pipeline.yaml:9:9", nearest="train"))
    unknown word 'tran'
      where: pipeline.yaml:9:9
      nearest: train
    """

    what: str
    where: str = ""
    nearest: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """At most six lines: the what may have three, the others one each."""
        lines = [*self.what.strip().splitlines()[:3]]
        lines += [
            f"  {label}: {' '.join(text.split())}"
            for label, text in (("where", self.where), ("nearest", self.nearest), ("fix", self.fix))
            if text
        ]
        return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to ``word``, or an empty string when none is close.

    >>> nearest("carier", ["carrier", "origin"])
    'carrier'
    """
    candidates = list(known)
    by_folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""


class SeatrialError(Exception):
    """Anything that seatrial raises on purpose; holds one or several mistakes."""

    exit_code: ClassVar[int] = 70

    def __init__(self, *mistakes: Mistake | str) -> None:
        self.mistakes = tuple(m if isinstance(m, Mistake) else Mistake(m) for m in mistakes)
        super().__init__(*self.mistakes)

    def __str__(self) -> str:
        shown = [str(mistake) for mistake in self.mistakes[:SHOWN]]
        if len(self.mistakes) > SHOWN:
            shown.append(f"… and {len(self.mistakes) - SHOWN} more")
        return "\n".join(shown)


class FileError(SeatrialError):
    """The author of the pipeline file (or of a file it names) must act."""

    exit_code = 2


class FormError(SeatrialError):
    """The owner of the data must act: it cannot be opened, read or typed."""

    exit_code = 2


class UsageError(SeatrialError):
    """The person at the command line must act."""

    exit_code = 2


class StoreError(SeatrialError):
    """Something is in the way that will not pass by itself: a store, a damaged blob."""

    exit_code = 5


class PassingError(StoreError):
    """Something is in the way that may pass by itself: the engine tries again first."""


class FaultError(SeatrialError):
    """We must act, or the author of a plugin: something failed that nobody foresaw."""


class SupersededError(StoreError):
    """Another process ended this run, or took over this step."""


class RequestError(SeatrialError):
    """The client of the gateway must act; ``status`` is the HTTP status.

    >>> str(RequestError(404, "there is no model 'm' here"))
    "there is no model 'm' here"
    """

    exit_code = 2

    def __init__(self, status: int, *mistakes: Mistake | str) -> None:
        super().__init__(*mistakes)
        self.status = status
