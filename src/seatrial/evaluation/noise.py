"""How much does a metric move when nothing but the seed of the training changes?"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.labelled import predictions
from seatrial.inference.opening import open_model
from seatrial.metrics import why_undefined
from seatrial.outcome import Direction, Measure
from seatrial.registry.opened import files_of, signature_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.evaluation.labelled import Labelled
    from seatrial.metrics import Metric, Predictions
    from seatrial.registry.registry import Registry, Version

CONFIDENCE = 0.95
_OTHER = re.compile(r"seed-(-?\d+)(\.[a-z]+)")
_TWO = 2


def noise_floor(metric: Metric, values: Sequence[float], rows: int) -> Measure:
    """How far two trainings that differ only in their seed lie apart, typically.

    ``values`` is the metric of each seed's model on the same ``rows`` rows. The value is
    √2·s, with s their standard deviation (k - 1 in the denominator): that is the root mean square
    of the differences of all pairs, and what a difference of two versions, each trained once, is
    to be held against. Neither max - min, which grows with the number of seeds, nor 2·s, which is
    about one training and not about a difference.

    ``low`` and ``high`` are one-sided 95 % bounds by (k - 1)·s²/σ² ~ χ²(k - 1), as for normal
    values (E. Pearson, H. Hartley, Biometrika Tables for Statisticians, 1966, table 8): with three
    seeds from 0.58 to 4.4 times the value. So three seeds tell the order of magnitude, and no
    more. When all values are equal there is no upper bound. The verdict is ``skip``: it is
    reported, and decides nothing. No value, where the metric has none for one of the models.

    >>> from seatrial.metrics import get
    >>> floor = noise_floor(get("accuracy"), [0.80, 0.81, 0.82], 1000)
    >>> floor.name, round(floor.value, 4), round(floor.low, 4), round(floor.high, 4)
    ('noise_floor.accuracy', 0.0141, 0.0082, 0.0624)
    """
    name, count = f"noise_floor.{metric.name}", len(values)
    if count < _TWO or not all(map(math.isfinite, values)):
        return Measure(name=name, value=None, direction=Direction.AT_MOST, n=rows)
    spread = float(np.std(values, ddof=1)) if max(values) > min(values) else 0.0
    floor = math.sqrt(2) * spread
    low, high = _reach(count)
    return Measure(
        name=name,
        value=floor,
        low=floor * low,
        high=min(floor * high, metric.most - metric.least) if floor else None,
        direction=Direction.AT_MOST,
        n=rows,
    )


def _reach(count: int) -> tuple[float, float]:
    """How many times a standard deviation over ``count`` normal values the true one may be."""
    from scipy.special import chdtri  # noqa: PLC0415 - slow to import

    freedom = count - 1
    low, high = (float(chdtri(freedom, tail)) for tail in (1 - CONFIDENCE, CONFIDENCE))
    return math.sqrt(freedom / low), math.sqrt(freedom / high)


def between_seeds(rows: Labelled, own: Predictions, others: Sequence[Predictions]) -> Measure:
    """The noise floor of a version on rows, from its answers and those of its other seeds."""
    values = [value_on(rows, each) for each in (own, *others)]
    return noise_floor(rows.metric, values, rows.rows)


def value_on(rows: Labelled, answers: Predictions) -> float:
    """The metric of one model on the rows; NaN where it has no value, or an answer is no number."""
    shown = answers.label if answers.probabilities is None else answers.probabilities
    broken = shown.dtype.kind == "f" and not np.isfinite(shown).all()
    if broken or why_undefined(rows.metric, rows.labels, answers):
        return math.nan
    return float(rows.metric.value(rows.labels, answers))


def answers_of_others(registry: Registry, version: Version, rows: Labelled) -> list[Predictions]:
    """What the models of a version's other seeds answer; nothing where it has none."""
    signature, trust = signature_of(registry, version), registry.manifest(version).get("trust")
    found = []
    for seed, files in other_seeds(files_of(registry, version)).items():
        whose = f"{version}, seed {seed}"
        model = open_model(files, registry.blobs.get, signature, whose, trust)
        found.append(predictions(model, rows, whose))
    return found


def other_seeds(files: Mapping[str, str]) -> dict[int, dict[str, str]]:
    """The models of a version's other seeds, among the files of its manifest.

    Each is a mapping for :func:`~seatrial.inference.opening.open_model`, by its seed.

    >>> other_seeds({"model.onnx": "a", "seed-7.onnx": "b", "seed-8.pickle": "c", "native": "d"})
    {7: {'model.onnx': 'b'}, 8: {'model.pickle': 'c'}}
    """
    found = {}
    for name, digest in files.items():
        if matched := _OTHER.fullmatch(name):
            found[int(matched[1])] = {f"model{matched[2]}": digest}
    return dict(sorted(found.items()))
