"""On which part of the rows is the model worst, beyond what searching alone would find?

Searched are all parts of each column and all pairs of two columns' parts, with at least 50 rows
and 1 % of them. Whoever looks at so many finds some that look bad by chance, so that the bounds are
corrected by Bonferroni's inequality: half of the 5 % is shared by the single parts, half by the
pairs. However the slices overlap, and whichever is picked, all corrected bounds hold together in
95 % of samples, and so does that of the slice that was picked. It costs little (for a hundred parts
and five thousand pairs, 3.5 and 4.4 standard errors instead of 1.6), is the same for each metric,
draws nothing at random, and holds in small slices, for which laws of maxima are approximations.
Weights: Rosenthal and Rubin (1983), "Ensemble-adjusted p values", Psychological Bulletin 94.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.slices.declared import Slice
from seatrial.evaluation.slices.losses import losses
from seatrial.evaluation.slices.partition import FEWEST
from seatrial.evidence.absolute import absolute
from seatrial.evidence.rates import LEVEL, Z
from seatrial.metrics import why_undefined
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.evaluation.slices.losses import Losses
    from seatrial.evaluation.slices.partition import Partition
    from seatrial.metrics import Metric, Predictions

SHARE = 0.01
"""A slice has at least so many of the rows."""

SHORTLIST = 8
"""So many slices are looked at by the metric itself, where it is no mean over rows."""

OF_GROUPS = 20
"""So many where rows belong together, of which what the losses are ranked by knows nothing."""

LOOKED_AT = 200
"""So many at most, to find those: the metric may have no value where the losses are greatest."""

EXTREMES = ("neg_max_error",)
"""Metrics of the worst row: how much worse another one may be, no sample tells."""

PAIRED = 400
"""At most so many pairs of columns are searched: those of the columns whose parts differ most."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The slice of which the corrected bounds say the worst.

    ``measure`` is the metric there with corrected bounds, ``rest`` that on all other rows with the
    same correction; ``searched`` counts the slices that were considered.
    """

    slice: Slice
    measure: Measure
    rest: Measure
    searched: int

    @property
    def beyond_chance(self) -> bool:
        """Whether it is certainly worse than the rest: their corrected bounds do not meet."""
        one, other = self.measure, self.rest
        if one.direction is Direction.AT_MOST:
            one, other = other, one
        return one.high is not None and other.low is not None and one.high < other.low


@dataclass(frozen=True, slots=True)
class _Family:
    """What is searched, and at which level each bound of a single part and of a pair holds."""

    partitions: Sequence[Partition]
    fewest: int

    @property
    def counts(self) -> tuple[int, int]:
        """Of single parts and of pairs; those with too few rows count as well."""
        parts = [len(partition.said) for partition in self.partitions]
        return sum(parts), (sum(parts) ** 2 - sum(count**2 for count in parts)) // 2

    def level(self, parts: int) -> float:
        """Of a slice made of so many parts."""
        singles, pairs = self.counts
        half = (1 - LEVEL) / (2 if pairs else 1)
        return half / max(singles if parts == 1 else pairs, 1)


@dataclass(frozen=True, slots=True)
class _Found:
    """A slice by the parts that it is made of, as (column, part), and how bad it surely is."""

    parts: tuple[tuple[int, int], ...]
    bad: float


@dataclass(frozen=True, slots=True)
class _Judged:
    """A slice by its parts, and the metric on it with corrected bounds."""

    parts: tuple[tuple[int, int], ...]
    slice: Slice
    measure: Measure


def worst(
    rows: Labelled,
    answers: Predictions,
    partitions: Sequence[Partition],
    limit: float | None = None,
    *,
    seed: int,
) -> Worst | None:
    """The slice of all single parts and pairs whose metric is worst for certain; None: no slice.

    "For certain": by the end of the corrected bounds that speaks for the slice. A pair gives way to
    one of its parts that is as guilty (:func:`_simplest`). ``partitions`` are those of each column
    to search by. The verdict of the measure is ``fail`` when that end lies beyond ``limit``, else
    ``skip``: what was picked because it looks bad proves no more.

    >>> from seatrial.evaluation.labelled import Labelled
    >>> from seatrial.evaluation.slices.partition import Partition
    >>> from seatrial.metrics import Predictions, get
    >>> truth, gate = np.arange(2000) % 2, np.arange(2000) // 2 % 10
    >>> label = np.where((gate == 3) & (np.arange(2000) % 3 > 0), 1 - truth, truth)
    >>> rows = Labelled("flights", {}, truth, get("accuracy"), None)
    >>> parts = Partition("gate", tuple(f"gate = {g}" for g in range(10)), gate)
    >>> found = worst(rows, Predictions(label, None, (0, 1)), [parts], 0.8, seed=1)
    >>> found.slice.name, found.measure.value, found.measure.verdict.value, found.searched
    ('gate = 3', 0.335, 'fail', 10)
    """
    lost = losses(rows.metric, rows.labels, answers)
    family = _Family(partitions, max(FEWEST, math.ceil(SHARE * rows.rows)))
    ranked = _ranked(lost, family)
    judged = (_judged(rows, answers, family, each.parts, seed) for each in ranked[:LOOKED_AT])
    defined = (each for each in judged if each is not None)
    looked_at = [*itertools.islice(defined, _looks(rows, lost))]
    if not looked_at:
        return None
    found = min(looked_at, key=lambda each: _good(each.measure))
    measured = [
        _against(rows, answers, family, each, limit, seed)
        for each in (found, *_parents(rows, answers, family, found, seed))
    ]
    return _simplest(measured)


def _looks(rows: Labelled, lost: Losses) -> int:
    """At how many slices to look by the metric itself: one, where each look takes long."""
    if rows.metric.method == "resample" and rows.metric.of_scores is None:
        return 1
    if rows.groups is not None:
        return OF_GROUPS
    return 1 if lost.exact else SHORTLIST


def _against(
    rows: Labelled,
    answers: Predictions,
    family: _Family,
    found: _Judged,
    limit: float | None,
    seed: int,
) -> Worst:
    """The slice beside the rest and the limit."""
    part, measure = found.slice, found.measure
    others = np.setdiff1d(np.arange(rows.rows), part.rows, assume_unique=True)
    rest = _bounds(rows, answers, others, family.level(len(found.parts)), seed)
    if rest is None:  # the metric has no value there
        rest = replace(measure, value=None, low=None, high=None, n=len(others))
    measure = replace(measure, name=f"{measure.name} on the worst slice ({part.name})")
    if limit is not None:
        fails = _good(measure) < (limit if rows.metric.greater_is_better else -limit)
        measure = replace(measure, limit=limit, verdict=Verdict.FAIL if fails else Verdict.SKIP)
    return Worst(part, measure, rest, sum(family.counts))


def _parents(
    rows: Labelled, answers: Predictions, family: _Family, found: _Judged, seed: int
) -> list[_Judged]:
    """The single parts of a pair that it does not certainly fall short of: weak parts of weak ones.

    Within a weak slice some part always looks weaker still.
    """
    if len(found.parts) == 1:
        return []
    near = [each for each in found.parts if not _falls_short(rows, answers, family, found, each)]
    alone = (_judged(rows, answers, family, (part,), seed) for part in near)
    return [each for each in alone if each is not None]


def _falls_short(
    rows: Labelled, answers: Predictions, family: _Family, found: _Judged, part: tuple[int, int]
) -> bool:
    """Whether a slice is certainly worse than a part that holds it, or nothing is beside that."""
    inside = family.partitions[part[0]].place == part[1]
    if np.count_nonzero(inside) > rows.rows - family.fewest:
        return True
    y, mine = rows.labels[inside], answers.rows(inside)
    if why_undefined(rows.metric, y, mine):
        return True
    value = rows.metric.value(y, mine)
    return _good(found.measure) < (value if rows.metric.greater_is_better else -value)


def _simplest(found: Sequence[Worst]) -> Worst:
    """The slice, or the worst of its single parts where one says as much in fewer words.

    That is one that fails where the slice fails, and is worse than the rest beyond chance where the
    slice is.
    """
    first, *parents = found
    as_guilty = [
        each
        for each in parents
        if each.measure.verdict is first.measure.verdict
        and each.beyond_chance >= first.beyond_chance
    ]
    return min(as_guilty, key=lambda each: _good(each.measure), default=first)


def _good(measure: Measure) -> float:
    """The best that it may be, the greater the better."""
    if measure.direction is Direction.AT_LEAST:
        return math.inf if measure.high is None else measure.high
    return math.inf if measure.low is None else -measure.low


def _ranked(lost: Losses, family: _Family) -> list[_Found]:
    """The slices by the corrected lower bound of their mean loss, the greatest first."""
    partitions = family.partitions
    parts = [len(partition.said) for partition in partitions]
    found: list[_Found] = []
    spread = []
    for number, partition in enumerate(partitions):
        bad, sums = _bad(lost, partition.place, parts[number], family.fewest, family.level(1))
        spread.append(sums)
        found += [
            _Found(((number, int(part)),), float(bad[part]))
            for part in np.flatnonzero(np.isfinite(bad))
        ]
    for one, other in _together(spread):
        place = partitions[one].place * parts[other] + partitions[other].place
        bad, _ = _bad(lost, place, parts[one] * parts[other], family.fewest, family.level(2))
        for code in _top(bad):
            both = ((one, int(code) // parts[other]), (other, int(code) % parts[other]))
            found.append(_Found(both, float(bad[code])))
    # of equally bad ones the simpler, then the one that is first in the columns' order
    found.sort(key=lambda each: (-each.bad, len(each.parts), each.parts))
    return found


def _together(spread: Sequence[float]) -> Iterator[tuple[int, int]]:
    """Pairs of columns, all of them or those of the columns whose parts differ most."""
    most = int((1 + math.isqrt(1 + 8 * PAIRED)) / 2)
    chosen = sorted(np.argsort([-each for each in spread], kind="stable")[:most].tolist())
    return itertools.combinations(chosen, 2)


def _top(bad: NDArray[np.float64]) -> NDArray[np.intp]:
    there = np.flatnonzero(np.isfinite(bad))
    return np.asarray(there[np.argsort(-bad[there], kind="stable")[:SHORTLIST]])


def _bad(
    lost: Losses, place: NDArray[np.intp], parts: int, fewest: int, level: float
) -> tuple[NDArray[np.float64], float]:
    """[parts] lower bounds of the mean loss at a level, -inf for parts that are no slice.

    And how much the means differ: their sum of squares about the mean of all.
    """
    from scipy.special import betaincinv, stdtrit  # noqa: PLC0415 - half a second

    n = np.bincount(place, minlength=parts).astype(np.float64)
    total = np.bincount(place, lost.rows, minlength=parts)
    fits = (n >= fewest) & (len(place) - n >= fewest)
    n, total = np.maximum(n, 2), np.where(fits, total, 1.0)
    mean = total / n
    differ = float(np.sum((n * (mean - lost.rows.mean()) ** 2)[fits]))
    if lost.counted:
        low = np.where(total > 0, betaincinv(np.maximum(total, 1), n - total + 1, level), 0.0)
    else:
        squares = np.bincount(place, lost.rows**2, minlength=parts)
        variance = np.maximum(squares / n - mean**2, 0) * n / (n - 1)
        low = mean + stdtrit(n - 1, level) * np.sqrt(variance / n)
    return np.where(fits, low, -np.inf), differ


def _judged(
    rows: Labelled,
    answers: Predictions,
    family: _Family,
    parts: tuple[tuple[int, int], ...],
    seed: int,
) -> _Judged | None:
    each = [(family.partitions[column], part) for column, part in parts]
    inside = np.logical_and.reduce([partition.place == part for partition, part in each])
    said = " and ".join(partition.said[part] for partition, part in each)
    whole = Slice(said, np.flatnonzero(inside), named=False)
    measure = _bounds(rows, answers, whole.rows, family.level(len(parts)), seed)
    return None if measure is None else _Judged(parts, whole, measure)


def _bounds(
    rows: Labelled, answers: Predictions, chosen: NDArray[np.intp], level: float, seed: int
) -> Measure | None:
    inside, mine = rows.part(chosen), answers.rows(chosen)
    if why_undefined(rows.metric, inside.labels, mine):
        return None
    measure = absolute(rows.metric, inside.labels, mine, None, seed=seed, groups=inside.groups)
    measure = stretched(measure, rows.metric, level, _freedom(inside))
    return replace(measure, low=None) if rows.metric.name in EXTREMES else measure


def _freedom(inside: Labelled) -> float:
    """Degrees of freedom of the error behind the bounds: one less than what stands alone.

    Counts of rows that stand alone have laws of their own, which estimate no error.
    """
    if inside.groups is not None:
        return len(np.unique(inside.groups)) - 1.0
    return inside.rows - 1.0 if inside.metric.method in {"mean", "resample"} else math.inf


def stretched(measure: Measure, metric: Metric, level: float, freedom: float = math.inf) -> Measure:
    """95 % bounds moved out to where those of another one-sided ``level`` lie.

    By the ratio of the quantiles of Student's t with that ``freedom`` (of the normal law, when
    infinite): far out, an error that few clusters estimate counts for much more than at 95 %.
    Below one degree there is no bound. For metrics between 0 and 1 on the logit, where at a rate it
    agrees with the exact binomial bound to a few thousandths, and at 0 and at 1 by that law itself;
    else, and for sums over bins, which are no rates, as they stand.

    >>> from seatrial.metrics import get
    >>> measure = Measure(name="accuracy", value=0.6, low=0.5471, high=0.6511, n=250)
    >>> wide = stretched(measure, get("accuracy"), 0.025 / 5000)
    >>> round(wide.low, 2), round(wide.high, 2)  # the exact ones are 0.46 and 0.73
    (0.46, 0.73)
    >>> few = stretched(measure, get("accuracy"), 0.025 / 5000, freedom=4)
    >>> round(few.low, 2), round(few.high, 2)
    (0.08, 0.96)
    """
    if measure.value is None:
        return measure
    value, times, power = measure.value, *_times(level, freedom)
    rate = metric.bounded and metric.method != "bins"

    def moved(bound: float | None, end: float) -> float | None:
        if bound is None or not math.isfinite(times):
            return end if math.isfinite(end) else None
        if rate and 0 < bound < 1:
            if 0 < value < 1:
                here, there = (math.log(p / (1 - p)) for p in (value, bound))
                return _share(here + times * (there - here))
            return float(bound**power if value == 1 else 1 - (1 - bound) ** power)
        return min(max(value + times * (bound - value), metric.least), metric.most)

    return replace(
        measure, low=moved(measure.low, metric.least), high=moved(measure.high, metric.most)
    )


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > 0 else math.exp(logit) / (1 + math.exp(logit))


def _times(level: float, freedom: float) -> tuple[float, float]:
    """How many times as far from the value a bound lies, and to which power it is where rows agree.

    n rows that agree bound a rate by (1 - level) ** (1 / n); the other is by the same ratio of n.
    """
    from scipy.special import ndtri, stdtrit  # noqa: PLC0415 - half a second

    normal = float(ndtri(level)) / -Z
    times = normal
    if freedom < 1:
        times = math.inf
    elif math.isfinite(freedom):
        times = float(stdtrit(freedom, level) / stdtrit(freedom, 1 - LEVEL))
    return times, math.log(level) / math.log(1 - LEVEL) * (times / normal) ** 2
