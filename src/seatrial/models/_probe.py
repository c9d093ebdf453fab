"""Rows on which an export is held against what was trained: what a live request may bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.inference.golden_choice import UNHEARD_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ROWS = 10_000
SPOILED_SHARE = 0.1


def probe(
    rows: Mapping[str, NDArray[Any]], seed: int, *, missing: bool = True, unseen: bool = True
) -> dict[str, NDArray[Any]]:
    """Up to 10 000 of the rows; in a tenth of each column's rows the value is unheard of.

    Numbers go ``missing`` (NaN), categories become one that was never ``unseen`` before; the
    same seed draws the same rows, and spoils the same of them, whatever is spoiled.

    >>> drawn = probe({"x": np.zeros(100, np.float32)}, seed=1)
    >>> int(np.isnan(drawn["x"]).sum()) > 0
    True
    """
    total = len(next(iter(rows.values())))
    random = np.random.default_rng(seed)
    chosen = random.choice(total, min(total, ROWS), replace=False)
    drawn: dict[str, NDArray[Any]] = {}
    for name, values in rows.items():
        column = values[chosen].copy()
        spoiled = random.random(len(column)) < SPOILED_SHARE
        text = column.dtype == object
        if unseen if text else missing:
            column[spoiled] = UNHEARD_OF if text else np.nan
        drawn[name] = column
    return drawn
