"""Did the candidate do harm beside production, on production's own traffic?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.evidence import power, rates
from seatrial.outcome import Direction, Measure, Verdict
from seatrial.outcome import judge as verdict_of

if TYPE_CHECKING:
    from seatrial.evidence.agreement import Tally
    from seatrial.evidence.course import Course

QUANTILE = 0.95
"""The service time that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the candidate may do; times beside production's own, measured in the same process."""

    achieved_share: float = 0.8
    """The least part of the requested share that must have been reached."""
    errors: float = 0.01
    """The most errors, NaN included, per request."""
    times: float = 2.0
    plus_ms: float = 5.0
    """The most time: so many times production's, or so much longer; whichever is more."""


DEFAULT = Limits()


def judge(
    tally: Tally,
    *,
    share_percent: float,
    offline_disagreement: float,
    margin: float,
    limits: Limits = DEFAULT,
) -> tuple[Measure, ...]:
    """Share reached, errors, service time and disagreement against their limits; and the memory.

    Live answers may differ from production's as often as ``offline_disagreement`` said, plus
    ``margin``: more than that means that live requests are not like the rows of the evaluation.
    What nothing was measured for is inconclusive: silence proves nothing.

    >>> from seatrial.evidence.agreement import Tally
    >>> from seatrial.evidence.times import Times
    >>> tally = Tally(seen=1000, sampled=1000, reached=1000, compared=1000, disagreed=20,
    ...               candidate_us=Times({70: 1000}), production_us=Times({70: 1000}))
    >>> measures = judge(tally, share_percent=100, offline_disagreement=0.02, margin=0.05)
    >>> [(each.name, each.verdict.value) for each in measures][:3]
    [('achieved_share', 'pass'), ('errors', 'pass'), ('service_time_ms.p95', 'pass')]
    """
    return (
        _achieved(tally, share_percent, limits),
        _rate("errors", tally.errors + tally.nan, tally.reached, limits.errors),
        _service_time(tally, limits),
        _rate("disagreement", tally.disagreed, tally.compared, offline_disagreement + margin),
        Measure(name="memory_mb", value=tally.memory_mb, n=tally.reached),
    )


def over_time(course: Course) -> dict[str, list[Any]]:
    """What was counted at each moment, with the disagreement's bounds as if one looked only then.

    ``at`` is ISO, UTC; ``low`` and ``high`` are those of :func:`judge`.

    >>> from seatrial.evidence.course import Course, Moment
    >>> told = over_time(Course((Moment(0, 10, 1, 0), Moment(60_000_000, 50, 1, 49, 2.0))))
    >>> told["at"][1], told["failed"], [told["high"][0], round(told["high"][1], 3)]
    ('1970-01-01T00:01:00.000+00:00', [1, 1], [1.0, 0.123])
    """
    bounds = [rates.of_one(each.disagreed, each.compared) for each in course.moments]
    counted = course.to_json()
    del counted["at_us"]
    return {
        "at": [each.at for each in course.moments],
        **counted,
        "low": [low for low, _ in bounds],
        "high": [high for _, high in bounds],
    }


def _achieved(tally: Tally, share_percent: float, limits: Limits) -> Measure:
    """Too little is no harm, but no proof of none either: what was dropped may be what fails."""
    asked = share_percent / 100 * tally.requests
    share = tally.reached / asked if asked else None
    enough = share is not None and share >= limits.achieved_share
    return Measure(
        name="achieved_share",
        value=share,
        limit=limits.achieved_share,
        direction=Direction.AT_LEAST,
        n=tally.requests,
        verdict=Verdict.PASS if enough else Verdict.INCONCLUSIVE,
    )


def _rate(name: str, total: float, n: int, limit: float) -> Measure:
    """A mean over requests of something between 0 and 1, with the exact binomial bounds.

    Exact where it is 0 or 1, as errors are and the disagreement on requests of one row. The
    shares of several rows vary less than 0 and 1 with the same mean, and probabilities that
    differ from request to request make the count vary less than equal ones: the bounds then err
    on the careful side (Hoeffding 1956, "On the distribution of the number of successes in
    independent trials", Annals of Mathematical Statistics 27).
    """
    if not n:
        return _open(name, limit)
    low, high = rates.of_one(total, n)
    return Measure(
        name=name,
        value=total / n,
        low=low,
        high=high,
        limit=limit,
        direction=Direction.AT_MOST,
        n=n,
        verdict=verdict_of(low, high, limit, Direction.AT_MOST),
    )


def _service_time(tally: Tally, limits: Limits) -> Measure:
    mine, served = tally.candidate_us, tally.production_us
    name = "service_time_ms.p95"
    if not mine.n or not served.n:
        return _open(name, None)
    usual_ms = served.quantile(QUANTILE) / 1000
    limit = max(limits.times * usual_ms, usual_ms + limits.plus_ms)
    low, high = (bound / 1000 for bound in mine.bounds(QUANTILE))
    return Measure(
        name=name,
        value=mine.quantile(QUANTILE) / 1000,
        low=low,
        high=high if math.isfinite(high) else None,
        limit=limit,
        direction=Direction.AT_MOST,
        n=mine.n,
        verdict=verdict_of(low, high, limit, Direction.AT_MOST),
    )


def _open(name: str, limit: float | None) -> Measure:
    return Measure(
        name=name,
        value=None,
        limit=limit,
        direction=Direction.AT_MOST,
        verdict=Verdict.INCONCLUSIVE,
    )


def said(measures: tuple[Measure, ...], tally: Tally) -> str:
    """The reason of the verdict, in one sentence.

    >>> from seatrial.evidence.agreement import Tally
    >>> said(judge(Tally(), share_percent=5, offline_disagreement=0, margin=0.05), Tally())
    'no request came, so there was nothing to compare'
    """
    if not tally.requests:
        return "no request came, so there was nothing to compare"
    if not tally.reached:
        return f"{tally.requests} requests came, but none of them reached the candidate"
    told = [_told(each) for each in measures if each.verdict is not Verdict.SKIP]
    beginning = f"on {tally.reached} of {tally.requests} requests: "
    notes = [_most_frequent(tally), _noise(tally), _missing(tally)]
    return beginning + "; ".join([*told, *filter(None, notes)])


_SPOKEN = {
    "achieved_share": "share reached",
    "service_time_ms.p95": "p95 of the service time in ms",
}


def _told(measure: Measure) -> str:
    word = "at least" if measure.direction is Direction.AT_LEAST else "at most"
    name = _SPOKEN.get(measure.name, measure.name)
    if measure.value is None:
        return f"{name} unknown"
    bounds = [
        f"{end} {bound:.3g}"
        for end, bound in (("low", measure.low), ("high", measure.high))
        if bound is not None
    ]
    asked = f"{word} {measure.limit:.3g}"
    text = f"{name} {measure.value:.3g} ({', '.join([*bounds, asked])})"
    if measure.verdict is Verdict.FAIL:
        return f"{text}, which is harm"
    if measure.verdict is Verdict.INCONCLUSIVE:
        return f"{text}, which is not settled{_settles(measure)}"
    return text


def _settles(measure: Measure) -> str:
    """What would settle it, where a number of requests would."""
    if measure.name == "achieved_share":
        return ": too much of the traffic was not compared"
    if measure.high is None:  # too few for any bound of this quantile
        more: int | None = math.ceil(math.log(1 - rates.LEVEL) / math.log(QUANTILE)) - measure.n
    else:
        more = power.rows_needed(measure)
    return f": about {more} more compared requests would" if more and more > 0 else ""


def _most_frequent(tally: Tally) -> str:
    if not tally.reasons:
        return ""
    reason, count = max(tally.reasons.items(), key=lambda each: each[1])
    return f"{count} times the candidate failed so: {reason}"


def _noise(tally: Tally) -> str:
    if not tally.unlike:
        return ""
    return f"production itself, asked again, answered {tally.unlike} of them differently"


def _missing(tally: Tally) -> str:
    counted = ((tally.lost, "lost"), (tally.too_big, "too big"), (tally.late, "late"))
    told = ", ".join(f"{count} {word}" for count, word in counted if count)
    return f"not compared or late: {told}" if told else ""
