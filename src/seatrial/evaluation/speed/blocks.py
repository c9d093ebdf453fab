"""Times cut into blocks: neighbours in time share whatever the machine did just then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_BLOCKS = 40
LEAST_SIZE = 10
"""Fewer requests say nothing of a 95 % quantile; a block then holds several rounds."""


def blocks(rounds: ArrayLike, least: int = LEAST_SIZE) -> NDArray[np.intp]:
    """[n] the block of each request, in order of time: rounds, or several that follow each other.

    At most 40 blocks, of about ``least`` requests or more; one when there are fewer requests.

    >>> blocks([0] * 20 + [1] * 20).tolist() == [0] * 20 + [1] * 20
    True
    >>> np.bincount(blocks(list(range(40)))).tolist()
    [10, 10, 10, 10]
    """
    numbers = np.unique(np.asarray(rounds), return_inverse=True)[1]
    if not len(numbers):
        return np.empty(0, dtype=np.intp)
    count = int(numbers.max()) + 1
    wanted = max(min(count, MOST_BLOCKS, len(numbers) // least), 1)
    return np.asarray(numbers * wanted // count, dtype=np.intp)


def cut(times: Any, of: NDArray[np.intp]) -> list[NDArray[np.float64]]:
    """The times of each block."""
    values = np.asarray(times, dtype=np.float64)
    return [values[of == number] for number in range(int(of.max()) + 1)]
