"""Does the same input give the same answer twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, count, largest
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def repeatable(model: Answers, features: Features) -> Found:
    """Rows whose second answer is not the first, bit for bit."""
    first, second, rows = ask(model, features), ask(model, features), count(features)
    if isinstance(first, Refusal):
        return skipped("repeatable")
    if isinstance(second, Refusal):
        what = f"asked the same a second time, {second.sentence}"
        return counted("repeatable", rows, rows, [Fault(what=what)])
    odd = _other_bits(first.label, second.label)
    if first.probabilities is not None and second.probabilities is not None:
        odd |= _other_bits(first.probabilities, second.probabilities)
    bad = int(np.count_nonzero(odd))
    if not bad:
        return counted("repeatable", 0, rows)
    fault = Fault(
        what=f"asked the same twice, {bad} of {rows} rows are answered otherwise"
        f" (by up to {largest(first, second):.3g})",
        rows=positions(odd),
        hint="something random or remembered takes part in it: take it out before exporting",
    )
    return counted("repeatable", bad, rows, [fault])


def _other_bits(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.bool_]:
    if first.dtype != second.dtype:
        return np.ones(len(first), np.bool_)
    if first.dtype.kind == "f":
        bits = f"u{first.dtype.itemsize}"
        first, second = (np.ascontiguousarray(each).view(bits) for each in (first, second))
    return np.asarray((first != second).reshape(len(first), -1).any(axis=1))
