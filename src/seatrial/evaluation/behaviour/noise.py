"""Does a little noise in the numbers change the answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.behaviour.bounds import changes, measured
from seatrial.evaluation.behaviour.found import Fault, Found, positions, skipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

SHARE = 0.01


def noise(
    model: Answers,
    features: Features,
    *,
    share: float = SHARE,
    limit: float | None = None,
    seed: int = 0,
) -> Found:
    """The share of rows whose label flips when every number moves a little; without a limit told.

    Each number moves up or down by ``share`` of its column's interquartile range (of its standard
    deviation where that is 0); what is missing stays missing. For a model of numbers the measure
    is the mean absolute change, in standard deviations of its answers.
    """
    numbers = [each.name for each in model.signature.inputs if each.datatype == "FP32"]
    random = np.random.default_rng(seed)
    shaken = {name: _shaken(features[name], share, random) for name in numbers}
    before = ask(model, features)
    if isinstance(before, Refusal) or not any(
        (shaken[name] != features[name]).any() for name in numbers
    ):
        return skipped("noise", limit=limit)
    after = ask(model, {**features, **shaken})
    if isinstance(after, Refusal):
        values = np.ones(len(before.label))
        fault = Fault(what=f"with noise in its numbers, {after.sentence}", refused=True)
        return Found((measured("noise", values, limit or 0.0, shares=True),), (fault,))
    labels = before.probabilities is not None
    values = changes(before, after)
    measure = measured("noise", values, limit, shares=labels)
    flips = values > (0.0 if labels else limit or 0.0)
    if measure.verdict.lets_through or not flips.any():
        return Found((measure,))
    does = "flips the label of" if labels else f"moves by more than {limit:g} deviations"
    what = (
        f"noise of {share:g} of the interquartile range {does} {np.count_nonzero(flips)} of"
        f" {len(values)} rows"
    )
    return Found((measure,), (Fault(what=what, rows=positions(flips)),))


def _shaken(column: NDArray[Any], share: float, random: np.random.Generator) -> NDArray[np.float32]:
    finite = column[np.isfinite(column)].astype(np.float64)
    spread = 0.0
    if len(finite):
        quarter, three_quarters = np.quantile(finite, (0.25, 0.75))
        spread = float(three_quarters - quarter) or float(np.std(finite))
    signs = random.choice((-1.0, 1.0), len(column))
    with np.errstate(over="ignore", invalid="ignore"):
        return (column.astype(np.float64) + signs * share * spread).astype(np.float32)
