"""How far is a distribution from its reference, and how sure are we of it? Numbers only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.divergence import Counted

    Counts = NDArray[np.float64]

SMOOTHING = 0.5
"""Added to every count, so that no bin is impossible (Krichevsky and Trofimov, 1981)."""

_LARGE = 1e4
"""Beyond this the noncentral chi-square is normal enough, and its inverse slow."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A divergence in nats with its one-sided 95 % bounds."""

    value: float
    low: float
    high: float


def kl_of(counted: Counted, threshold: float, alpha: float = 0.05) -> Estimate:
    """Kullback-Leibler divergence of now from the reference, in nats, on few enough bins."""
    rows = int(counted.current.sum()) + counted.missing[0]
    return kl(*_merged(counted, most_bins(rows, threshold)), alpha)


def _merged(counted: Counted, most: int) -> tuple[Counts, Counts]:
    """Current and reference counts on at most ``most`` bins, the missing values always apart.

    Bins that are empty on both sides say nothing and are left out.
    """
    ours, theirs = counted.current, counted.reference
    used = (ours + theirs) > 0
    ours, theirs = ours[used], theirs[used]
    apart = any(counted.missing)
    places = merging(theirs, max(2, most - apart), ordered=counted.edges is not None)
    groups = int(places.max(initial=-1)) + 1
    ours, theirs = (np.bincount(places, part, groups).astype(np.float64) for part in (ours, theirs))
    if apart:
        ours, theirs = np.append(ours, counted.missing[0]), np.append(theirs, counted.missing[1])
    return ours, theirs


def kl(current: Counts, reference: Counts, alpha: float = 0.05) -> Estimate:
    """Kullback-Leibler divergence of ``current`` from ``reference``, both counts ``[k]``, in nats.

    The counts are smoothed; the value is corrected for the bias ``(k - 1) / 2 * (1/n + 1/m)``.
    The bounds invert the noncentral chi-square law of ``2 n' KL`` with ``k - 1`` degrees of
    freedom and noncentrality ``2 n' KL``, where ``1/n' = 1/n + 1/m`` (Kullback, Information
    Theory and Statistics, 1959, ch. 6). Equal shares give 0, 0, 0.

    >>> kl(np.array([10.0, 30.0]), np.array([10.0, 30.0]))
    Estimate(value=0.0, low=0.0, high=0.0)
    """
    freedom = len(current) - 1
    rows = 1 / (1 / current.sum() + 1 / reference.sum())
    # Smoothing moves shares of unequal totals apart, so equal ones are asked for first.
    same = np.array_equal(current * reference.sum(), reference * current.sum())
    p, q = shares(current, reference)
    raw = float((p * np.log(p / q)).sum())
    if freedom < 1 or same or raw <= 0:
        return Estimate(0.0, 0.0, 0.0)
    statistic = 2 * rows * raw
    value = max(0.0, raw - freedom / (2 * rows))
    low = _noncentrality(statistic, freedom, 1 - alpha) / (2 * rows)
    high = _noncentrality(statistic, freedom, 0.05) / (2 * rows)
    return Estimate(value, min(low, value), max(high, value))


def shares(current: Counts, reference: Counts) -> tuple[Counts, Counts]:
    """The smoothed shares of the bins ``[k]``, now and before; each sums to 1."""
    ours, theirs = current + SMOOTHING, reference + SMOOTHING
    return ours / ours.sum(), theirs / theirs.sum()


def most_bins(rows: int, threshold: float) -> int:
    """So many bins that the bias stays below a tenth of the threshold: n >= (k-1) / (0.2 t).

    >>> most_bins(950, 0.1), most_bins(50, 0.1), most_bins(10, 0.1)
    (20, 2, 2)
    """
    return max(2, int(0.2 * threshold * rows + 1e-9) + 1)


def merging(reference: Counts, most: int, *, ordered: bool) -> NDArray[np.int64]:
    """Which of at most ``most`` groups each bin ``[k]`` goes to, about equally full of reference.

    The two bins of the least sum are merged until few enough are left; only neighbours when
    ``ordered``. The choice looks at the reference alone, so it favours no outcome.

    >>> merging(np.array([5.0, 1.0, 1.0, 5.0]), 3, ordered=True).tolist()
    [0, 1, 1, 2]
    """
    groups = [[i] for i in range(len(reference))]
    sums = [float(count) for count in reference]
    while len(groups) > most:
        if ordered:
            first = min(range(len(sums) - 1), key=lambda i: sums[i] + sums[i + 1])
            second = first + 1
        else:
            first, second = sorted(sorted(range(len(sums)), key=sums.__getitem__)[:2])
        sums[first] += sums.pop(second)
        groups[first] += groups.pop(second)
    places = np.zeros(len(reference), np.int64)
    for place, group in enumerate(groups):
        places[group] = place
    return places


def _noncentrality(statistic: float, freedom: int, probability: float) -> float:
    """The noncentrality at which a value up to ``statistic`` has that probability; 0 if none."""
    from scipy.special import chdtr, chndtrinc, ndtri  # noqa: PLC0415 - slow to import

    if float(chdtr(freedom, statistic)) <= probability:
        return 0.0
    if statistic < _LARGE:
        return float(chndtrinc(statistic, freedom, probability))
    # Its square root, shifted by freedom, is nearly normal with deviation 1.
    return max(0.0, math.sqrt(statistic - freedom + 1) - float(ndtri(probability))) ** 2
