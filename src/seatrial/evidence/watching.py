"""When is a watched version rolled back, and when is it proven to do no harm?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from seatrial.evidence import bets, sequence
from seatrial.evidence.rates import LEVEL
from seatrial.evidence.sequence import Trail
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Mode = Literal["balanced", "eager", "strict"]

PART = {"eager": 0.0, "balanced": 0.5, "strict": 1.0}
"""The part of the margin that must be proven to be exceeded before a version is rolled back."""

LABELLED = "labelled requests"

FORESEEN = 10_000_000
"""More labels than this are not foretold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is watched for; the defaults are those of a watch on 0/1 loss.

    A version is rolled back when the evidence that it is worse than the part of the margin that
    the mode says (``eager`` none, ``balanced`` half, ``strict`` all of it) reaches
    ``tests / alpha`` and it was seen to be worse than the margin since the most likely onset; or
    when the evidence that it is worse than the whole margin does. So

        P(ever rolled back | never worse than that part of the margin) <= alpha

    over all ``tests`` together (Bonferroni), however often one looks. ``strict`` also answers
    whether a level in [0, bound] exceeds ``margin``: a mean loss, a rate of disagreement.
    """

    margin: float = 0.05
    mode: Mode = "balanced"
    alpha: float = 0.05
    tests: int = 1
    """Metrics and slices that share alpha."""
    buckets: int = 48
    """Times at which a degradation may have begun."""
    min_labels: int = 100
    bound: float = 1.0
    """The greatest difference that one label can show."""
    counted: bool = True
    """Whether every difference is -bound, 0 or bound."""

    def __post_init__(self) -> None:
        """ValueError when no watch can follow the rule."""
        if not 0 <= self.margin < self.bound < math.inf:
            raise ValueError(f"a margin of {self.margin:g} is not in [0, {self.bound:g})")
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha must lie between 0 and 1, and {self.alpha:g} does not")
        for name in ("tests", "buckets", "min_labels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, and {getattr(self, name)} is not")

    @property
    def bar(self) -> float:
        """The log of the evidence that a rollback needs."""
        return math.log(self.tests / self.alpha)

    @property
    def level(self) -> float:
        """The degradation up to which the guarantee holds."""
        return PART[self.mode] * self.margin

    @property
    def values(self) -> Floats:
        """The values of d that are told apart."""
        return sequence.values(self.bound, counted=self.counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the labels say so far.

    ``measure`` is the mean of d over the whole watch with its bounds, each of which holds at all
    looks together with 95 %; its verdict is ``fail`` to roll back, ``pass`` when the version is
    proven to be within the margin. ``window_start`` and ``window_estimate`` are the bucket since
    which there is most evidence, and the mean of d since. ``log_e`` holds logs of e-values, against
    "no worse", "at most half the margin worse", "at most the margin worse", and for "within the
    margin"; the first three are compared with ``bar``.
    """

    measure: Measure
    window_start: int
    window_estimate: float
    log_e: Mapping[str, float]
    bar: float
    reason: str
    more_labels: int | None
    """About how many more would settle it if they are like those so far; None: not foreseen."""


def judge(
    name: str,
    trail: Trail,
    rule: Rule,
    *,
    bucket_hours: float = 1.0,
    level: str = "",
    counted: str = LABELLED,
) -> Judged:
    """Fail to roll back, pass when harm beyond the margin is ruled out, else inconclusive.

    ``bucket_hours`` is how long a bucket lasts, for the sentence. ``level`` is what a person
    calls d when it is no difference between versions ("mean loss"): then it is never below 0.
    ``counted`` is what a person calls that of which each has one d. ValueError when the trail is
    not of the rule's form.

    A pass is by the whole watch, and at ``alpha`` whatever the number of tests: all of them must
    pass (intersection-union: Berger 1982, "Multiparameter hypothesis testing and acceptance
    sampling", Technometrics 24).

    >>> from seatrial.evidence.sequence import Trail
    >>> rule = Rule()
    >>> trail = Trail.empty(rule)
    >>> trail.add(np.repeat([0.0, -1.0, 1.0], [960, 20, 20]), 0)
    >>> judge("error", trail, rule).reason
    'no difference on 1000 labelled requests (at most 0.0204, margin 0.05)'
    >>> trail.add(np.repeat([0.0, 1.0], [270, 30]), 24)
    >>> judge("error", trail, rule).reason
    '0.1 worse on 300 labelled requests since hour 24 (at least 0.0487, margin 0.05)'
    """
    _demand_form(trail, rule)
    counts = trail.counts()
    found = harm(counts, rule)
    log_e = _evidence(counts, rule)
    verdict = _verdict(trail.n, found, log_e, rule)
    measure = _measure(name, trail, rule, verdict, least=0.0 if level else -rule.bound)
    more = _more_labels(counts, rule, found) if verdict is Verdict.INCONCLUSIVE else 0
    if verdict is Verdict.FAIL:
        reason = _harm(counts, rule, found, bucket_hours, level, counted)
    else:
        reason = _no_harm(measure, rule, more, level, counted)
    return Judged(
        measure=measure,
        window_start=int(found.start),
        window_estimate=float(found.estimate),
        log_e=log_e,
        bar=rule.bar,
        reason=reason,
        more_labels=more,
    )


def unfolded(
    name: str, trail: Trail, rule: Rule, *, level: str = ""
) -> Iterator[tuple[int, Judged]]:
    """What was known once the labels of a bucket and of all before it were counted.

    One for each bucket that has labels, in order: the last is what :func:`judge` says of the whole
    trail. A label belongs to the time of its request, so of labels that came late this is not what
    was known then, but what they say of that time. ValueError when the trail is not of the rule's
    form.

    >>> from seatrial.evidence.sequence import Trail
    >>> rule = Rule()
    >>> trail = Trail.empty(rule)
    >>> trail.add(np.repeat([0.0, 1.0], [450, 50]), 3)
    >>> trail.add(np.repeat([0.0, 1.0], [400, 100]), 7)
    >>> [(bucket, each.measure.value) for bucket, each in unfolded("error", trail, rule)]
    [(3, 0.1), (7, 0.15)]
    """
    _demand_form(trail, rule)
    points, until = trail.points, Trail.empty(rule)
    for bucket in range(trail.buckets):
        part = slice(bucket * points, (bucket + 1) * points)
        if any(trail.cells[part]):
            until.cells[part] = trail.cells[part]
            yield bucket, judge(name, until, rule, level=level)


def _demand_form(trail: Trail, rule: Rule) -> None:
    if (trail.bound, trail.counted, trail.buckets) != (rule.bound, rule.counted, rule.buckets):
        raise ValueError("the trail was not kept for this rule: bound, form or buckets differ")


@dataclass(frozen=True, slots=True)
class Harm:
    """Whether a version is rolled back, and by the labels since which bucket; arrays [...]."""

    rolls_back: NDArray[np.bool_]
    start: NDArray[np.intp]
    estimate: Floats


def harm(counts: Floats, rule: Rule) -> Harm:
    """The rule itself, for one watch ([buckets, points]) or for many ([..., buckets, points]).

    The last buckets may be left out while they have no labels.

    The estimate that must exceed the margin is that of the window with most evidence. The greatest
    mean over all windows would be no guard: some short window is always bad.

    >>> found = harm(np.array([[5.0, 990.0, 5.0], [0.0, 200.0, 50.0]]), Rule(buckets=2))
    >>> bool(found.rolls_back), int(found.start), float(found.estimate)
    (True, 1, 0.2)
    """
    since = bets.suffixes(counts)
    n = since.sum(axis=-1)
    # a window begins with its first label, not with the silence before it
    begins = counts.sum(axis=-1) > 0
    log_e, start = _mixed(since, begins, rule, rule.level)
    estimate = _estimate(since, start, rule)
    enough = log_e >= rule.bar
    rolls_back = np.asarray(enough & (estimate > rule.margin))
    # there is never more evidence against the margin than against a part of it
    open_ = enough & ~rolls_back
    if open_.any():
        log_e, proven = _mixed(since[open_], begins[open_], rule, rule.margin)
        proven = np.where(log_e >= rule.bar, proven, start[open_])
        rolls_back[open_] = log_e >= rule.bar
        start[open_], estimate[open_] = proven, _estimate(since[open_], proven, rule)
    return Harm(rolls_back & (n[..., 0] >= rule.min_labels), start, estimate)


def _mixed(
    since: Floats, begins: NDArray[np.bool_], rule: Rule, level: float
) -> tuple[Floats, NDArray[np.intp]]:
    """The log of the e-value against a level, and the bucket that adds the most to it."""
    purse, begun = bets.purses(rule.buckets), since.shape[-2]
    logs = bets.onsets(since, rule.values, (level,), purse[:begun])[..., 0]
    log_e = bets.together(logs)
    if begun < rule.buckets:
        # who has not begun still holds the purse
        log_e = np.logaddexp(log_e, bets.together(purse[begun:]))
    return np.asarray(log_e), np.asarray(np.where(begins, logs, -np.inf).argmax(axis=-1))


def _estimate(since: Floats, start: NDArray[np.intp], rule: Rule) -> Floats:
    """The mean of d since a bucket; 0 without labels."""
    window = np.take_along_axis(since, start[..., None, None], axis=-2)[..., 0, :]
    return np.asarray(window @ rule.values / np.maximum(window.sum(axis=-1), 1.0))


def _evidence(counts: Floats, rule: Rule) -> dict[str, float]:
    levels = (0.0, rule.margin / 2, rule.margin)
    purse = bets.purses(rule.buckets)
    logs = bets.onsets(bets.suffixes(counts), rule.values, levels, purse)
    worse = bets.together(logs.T).tolist()
    return {
        **dict(zip(("worse", "worse_than_half_margin", "worse_than_margin"), worse, strict=True)),
        # a pass is about the whole watch, so nothing is mixed over the onset
        "within_margin": float(bets.whole(counts.sum(axis=0)[::-1], rule.values, -rule.margin)),
    }


def _verdict(n: int, found: Harm, log_e: Mapping[str, float], rule: Rule) -> Verdict:
    if found.rolls_back:
        return Verdict.FAIL
    proven = n >= rule.min_labels and log_e["within_margin"] >= -math.log(rule.alpha)
    return Verdict.PASS if proven else Verdict.INCONCLUSIVE


def _measure(name: str, trail: Trail, rule: Rule, verdict: Verdict, *, least: float) -> Measure:
    low, high = bets.bounds(trail.counts().sum(axis=0), rule.values, 1 - LEVEL)
    return Measure(
        name=name,
        value=trail.mean() if trail.n else None,
        low=max(low, least),
        high=high,
        limit=rule.margin,
        direction=Direction.AT_MOST,
        n=trail.n,
        verdict=verdict,
    )


def _more_labels(counts: Floats, rule: Rule, found: Harm) -> int | None:
    """The fewest more labels that settle it, if they come like those so far, or since the onset."""
    n = float(counts.sum())
    if not n:
        return None
    least = max(rule.min_labels - int(n), 1)
    more = np.geomspace(least, FORESEEN, 256)
    passes = bets.wealths(counts.sum(axis=0)[::-1], rule.values, -rule.margin)
    settled = _grown(passes, more / n) >= -math.log(rule.alpha)
    start = int(found.start)
    if found.estimate > rule.margin:
        since = counts[start:].sum(axis=0)
        fails = bets.wealths(since, rule.values, rule.level)
        bar = rule.bar - bets.purses(len(counts))[start]
        settled |= _grown(fails, more / float(since.sum())) >= bar
    return math.ceil(more[settled.argmax()]) if settled.any() else None


def _grown(wealths: Floats, parts: Floats) -> Floats:
    """The evidence after so many more labels, in parts of those so far."""
    return bets.mean_of_exp(wealths * (1 + parts)[:, None])


def _harm(
    counts: Floats, rule: Rule, found: Harm, bucket_hours: float, level: str, counted: str
) -> str:
    start = int(found.start)
    at_least = bets.low_since_onset(counts, rule.values, rule.bar)
    since = f" since hour {start * bucket_hours:.3g}" if counts[:start].any() else ""
    requests = f"{counts[start:].sum():.0f} {counted}{since}"
    limits = f"(at least {_number(at_least)}, {_limit(rule, level)})"
    return f"{_told(float(found.estimate), level)} on {requests} {limits}"


def _no_harm(measure: Measure, rule: Rule, more: int | None, level: str, counted: str) -> str:
    if measure.value is None or measure.low is None or measure.high is None:
        return f"no {counted.removesuffix('s')} yet"
    seen = f"{_told(measure.value, level)} on {measure.n} {counted}"
    low, high = _number(measure.low), _number(measure.high)
    if measure.verdict is Verdict.PASS:
        return f"{seen} (at most {high}, {_limit(rule, level)})"
    return f"{seen} (between {low} and {high}, {_limit(rule, level)}); {_more(more)}"


def _told(d: float, level: str) -> str:
    if level:
        return f"{level} {_number(d)}"
    if not d:
        return "no difference"
    return f"{_number(abs(d))} {'worse' if d > 0 else 'better'}"


def _limit(rule: Rule, level: str) -> str:
    return f"{'limit' if level else 'margin'} {_number(rule.margin)}"


def _number(d: float) -> str:
    # what a search leaves of zero is zero
    return f"{d if abs(d) > 1e-9 else 0.0:.3g}"


def _more(more: int | None) -> str:
    if more is None:
        return "more like these will not settle it"
    return f"about {foretold(more)} more would settle it"


def foretold(more: int) -> int:
    """A forecast of labels as it is said: it is not better than its first two figures.

    >>> foretold(255)
    260
    """
    return int(float(f"{more:.2g}"))
