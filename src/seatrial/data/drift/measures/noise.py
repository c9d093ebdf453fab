"""How large is a norm of nothing but noise?

The noise is normal with mean 0, and the norm a weighted sum of its absolute values. Its first two
moments are exact. Its tail is that of a constant and the size of one normal deviate with the same
moments, which is what it is of two bins, and little too long of many; but the norm is at least the
size of each linear function that it is the largest of, and far out the noisiest of those decides
(Borell, 1975; Tsirelson, Ibragimov and Sudakov, 1976).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SIZE = math.sqrt(2 / math.pi)
"""The mean size of a normal deviate."""


@dataclass(frozen=True, slots=True)
class Noise:
    """The mean of a norm and of its square where nothing moved.

    ``deviation`` is the largest of those linear functions whose maximum the norm is.
    """

    mean: float
    square: float
    deviation: float

    def quantile(self, beyond: float) -> float:
        """What the norm exceeds with this probability only.

        >>> round(Noise(_SIZE, 1.0, 1.0).quantile(0.05), 2)  # of one normal deviate
        1.96
        """
        from scipy.special import ndtri  # noqa: PLC0415 - slow to import

        z = -float(ndtri(beyond / 2))
        spread = math.sqrt(max(0.0, self.square - self.mean**2) / (1 - _SIZE**2))
        return max(self.mean + spread * (z - _SIZE), z * self.deviation)


def noise(covariance: Array, weights: Array, deviation: float) -> Noise:
    """Moments of ``sum w |e|`` where ``e`` has the covariance ``[k, k]``.

    ``E|e f|`` of two normal deviates with correlation r is ``2/pi (sqrt(1 - r^2) + r asin r)``
    (Nabeya, 1951, Ann. Inst. Stat. Math. 3, 2).

    >>> found = noise(np.diag([1.0, 1.0]), np.array([1.0, 1.0]), 2**0.5)
    >>> round(found.mean**2 * math.pi / 8, 6), round(found.square, 4)
    (1.0, 3.2732)
    """
    deviations = np.sqrt(np.maximum(covariance.diagonal(), 0.0))
    sizes = np.outer(deviations, deviations)
    r = np.clip(covariance / np.maximum(sizes, 1e-300), -1.0, 1.0)
    products = 2 / math.pi * (np.sqrt(1 - r * r) + r * np.arcsin(r)) * sizes
    return Noise(
        mean=_SIZE * float(weights @ deviations),
        square=float(weights @ products @ weights),
        deviation=deviation,
    )
