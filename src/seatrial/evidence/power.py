"""What n rows can prove, and how many more would settle an open question."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evidence import cells, logits, means, ranks, rates
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Metric
    from seatrial.outcome import Measure

    Low = Callable[[float], float]
    OfConfusion = Callable[[np.ndarray], np.ndarray]

DISCORDANT = 0.08
"""Share of rows that one of two versions of a model typically has right and the other wrong."""


def tells(metric: Metric) -> bool:
    """Whether :func:`smallest_passing` knows this metric: its bounds follow from counts alone.

    Those of losses depend on how the losses will spread, which nobody knows beforehand.

    >>> from seatrial.metrics import get
    >>> tells(get("f1_macro")), tells(get("r2"))
    (True, False)
    """
    if metric.method == "bins":
        return False
    return metric.bounded and (metric.method != "resample" or metric.of_scores is not None)


def smallest_passing(
    metric: Metric, n: int, limit: float, *, positives: int | None = None
) -> float | None:
    """The least observed value that n rows prove to be at least ``limit``.

    ``positives`` is how many of the rows have the positive class (half, if not said). Precision
    and F1 rest on at least about as many rows as recall does, so they are told by the same count;
    other metrics of the confusion by judging two classes that are found equally well. Average
    precision and other curves vary about as a rate over the rows of the rarer class (Boyd, Eng
    and Page 2013, "Area under the precision-recall curve: point estimates and confidence
    intervals", ECML). None when no value passes, or when it depends on how the losses will
    spread (:func:`tells`).

    >>> from seatrial.metrics import get
    >>> smallest_passing(get("accuracy"), 1000, 0.82)
    0.841
    >>> smallest_passing(get("accuracy"), 10, 0.82) is None
    True
    """
    positives = n // 2 if positives is None else positives
    negatives = n - positives
    if metric.method == "count":
        return _least_rate(n, limit, float) if n else None
    if metric.trials is not None:
        return _least_rate(positives, limit, metric.of_rate) if positives else None
    if not tells(metric) or min(positives, negatives) < 1:
        return None
    if metric.of_confusion is not None:
        return _least_confused(metric.of_confusion, positives, negatives, limit)
    if metric.method == "ranks":
        return _least(lambda area: ranks.newcombe(area, positives, negatives)[0], limit)
    return _least(lambda value: _curve_low(value, min(positives, negatives)), limit)


def provable(n: int, margin: float, *, discordant: float = DISCORDANT) -> float | None:
    """The greatest observed degradation of a rate that n paired rows still pass within ``margin``.

    ``discordant`` is the share of rows that one model has right and the other wrong. Negative:
    the candidate must be seen to be better. None when not even that passes.

    >>> round(provable(1000, 0.05), 3)
    0.035
    """
    inside, outside = -discordant, min(margin, discordant)
    if not n or _upper(n, inside, discordant) > margin:
        return None
    if _upper(n, outside, discordant) <= margin:
        return outside
    for _ in range(40):
        middle = (inside + outside) / 2
        within = _upper(n, middle, discordant) <= margin
        inside, outside = (middle, outside) if within else (inside, middle)
    return inside


def smallest_margin(n: int, *, discordant: float = DISCORDANT) -> float:
    """The smallest degradation of a rate that n paired rows rule out for two equal models.

    >>> round(smallest_margin(500), 3)
    0.021
    """
    return _upper(n, 0.0, discordant) if n else 1.0


def rows_to_prove(margin: float, *, discordant: float = DISCORDANT) -> int:
    """How many paired rows prove that two equal models differ by less than ``margin`` in a rate.

    >>> rows_to_prove(0.05), rows_to_prove(0.02)
    (109, 568)
    """
    lost, kept = 0, 1
    while smallest_margin(kept, discordant=discordant) > margin:
        lost, kept = kept, 2 * kept
    while kept - lost > 1:
        middle = (lost + kept) // 2
        proven = smallest_margin(middle, discordant=discordant) <= margin
        lost, kept = (lost, middle) if proven else (middle, kept)
    return kept


def rows_needed(measure: Measure) -> int | None:
    """How many more labelled rows would settle the measure if its value stayed as it is.

    The distance from the value to its bound shrinks with the square root of the rows, or, where
    all of them agree, with the rows themselves, by the exact law of a rate at 0 or 1. 0 when it
    is settled; None when no number of rows would do (the value sits on the limit) or can be told.

    >>> from seatrial.outcome import Measure
    >>> open_question = Measure(name="accuracy", value=0.84, low=0.80, high=0.87, limit=0.82,
    ...                         n=400, verdict=Verdict.INCONCLUSIVE)
    >>> rows_needed(open_question)
    1200
    >>> all_right = Measure(name="accuracy", value=1.0, low=0.7411, high=1.0, limit=0.95, n=10,
    ...                     verdict=Verdict.INCONCLUSIVE)
    >>> rows_needed(all_right)
    49
    """
    if measure.verdict is not Verdict.INCONCLUSIVE:
        return 0
    if measure.limit is None or measure.value is None:
        return None
    above = measure.value > measure.limit
    bound = measure.low if above else measure.high
    gap = abs(measure.value - measure.limit)
    if bound is None or _on_limit(measure):
        return None
    reach = abs(measure.value - bound)
    if _agree(measure, reach) and gap < 1:
        total = measure.n * math.log1p(-reach) / math.log1p(-gap)
    else:
        total = measure.n * (reach / gap) ** 2
    # What rounding adds must not count as a row; an open question needs at least one more.
    return max(math.ceil(total - 1e-6 * max(total, 1)) - measure.n, 1)


def settles(measure: Measure, rows: str = "labelled rows") -> str:
    """What would settle an inconclusive measure, in words; empty when it is settled.

    >>> from seatrial.outcome import Measure
    >>> settles(Measure(name="accuracy", value=0.84, low=0.80, high=0.87, limit=0.82, n=400,
    ...                 verdict=Verdict.INCONCLUSIVE))
    '1200 more labelled rows would settle it'
    """
    if measure.verdict is not Verdict.INCONCLUSIVE:
        return ""
    more = rows_needed(measure)
    if more is not None:
        return f"{more} more {rows} would settle it"
    if measure.value is None or measure.limit is None:
        return f"nothing was measured: it needs {rows}"
    if _on_limit(measure):
        return "it lies on its limit: no number of rows would settle it"
    return f"so few {rows} give no bound: it needs more of them"


def _agree(measure: Measure, reach: float) -> bool:
    """Whether all rows are right, or none is, and the bound is what so many leave open.

    It is at most that of half as many rows, as where each counts twice; any wider one has seen a
    spread, and shrinks as usual.
    """
    end = {0.0: measure.low, 1.0: measure.high}.get(measure.value or 0.0)
    widest = 1 - (1 - rates.LEVEL) ** (2 / max(measure.n, 1))
    return end == measure.value and reach < 1 and reach <= widest + 1e-9


def _on_limit(measure: Measure) -> bool:
    assert measure.limit is not None
    assert measure.value is not None
    return abs(measure.value - measure.limit) <= 1e-9 * max(1.0, abs(measure.limit))


def _least_rate(trials: int, limit: float, of_rate: Callable[[float], float]) -> float | None:
    lost, kept = -1, trials
    if of_rate(rates.of_one(trials, trials)[0]) < limit:
        return None
    while kept - lost > 1:
        middle = (kept + lost) // 2
        passes = of_rate(rates.of_one(middle, trials)[0]) >= limit
        lost, kept = (lost, middle) if passes else (middle, kept)
    return of_rate(kept / trials)


def _least_confused(
    of_confusion: OfConfusion, positives: int, negatives: int, limit: float
) -> float | None:
    def table(wrong: float) -> np.ndarray:
        shares = np.array([[1 - wrong, wrong], [wrong, 1 - wrong]])
        return np.asarray(np.array([[negatives], [positives]]) * shares)

    def passes(wrong: float) -> bool:
        return cells.of_one(of_confusion, table(wrong), seed=0)[0] >= limit

    if not passes(0.0):
        return None
    kept, lost = 0.0, 0.5
    for _ in range(30):
        middle = (kept + lost) / 2
        kept, lost = (middle, lost) if passes(middle) else (kept, middle)
    return float(of_confusion(table(kept)))


def _least(low: Low, limit: float) -> float | None:
    lost, kept = 0.0, 1.0
    if low(1.0) < limit:
        return None
    for _ in range(40):
        middle = (lost + kept) / 2
        lost, kept = (lost, middle) if low(middle) >= limit else (middle, kept)
    return kept


def _curve_low(value: float, rarest: int) -> float:
    # A perfect curve hides at most about one row, as the judging has it too.
    if rarest < 2:
        return 0.0
    error = max(math.sqrt(value * (1 - value) / rarest), 1 / (2 * rarest))
    return logits.of_one(value, means.student(rarest - 1) * error)[0]


def _upper(n: int, degradation: float, discordant: float) -> float:
    worse = n * (discordant + degradation) / 2
    return rates.of_difference(worse, n * discordant - worse, n)[1]
