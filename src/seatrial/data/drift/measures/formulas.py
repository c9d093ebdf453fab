"""What is each smooth measure, bin by bin, and how does it change with the shares?

A formula takes shares ``[..., k]`` of now (``p``) and of the reference (``q``), all positive, and
gives its summands with their derivatives. The divergence is their sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shares = NDArray[np.float64]


class Terms(NamedTuple):
    """The summands of a divergence ``[..., k]``, and their first and second derivatives."""

    value: Shares
    p: Shares
    q: Shares
    pp: Shares
    pq: Shares
    qq: Shares


def kl(p: Shares, q: Shares) -> Terms:
    """Kullback-Leibler divergence ``sum p log(p / q)`` in nats (1951, Ann. Math. Stat. 22, 79).

    >>> round(float(kl(np.array([0.4, 0.6]), np.array([0.5, 0.5])).value.sum()), 6)
    0.020136
    """
    log, ratio = np.log(p / q), p / q
    return Terms(p * log, log + 1, -ratio, 1 / p, -1 / q, ratio / q)


def psi(p: Shares, q: Shares) -> Terms:
    """Population stability index ``sum (p - q) log(p / q)``: Jeffreys' symmetric divergence.

    Jeffreys (1946), Proc. R. Soc. A 186, 453; as an index of drift: Siddiqi (2006), Credit Risk
    Scorecards, ch. 8.
    """
    log, ratio = np.log(p / q), p / q
    there, back = 1 + ratio, 1 + 1 / ratio
    return Terms(
        (p - q) * log, log + 1 - 1 / ratio, 1 - ratio - log, back / p, -back / q, there / q
    )


def jensen_shannon(p: Shares, q: Shares) -> Terms:
    """Jensen-Shannon divergence, in nats: the mean KL divergence from the mean of both.

    Lin (1991), IEEE Trans. Inf. Theory 37, 145. At most log 2; its root is a distance (Endres and
    Schindelin, 2003, IEEE Trans. Inf. Theory 49, 1858).
    """
    both = p + q
    ours, theirs = np.log(2 * p / both) / 2, np.log(2 * q / both) / 2
    return Terms(
        p * ours + q * theirs,
        ours,
        theirs,
        q / (2 * p * both),
        -0.5 / both,
        p / (2 * q * both),
    )


def chi_square(p: Shares, q: Shares, rare: float = 0.0) -> Terms:
    """Pearson's divergence ``sum (p - q)^2 / q``: an effect size, not a p-value.

    A share below ``rare`` divides as if it was that large: a bin weighs the more the rarer it was,
    and how rare is hardly known where it was rare. That lowers the divergence, never raises it.
    Pearson (1900), Phil. Mag. 50, 157; as a divergence: Liese and Vajda (2006), IEEE Trans. Inf.
    Theory 52, 4394.

    >>> p, q = np.array([0.2, 0.8]), np.array([0.02, 0.98])
    >>> [round(float(chi_square(p, q, rare).value.sum()), 4) for rare in (0.0, 0.1)]
    [1.6531, 0.3571]
    """
    known = q >= rare
    by = np.maximum(q, rare)
    gap, ratio = (p - q) / by, p / by
    return Terms(
        (p - q) * gap,
        2 * gap,
        np.where(known, 1 - ratio * ratio, -2 * gap),
        2 / by,
        np.where(known, -2 * ratio, -2.0) / by,
        np.where(known, 2 * ratio * ratio, 2.0) / by,
    )
