"""Is every answer a number, neither NaN nor infinite?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, count, wrongs
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def finite(model: Answers, features: Features) -> Found:
    """Rows as they stand, whose label or probabilities are NaN or infinite."""
    answer, rows = ask(model, features), count(features)
    if isinstance(answer, Refusal):
        return skipped("finite")
    bad = int(np.count_nonzero(~answer.finite))
    faults = [
        Fault(
            what=f"{said} in {np.count_nonzero(mask)} of {rows} rows as they stand",
            rows=positions(mask),
            hint="look for missing or infinite values in these rows, and in training",
        )
        for said, mask in [*wrongs(answer, model.signature)][:2]
        if mask.any()
    ]
    return counted("finite", bad, rows, faults)
