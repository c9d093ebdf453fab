"""How much worse than the version before was the watched one, on each request that got labels?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evidence.agreement import differing
from seatrial.inference.answer import Answer
from seatrial.inference.served import Served
from seatrial.watch.versions import answered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.evidence.losses import Loss
    from seatrial.inference.opening import Answers
    from seatrial.inference.signature import Signature
    from seatrial.traffic.matched import Matched

ATTEMPTS = 200
"""How often a version that fails is asked again, for parts of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """One observation ``[n]`` for each request and call that brought its labels.

    Rows of one request are not independent, so what counts is the mean over those that got their
    label: ``d`` of the watched version's loss less that of the version before, within
    ``[-bound, bound]``; ``own`` of its own loss; ``differs`` of how far the answers differ, in
    [0, 1] (see :func:`seatrial.evidence.agreement.differing`). ``time_us`` is when the request was
    answered. ``unscored`` rows were left out: the version before cannot answer them.
    """

    time_us: NDArray[np.int64]
    d: NDArray[np.float64]
    own: NDArray[np.float64]
    differs: NDArray[np.float64]
    unscored: int = 0


def paired(matched: Matched, loss: Loss, signature: Signature, before: Served | Answers) -> Pairs:
    """Let the version ``before`` answer the labelled rows too; ``signature`` is the watched one's.

    It is asked once for all rows. If that fails, the rows that it cannot answer are found by
    halves and left out: they are no harm of the watched version's.
    """
    logged = matched.logged
    model = before.columns if isinstance(before, Served) else before
    places, theirs = _answers(model, logged.features, logged.rows)
    labels, ours = matched.labels[places], _rows(logged.answer, places)
    own = loss.of(labels, ours, signature.classes)
    other = loss.of(labels, theirs, model.signature.classes)
    differs = differing(ours, theirs, variance=loss.variance)
    request, first = _requests(matched, places)
    return Pairs(
        time_us=logged.time_us[places[first]],
        d=_means(own - other, request, len(first)),
        own=_means(own, request, len(first)),
        differs=_means(differs, request, len(first)),
        unscored=logged.rows - len(places),
    )


def _answers(
    model: Answers, features: Mapping[str, NDArray[Any]], rows: int
) -> tuple[NDArray[np.int64], Answer]:
    """The rows that a model can answer, and what it answers."""
    left = [np.arange(rows)]
    replies = []
    for _ in range(ATTEMPTS):
        if not left:
            break
        asked = left.pop()
        answer = answered(model, {name: column[asked] for name, column in features.items()})
        if answer is not None:
            replies.append((asked, answer))
        elif len(asked) > 1:
            half = len(asked) // 2
            left += [asked[half:], asked[:half]]
    if not replies:
        nothing = np.empty(0, np.int64)
        return nothing, model.predict({name: column[:0] for name, column in features.items()})
    tables = [answer.probabilities for _, answer in replies if answer.probabilities is not None]
    return np.concatenate([asked for asked, _ in replies]), Answer(
        np.concatenate([answer.label for _, answer in replies]),
        np.concatenate(tables) if tables else None,
    )


def _rows(answer: Answer, places: NDArray[np.int64]) -> Answer:
    table = answer.probabilities
    return Answer(answer.label[places], None if table is None else table[places])


def _requests(
    matched: Matched, places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The request and call of each row, counted from 0, and the first row of each."""
    logged = matched.logged
    columns = (logged.ids, logged.time_us, matched.told_us)
    keys = [*zip(*(column[places].tolist() for column in columns), strict=True)]
    numbers: dict[tuple[Any, ...], int] = {}
    request = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    _, first = np.unique(request, return_index=True)
    return request, first


def _means(values: NDArray[np.float64], request: NDArray[np.int64], count: int) -> NDArray[Any]:
    sums = np.bincount(request, values, minlength=count)
    return sums / np.maximum(np.bincount(request, minlength=count), 1)
