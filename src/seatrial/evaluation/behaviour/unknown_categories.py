"""Is a row with a category that was never seen answered?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.evaluation.behaviour.changed_input import Change, survives
from seatrial.inference.golden_choice import UNHEARD_OF

if TYPE_CHECKING:
    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers


def unknown_categories(model: Answers, features: Features) -> Found:
    """Every column of strings by itself, then all of them, set to a word that no data holds."""
    texts = [each.name for each in model.signature.inputs if each.datatype == "BYTES"]
    changes = [Change(f"{name!r} never seen", {name: UNHEARD_OF}) for name in texts]
    if len(texts) > 1:
        changes.append(Change("every category never seen", dict.fromkeys(texts, UNHEARD_OF)))
    return survives("unknown_categories", model, features, changes)
