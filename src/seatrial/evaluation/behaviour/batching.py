"""Does a row get the same answer alone, in a batch, and in another order?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import (
    Refusal,
    apart,
    ask,
    count,
    largest,
    part,
    spread_out,
)
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped
from seatrial.inference.answer import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

SINGLY = 200
"""Rows that are asked one at a time."""

SIZES = (7, 64, 256)
"""Sizes of the batches in which all rows are asked again; the last one is filled up by none."""


def batching(model: Answers, features: Features) -> Found:
    """Rows that are answered otherwise than in the whole, by more than the parity tolerance."""
    rows = count(features)
    whole = ask(model, features)
    if isinstance(whole, Refusal):
        return skipped("batching")
    everyone = np.arange(rows)
    shuffled = np.random.default_rng(0).permutation(rows)
    ways = [
        ("one row at a time", spread_out(rows, SINGLY), 1),
        *((f"{size} rows at a time", everyone, size) for size in SIZES if size < rows),
        ("in another order", shuffled, rows),
    ]
    odd = np.zeros(rows, np.bool_)
    faults: list[Fault] = []
    for said, chosen, size in ways:
        again = _batches(model, features, chosen, size)
        if isinstance(again, Refusal):
            odd[chosen] = True
            faults.append(Fault(what=f"asked {said}, {again.sentence}"))
            continue
        expected = _rows(whole, chosen)
        differs = chosen[apart(expected, again)]
        if len(differs):
            odd[differs] = True
            far = largest(expected, again)
            what = (
                f"asked {said}, {len(differs)} of {len(chosen)} rows are answered otherwise than"
                f" all at once (by up to {far:.3g})"
            )
            hint = "a row's answer must not depend on its neighbours: look for means over the batch"
            faults.append(Fault(what=what, rows=tuple(sorted(differs.tolist())), hint=hint))
    return counted("batching", len(positions(odd)), rows, faults)


def _batches(
    model: Answers, features: Features, chosen: NDArray[np.intp], size: int
) -> Answer | Refusal:
    labels: list[NDArray[np.generic]] = []
    tables: list[NDArray[np.generic]] = []
    for start in range(0, len(chosen), size):
        answer = ask(model, part(features, chosen[start : start + size]))
        if isinstance(answer, Refusal):
            return answer
        labels.append(answer.label)
        if answer.probabilities is not None:
            tables.append(answer.probabilities)
    return Answer(np.concatenate(labels), np.concatenate(tables) if tables else None)


def _rows(answer: Answer, chosen: NDArray[np.intp]) -> Answer:
    table = answer.probabilities
    return Answer(answer.label[chosen], None if table is None else table[chosen])
