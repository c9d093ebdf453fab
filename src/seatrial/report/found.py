"""What a run found, task by task, with what to do about it said once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.report.account import Account


def found(account: Account) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Every finding behind the address of its task, and its hint.

    Where several findings of a task in a row have one hint, only the last of them has it.
    """
    for address, task in account.tasks:
        for finding, hint in of_task(task["findings"]):
            yield address, finding, hint


def of_task(findings: Sequence[Mapping[str, str]]) -> Iterator[tuple[Mapping[str, str], str]]:
    """The findings of one task, likewise."""
    hints = pairwise([*(finding["hint"] for finding in findings), ""])
    for finding, (hint, following) in zip(findings, hints, strict=True):
        yield finding, "" if hint == following else hint
