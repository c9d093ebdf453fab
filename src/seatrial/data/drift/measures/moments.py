"""How is a divergence distributed that was computed from sampled shares? Three moments of it.

The shares ``p`` of ``n`` rows and ``q`` of ``m`` rows are independent multinomials. To second
order the plug-in value is ``D + l'e + e'He / 2`` with the errors ``e`` of both, the gradient ``l``
and the Hessian ``H``. With the covariance ``S`` of the errors its cumulants are

    mean       D + tr(HS) / 2
    variance   l'Sl + tr(HSHS) / 2
    third      k3(l'e) + 3 l'SHSl + tr(HSHSHS)

(Hall, The Bootstrap and Edgeworth Expansion, 1992, 2.4; for chi-square limits see Mathai and
Provost, Quadratic Forms in Random Variables, 1992, 3.2b). Where nothing moved ``l`` is 0 and they
are those of a chi-square, where much moved those of the delta method, in between those of a
noncentral chi-square with the skewness that the shares really have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from seatrial.data.drift.interval import SMOOTHING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from seatrial.data.drift.measures.formulas import Terms

    Shares = NDArray[np.float64]
    Formula = Callable[[Shares, Shares], Terms]


class Moments(NamedTuple):
    """A divergence, and bias, variance and third cumulant of what is found of it, ``[...]``."""

    divergence: Shares
    bias: Shares
    variance: Shares
    third: Shares


def moments(formula: Formula, p: Shares, q: Shares, n: float, m: float) -> Moments:
    """The moments when the true shares are ``p`` and ``q`` ``[..., k]``; costs O(k)."""
    f = formula(p, q)
    slope_p = f.p - _sum(p * f.p)[..., None]
    slope_q = f.q - _sum(q * f.q)[..., None]
    moved_p, moved_q = p * slope_p / n, q * slope_q / m
    noise = _sum(f.pp * p * (1 - p)) / n + _sum(f.qq * q * (1 - q)) / m
    noise_squared = (
        _trace(f.pp, p, p) / n**2 + _trace(f.qq, q, q) / m**2 + 2 * _trace(f.pq, p, q) / (n * m)
    )
    k = p.shape[-1]
    smoothing = SMOOTHING * (_sum(f.p * (1 - k * p)) / n + _sum(f.q * (1 - k * q)) / m)
    skew = _sum(p * slope_p**3) / n**2 + _sum(q * slope_q**3) / m**2
    bent = _sum(f.pp * moved_p**2 + 2 * f.pq * moved_p * moved_q + f.qq * moved_q**2)
    return Moments(
        divergence=_sum(f.value),
        bias=noise / 2 + smoothing,
        variance=_sum(moved_p * slope_p) + _sum(moved_q * slope_q) + noise_squared / 2,
        # The trace of the cube is that of equal eigenvalues, as they are where nothing moved.
        third=skew + 3 * bent + noise_squared**2 / noise,
    )


def _sum(each: Shares) -> Shares:
    total: Shares = each.sum(-1)
    return total


def _trace(curve: Shares, p: Shares, q: Shares) -> Shares:
    """``tr(C Sp C Sq)`` of a diagonal ``C`` and ``Sp = diag(p) - pp'``, ``Sq`` likewise."""
    return _sum(curve**2 * p * q * (1 - p - q)) + _sum(curve * p * q) ** 2
