"""A share of rows, or a mean over rows, with bounds against a limit (or none: a report)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.evaluation.behaviour.found import named
from seatrial.evidence import means, rates
from seatrial.outcome import Direction, Measure, Verdict, judge

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from seatrial.inference.answer import Answer


def changes(before: Answer, after: Answer) -> NDArray[np.float64]:
    """``[n]`` how much each row's answer changed.

    For classes 1 where the label is another one, else 0. For numbers the absolute change in
    standard deviations of the answers before; in what never varies any change counts as one. An
    answer that is no number after the change counts as one too.

    >>> from seatrial.inference.answer import Answer
    >>> changes(Answer(np.array([1.0, 3.0])), Answer(np.array([1.0, 3.5]))).tolist()
    [0.0, 0.5]
    """
    if before.probabilities is not None:
        return np.asarray(before.label != after.label, np.float64)
    one, other = before.label.astype(np.float64), after.label.astype(np.float64)
    finite = one[np.isfinite(one)]
    spread = float(np.std(finite)) if len(finite) else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        moved = np.abs(other - one)
        moved = moved / spread if spread > 0 else np.where(moved > 0, 1.0, 0.0)
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    return np.where(same, 0.0, np.where(np.isfinite(moved), moved, 1.0))


def shifts(before: Answer, after: Answer) -> NDArray[np.float64]:
    """``[n]`` the total variation between each row's probabilities: half the sum of changes."""
    assert before.probabilities is not None
    assert after.probabilities is not None
    apart = after.probabilities.astype(np.float64) - before.probabilities.astype(np.float64)
    return np.asarray(np.nan_to_num(np.abs(apart), nan=1.0).sum(axis=1) / 2)


def measured(
    word: str, values: NDArray[Any], limit: float | None, *, shares: bool, effect: float = 1.0
) -> Measure:
    """The mean of ``values`` ``[n]``, at most ``limit``, with one-sided 95 % bounds.

    ``shares``: they are 0 or 1, and the bounds exact; else a row can plausibly be worth 1, so that
    rows that agree do not prove too much. ``effect`` is how many of them prove as much as one that
    stands alone. Without a limit it decides nothing.

    >>> measured("noise", np.zeros(1000), 0.01, shares=True).verdict.value
    'pass'
    """
    n, value = len(values), float(np.mean(values))
    if shares:
        low, high = rates.of_one(float(values.sum()) / effect, n / effect)
    else:
        # as uncertain as the mean of so many times fewer
        apart = (values.astype(np.float64) - value) * np.sqrt(effect)
        low, high = means.interval(value + apart, one_row=np.sqrt(effect))
        low = max(low, 0.0)
    verdict = Verdict.SKIP if limit is None else judge(low, high, limit, Direction.AT_MOST)
    return Measure(
        name=named(word),
        value=value,
        low=low,
        high=high if np.isfinite(high) else None,
        limit=limit,
        direction=Direction.AT_MOST,
        n=n,
        verdict=verdict,
    )
