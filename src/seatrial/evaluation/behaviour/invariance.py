"""Does the answer stay when a column that must not matter holds another value?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.behaviour.asking import Refusal, ask, count
from seatrial.evaluation.behaviour.bounds import changes, measured, shifts
from seatrial.evaluation.behaviour.found import Fault, Found, named, positions, skipped
from seatrial.outcome import Direction, Measure, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.behaviour.asking import Features
    from seatrial.inference.opening import Answers

LIMIT = 0.01
"""One row in a hundred (or a hundredth of a standard deviation) may change."""


def invariant(
    model: Answers, features: Features, column: str, *, limit: float = LIMIT, seed: int = 0
) -> Found:
    """The share of rows whose label changes with another value of ``column``, at most ``limit``.

    Each row is given one value that other rows have, drawn as often as they have it. So a row
    counts in its own answer and in those of the rows that are given its value, which is why they
    prove less than as many that stand alone (:func:`effect`). For a model
    of numbers the measure is the mean absolute change, in standard deviations of its answers. For
    classes the mean change of the probabilities is reported beside it. A column that the model
    does not read cannot matter: that passes on any number of rows.
    """
    word = f"invariant_to.{column}"
    if column not in {each.name for each in model.signature.inputs}:
        return _unread(word, features, limit)
    before = ask(model, features)
    if isinstance(before, Refusal):
        return skipped(word, limit=limit)
    given = _given(features[column], np.random.default_rng(seed))
    if given is None:
        what = f"{column!r} holds one value only: whether the answer depends on it is not known"
        return skipped(word, what, limit)
    others = features[column][given]
    after = ask(model, {**features, column: others})
    if isinstance(after, Refusal):
        every = measured(word, np.ones(len(others)), limit, shares=True)
        what = f"with another {column!r} of the same data, {after.sentence}"
        return Found((every,), (Fault(what=what, column=column, refused=True),))
    labels = before.probabilities is not None
    values = changes(before, after)
    measures = [measured(word, values, limit, shares=labels, effect=effect(values, given))]
    if labels:
        shift, said = shifts(before, after), f"{word}.probability"
        measures.append(measured(said, shift, None, shares=False, effect=effect(shift, given)))
    if measures[0].verdict is Verdict.PASS:
        return Found(tuple(measures))
    return Found(tuple(measures), _faults(column, features[column], others, values, labels=labels))


def _unread(word: str, features: Features, limit: float) -> Found:
    none = Measure(
        name=named(word),
        value=0.0,
        low=0.0,
        high=0.0,
        limit=limit,
        direction=Direction.AT_MOST,
        n=count(features),
        verdict=Verdict.PASS,
    )
    return Found((none,))


def effect(values: NDArray[np.float64], given: NDArray[np.intp]) -> float:
    """How many rows prove as much as one that stands alone, at least 1.

    ``values`` ``[n]`` are the changes, ``given`` ``[n]`` the row whose value each was given. The
    variance of the mean has a part for each two rows that have one in common (Hoeffding 1948, "A
    class of statistics with asymptotically normal distribution", Annals of Mathematical Statistics
    19): a rare value that matters is met where it stands, and again where it was drawn. Rows that
    all change alike are taken to count twice.

    >>> values, given = np.array([1.0, 1, 0, 0, 0, 0]), np.array([2, 0, 3, 4, 5, 1])
    >>> round(effect(values, given), 2)
    1.5
    """
    apart = values - values.mean()
    alone = float(apart @ apart)
    if not alone:
        return 2.0
    counted = apart + np.bincount(given, apart, minlength=len(apart))
    return max(float(counted @ counted) / alone - 1, 1.0)


def _given(column: NDArray[Any], random: np.random.Generator) -> NDArray[np.intp] | None:
    """For each row another one that has another value; None when there is none."""
    _, codes, counts = np.unique(column, return_inverse=True, return_counts=True)
    if len(counts) < 2:  # noqa: PLR2004
        return None
    ordered = np.argsort(codes, kind="stable")
    own = counts[codes]
    begin = (np.cumsum(counts) - counts)[codes]
    # a place among the rows sorted by value, leaving out the block of the row's own value
    drawn = (random.random(len(codes)) * (len(codes) - own)).astype(np.intp)
    drawn += np.where(drawn >= begin, own, 0)
    return np.asarray(ordered[drawn])


def _faults(
    column: str,
    own: NDArray[Any],
    others: NDArray[Any],
    values: NDArray[np.float64],
    *,
    labels: bool,
) -> tuple[Fault, ...]:
    moved = values > 0
    if not moved.any():
        return ()
    first = int(values.argmax())
    does = "changes the label of" if labels else "changes the answer of"
    what = (
        f"another {column!r} {does} {np.count_nonzero(moved)} of {len(values)} rows, such as"
        f" {_shown(others[first])} instead of {_shown(own[first])}"
    )
    hint = "leave it out (`exclude:`), and what stands for it too; or allow more by `limit:`"
    return (Fault(what=what, column=column, rows=positions(moved), hint=hint),)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:40]) if value else "none"
    return f"{value:g}"
