"""Is a row with missing values answered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evaluation.behaviour.changed_input import Change, survives

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers


def missing_values(model: Answers, features: Features) -> Found:
    """Every column missing by itself, then all of them: numbers NaN, strings empty."""
    nothing: dict[str, object] = {
        each.name: float("nan") if each.datatype == "FP32" else ""
        for each in model.signature.inputs
    }
    changes = [Change(f"{name!r} missing", {name: value}) for name, value in nothing.items()]
    if len(nothing) > 1:
        changes.append(Change("every column missing", nothing))
    return survives("missing_values", model, features, changes)
