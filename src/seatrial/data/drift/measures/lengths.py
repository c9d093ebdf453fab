"""How far is it from the middle of one bin to the next, in deviations of the reference?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.drift.divergence import Counted

    Lengths = NDArray[np.float64]

_FARTHEST = 1e6
"""Nothing counts as farther away than so many deviations."""


def lengths(counted: Counted) -> Lengths:
    """Distances between neighbouring bins ``[k - 1]``; from the missing values, where any, first.

    Without a deviation that of the middles is used. A reference that never varies has none:
    then whatever leaves its value counts as one deviation away. Raises ValueError without edges.
    """
    if counted.edges is None:
        raise ValueError("wasserstein needs the edges of the bins")
    middles = _middles(np.clip(counted.edges, -1e150, 1e150), counted.deviation or 1.0)
    unit = counted.deviation or _deviation(middles, counted.reference)
    steps = np.diff(middles)
    found = np.minimum(steps / unit, _FARTHEST) if unit > 0 else np.ones(len(steps))
    return np.insert(found, 0, 1.0) if any(counted.missing) else found


def _middles(edges: Lengths, usual: float) -> Lengths:
    """Where the values of each bin ``[k]`` are taken to be.

    Edges that are the values themselves, the first just below the least, as those of few values
    are, hold each one in its bin; the outer bins, which are open, lie as far out as their
    neighbours are wide.

    >>> _middles(np.array([1.0, 2.0, 4.0]), 1.0).tolist()
    [0.0, 1.5, 3.0, 6.0]
    >>> _middles(np.array([np.nextafter(1.0, 0.0), 1.0, 3.0]), 1.0).tolist()
    [-1.0, 1.0, 3.0, 5.0]
    """
    if len(edges) > 1 and np.nextafter(edges[0], math.inf) == edges[1]:
        inner = edges[1:]
        first, last = (
            (inner[1] - inner[0], inner[-1] - inner[-2]) if len(inner) > 1 else (usual,) * 2
        )
    elif len(edges) > 1:
        inner = (edges[1:] + edges[:-1]) / 2
        first = inner[0] - edges[0] + edges[1] - edges[0]
        last = edges[-1] - inner[-1] + edges[-1] - edges[-2]
    elif len(edges):
        return np.array([edges[0] - usual / 2, edges[0] + usual / 2])
    else:
        return np.zeros(1)
    return np.array([inner[0] - first, *inner, inner[-1] + last])


def _deviation(middles: Lengths, reference: Lengths) -> float:
    rows = reference.sum()
    if not rows:
        return 0.0
    mean = float(reference @ middles) / rows
    return math.sqrt(float(reference @ (middles - mean) ** 2) / rows)
