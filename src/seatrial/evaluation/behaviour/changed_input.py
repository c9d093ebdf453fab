"""Are rows still answered when a column holds something that training did not show?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import (
    Refusal,
    ask,
    broken,
    count,
    part,
    spread_out,
    wrongs,
)
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

ANSWERS = 30_000
"""About how many answers a check asks for over all columns: wide models get fewer rows each."""

FEWEST = 20
"""Rows that are asked at least, however many columns there are."""


@dataclass(frozen=True, slots=True)
class Change:
    """``said`` names what is set in ``columns``: one value each, the same in every row."""

    said: str
    columns: dict[str, object]

    def made(self, features: Features) -> dict[str, NDArray[Any]]:
        """The features with that change."""
        rows = count(features)
        return {
            **features,
            **{name: _filled(rows, value) for name, value in self.columns.items()},
        }


def survives(word: str, model: Answers, features: Features, changes: Sequence[Change]) -> Found:
    """A check that every change is answered, by an answer that may be given.

    Rows that are not answered well as they stand are left to the checks of that. The value
    counts the answers, over all changes.
    """
    if not changes:
        return skipped(word)
    chosen = spread_out(count(features), max(FEWEST, ANSWERS // len(changes)))
    some = part(features, chosen)
    plain = ask(model, some)
    if isinstance(plain, Refusal):
        return skipped(word)
    usual = ~broken(plain, model.signature)
    faults: list[Fault] = []
    offending = 0
    for change in changes:
        for fault in _faults(model, change, some, usual):
            offending += len(fault.rows)
            rows = tuple(chosen[list(fault.rows)].tolist())
            faults.append(replace(fault, rows=rows))
    return counted(word, offending, len(changes) * len(chosen), faults)


def _faults(
    model: Answers, change: Change, features: Features, usual: NDArray[np.bool_]
) -> Iterable[Fault]:
    column = next(iter(change.columns)) if len(change.columns) == 1 else ""
    answer = ask(model, change.made(features))
    if isinstance(answer, Refusal):
        what = f"{change.said}: {answer.sentence}"
        every = tuple(range(len(usual)))
        yield Fault(what=what, column=column, rows=every, refused=True)
        return
    for said, mask in wrongs(answer, model.signature):
        bad = mask & usual
        if bad.any():
            what = f"{change.said}: {said} in {np.count_nonzero(bad)} of {len(bad)} rows"
            yield Fault(what=what, column=column, rows=positions(bad))


def _filled(rows: int, value: object) -> NDArray[Any]:
    filled = np.empty(rows, object if isinstance(value, str) else np.float32)
    filled[:] = value
    return filled
