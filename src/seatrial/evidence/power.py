"""What n rows can prove, and how many more would settle an open question."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from seatrial.evidence import ranks, rates
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from seatrial.metrics import Metric
    from seatrial.outcome import Measure

DISCORDANT = 0.08
"""Share of rows that one of two versions of a model typically has right and the other wrong."""


def smallest_passing(
    metric: Metric, n: int, limit: float, *, positives: int | None = None
) -> float | None:
    """The least observed value that n rows prove to be at least ``limit``.

    ``positives`` is how many of the rows have the positive class (half, if not said); precision
    and F1 rest on at least about as many rows as recall does, so they are told by the same count.
    None when no value passes, or when it depends on how the losses will spread.

    >>> from seatrial.metrics import get
    >>> smallest_passing(get("accuracy"), 1000, 0.82)
    0.841
    >>> smallest_passing(get("accuracy"), 10, 0.82) is None
    True
    """
    positives = n // 2 if positives is None else positives
    if metric.method == "count" and n:
        return _least_rate(n, limit, float)
    if metric.trials is not None and positives:
        return _least_rate(positives, limit, metric.of_rate)
    if metric.method == "ranks" and 0 < positives < n:
        low = ranks.newcombe(1.0, positives, n - positives)[0]
        return None if low < limit else _least_area(positives, n - positives, limit)
    return None


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


def rows_needed(measure: Measure) -> int | None:
    """How many more labelled rows would settle the measure if its value stayed as it is.

    The distance from the value to its bound shrinks with the square root of the rows. 0 when it
    is settled; None when no number of rows would do (the value sits on the limit) or can be told.

    >>> from seatrial.outcome import Measure
    >>> open_question = Measure(name="accuracy", value=0.84, low=0.80, high=0.87, limit=0.82,
    ...                         n=400, verdict=Verdict.INCONCLUSIVE)
    >>> rows_needed(open_question)
    1200
    """
    if measure.verdict is not Verdict.INCONCLUSIVE:
        return 0
    if measure.limit is None or measure.value is None:
        return None
    above = measure.value > measure.limit
    bound = measure.low if above else measure.high
    gap = abs(measure.value - measure.limit)
    if bound is None or gap <= 1e-9 * max(1.0, abs(measure.limit)):
        return None
    total = measure.n * (abs(measure.value - bound) / gap) ** 2
    # What rounding adds must not count as a row; an open question needs at least one more.
    return max(math.ceil(total - 1e-6 * max(total, 1)) - measure.n, 1)


def _least_rate(trials: int, limit: float, of_rate: Callable[[float], float]) -> float | None:
    lost, kept = -1, trials
    if of_rate(rates.of_one(trials, trials)[0]) < limit:
        return None
    while kept - lost > 1:
        middle = (kept + lost) // 2
        passes = of_rate(rates.of_one(middle, trials)[0]) >= limit
        lost, kept = (lost, middle) if passes else (middle, kept)
    return of_rate(kept / trials)


def _least_area(positives: int, negatives: int, limit: float) -> float:
    lost, kept = 0.0, 1.0
    for _ in range(40):
        middle = (lost + kept) / 2
        passes = ranks.newcombe(middle, positives, negatives)[0] >= limit
        lost, kept = (lost, middle) if passes else (middle, kept)
    return kept


def _upper(n: int, degradation: float, discordant: float) -> float:
    worse = n * (discordant + degradation) / 2
    return rates.of_difference(worse, n * discordant - worse, n)[1]
