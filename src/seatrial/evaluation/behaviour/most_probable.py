"""Is the label the most probable class?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.behaviour.found import Fault, Found, counted, positions, skipped
from seatrial.inference.parity import TOLERANCE

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers


def most_probable(model: Answers, features: Features) -> Found:
    """Rows whose label is a class that is less probable than another, beyond the tolerance.

    A label that is no class is left to ``known_labels``, and a NaN to ``finite``.
    """
    answer = ask(model, features)
    if isinstance(answer, Refusal) or answer.probabilities is None:
        return skipped("most_probable")
    table = answer.probabilities.astype(np.float64)
    given = np.full(len(table), np.nan)
    for place, known in enumerate(model.signature.classes):
        mine = np.asarray(answer.label == known)
        given[mine] = table[mine, place]
    with np.errstate(invalid="ignore"):
        odd = answer.finite & (given < table.max(axis=1, initial=-np.inf) - TOLERANCE)
    rows, bad = len(odd), int(np.count_nonzero(odd))
    if not bad:
        return counted("most_probable", 0, rows)
    first = int(odd.argmax())
    best = model.signature.classes[int(table[first].argmax())]
    fault = Fault(
        what=f"the label of {bad} of {rows} rows is not the most probable class: it is"
        f" {answer.label.tolist()[first]!r} at {given[first]:.4g}, and {best!r} has"
        f" {table[first].max():.4g}",
        rows=positions(odd),
        hint="is the order of the classes that of the probabilities? A cut-off other than 0.5"
        " belongs to who uses the probabilities",
    )
    return counted("most_probable", bad, rows, [fault])
