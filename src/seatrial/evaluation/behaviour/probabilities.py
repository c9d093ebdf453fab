"""Are probabilities in [0, 1], and do they sum to 1?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, improbable, sum_tolerance
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def probabilities(model: Answers, features: Features) -> Found:
    """Rows whose finite probabilities are none, by more than float32 may round."""
    answer = ask(model, features)
    if isinstance(answer, Refusal) or answer.probabilities is None:
        return skipped("probabilities")
    table = answer.probabilities
    odd = answer.finite & improbable(table)
    rows, bad = len(odd), int(np.count_nonzero(odd))
    if not bad:
        return counted("probabilities", 0, rows)
    worst = table[int(odd.argmax())]
    fault = Fault(
        what=f"the probabilities of {bad} of {rows} rows leave [0, 1] or do not sum to 1: there is"
        f" one from {worst.min():.4g} to {worst.max():.4g} with the sum"
        f" {worst.sum(dtype=np.float64):.6g} (allowed difference"
        f" {sum_tolerance(table.shape[1]):.1g})",
        rows=positions(odd),
        hint="are these scores before a softmax?",
    )
    return counted("probabilities", bad, rows, [fault])
