"""Is every label one of the classes that the model was trained on?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, unknown
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def known_labels(model: Answers, features: Features) -> Found:
    """Rows whose label is no class; numbers have none."""
    answer = ask(model, features)
    if isinstance(answer, Refusal) or model.signature.problem == "numbers":
        return skipped("known_labels")
    odd = unknown(answer, model.signature)
    rows, bad = len(odd), int(np.count_nonzero(odd))
    if not bad:
        return counted("known_labels", 0, rows)
    first = answer.label.tolist()[int(odd.argmax())]
    fault = Fault(
        what=f"the label is no known class in {bad} of {rows} rows, such as {first!r:.40}",
        rows=positions(odd),
        hint=f"its classes: {', '.join(str(each) for each in model.signature.classes[:12])}",
    )
    return counted("known_labels", bad, rows, [fault])
