"""Which files of the project did a run replace, and what did they hold before?

A run is known by the content of the files that it reads. One that replaces such a file notes it
here first: killed afterwards, it is still known, and goes on to the same end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.ledger.store import Ledger

KIND = "file_replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """One file, by its path below the project folder; digests of what it held and holds.

    ``before`` is ``None`` where there was no file; ``once`` is the key of the step.
    """

    run: str
    once: str
    file: str
    before: str | None
    after: str


def note(ledger: Ledger, replaced: Replaced) -> None:
    """Note what is about to be replaced."""
    body = {
        "run": replaced.run,
        "once": replaced.once,
        "file": replaced.file,
        "before": replaced.before,
        "after": replaced.after,
    }
    ledger.write(lambda transaction: transaction.append(KIND, body))


def noted(ledger: Ledger, once: str) -> Replaced | None:
    """What the step of that key has noted, if anything."""
    return next((replaced for replaced in _all(ledger) if replaced.once == once), None)


def of_run(ledger: Ledger, run: str) -> tuple[Replaced, ...]:
    """What a run replaced, in order."""
    return tuple(replaced for replaced in _all(ledger) if replaced.run == run)


def digests(ledger: Ledger) -> set[str]:
    """Everything that was ever replaced, and by what: blobs that are kept for good."""
    return {
        digest
        for each in _all(ledger)
        for digest in (each.before, each.after)
        if digest is not None
    }


def _all(ledger: Ledger) -> Iterator[Replaced]:
    for event in ledger.events(KIND):
        body = event.body
        before = body["before"]
        yield Replaced(
            run=str(body["run"]),
            once=str(body["once"]),
            file=str(body["file"]),
            before=None if before is None else str(before),
            after=str(body["after"]),
        )
