"""Does the evaluation set share rows with the training set beyond chance?

Chance is what the training data shows of itself: how often rows of one random half are found in
the other half. Held-out rows may be found in a half just as often, and not more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seatrial.data.column import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from seatrial.data.table import Table

ALPHA = 0.001
"""How often an honest evaluation set is refused, at most."""


@dataclass(frozen=True, slots=True)
class Leak:
    """What is shared. ``shared`` counts evaluation rows found in training, ``p`` is their chance.

    ``p`` is the probability of at least as many finds if evaluation rows came from the same
    source as training rows, independently.
    """

    refused: bool
    reason: str
    evaluation_rows: int
    shared: int
    shared_keys: int
    p: float


def shared_rows(
    training: Table, evaluation: Table, features: tuple[str, ...], key: str | None
) -> Leak:
    """Whether ``evaluation`` is refused as held-out data for a model trained on ``training``.

    Rows are compared over those ``features`` that both tables have, by a 64-bit hash; ``key``
    is the column that names a thing which must not be on both sides. Refused: any shared key,
    the same rows altogether, or more shared rows than chance explains (at 0.001).
    """
    keys = _shared_keys(training, evaluation, key)
    known, asked = _hashes(training, evaluation, features)
    shared = int(np.isin(asked, known).sum())
    p = _chance(known, asked)
    reason = _refusal(training, evaluation, keys, key, shared, p, same=_same(known, asked))
    accepted = f"{shared} of {evaluation.rows} rows are also in training: no more than by chance"
    return Leak(bool(reason), reason or accepted, evaluation.rows, shared, keys, p)


def _refusal(
    training: Table,
    evaluation: Table,
    keys: int,
    key: str | None,
    shared: int,
    p: float,
    *,
    same: bool,
) -> str:
    names = f"{evaluation.dataset.name!r} and {training.dataset.name!r}"
    if same or training.fingerprint == evaluation.fingerprint:
        return f"{names} are the same rows"
    if keys:
        return f"{names} share {keys} value{'' if keys == 1 else 's'} of the key {key!r}"
    if p < ALPHA:
        found = f"{shared} of {evaluation.rows} rows of {evaluation.dataset.name!r}"
        return f"{found} are also in {training.dataset.name!r}: more than by chance (p = {p:.1g})"
    return ""


def _chance(known: NDArray[np.uint64], asked: NDArray[np.uint64]) -> float:
    """The conditional binomial test of two rates (Przyborowski and Wilenski, 1940).

    Of all finds, the share that falls to evaluation rows is, by chance, their share of all
    look-ups. Evaluation rows are looked up in both halves, training rows in the other one.
    """
    from scipy.special import bdtrc  # noqa: PLC0415 - slow to import

    side = _halves(known)
    halves = known[side], known[~side]
    expected = sum(int(np.isin(a, b).sum()) for a, b in (halves, halves[::-1]))
    found = sum(int(np.isin(asked, half).sum()) for half in halves)
    if not found:
        return 1.0
    looked_up = 2 * len(asked)
    return float(bdtrc(found - 1, found + expected, looked_up / (looked_up + len(known))))


def _halves(hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """A random-looking half of the rows ``[n]``, fixed by content and position.

    The bits are mixed as in SplitMix64 (Steele, Lea and Flood, 2014).
    """
    steps = np.arange(1, len(hashes) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = hashes + steps
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    half: NDArray[np.bool_] = ((mixed ^ (mixed >> np.uint64(31))) & np.uint64(1)).astype(np.bool_)
    return half


def _same(known: NDArray[np.uint64], asked: NDArray[np.uint64]) -> bool:
    return len(known) == len(asked) and bool(np.array_equal(np.sort(known), np.sort(asked)))


def _hashes(
    training: Table, evaluation: Table, features: Sequence[str]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A hash for each row of both tables over the columns in common, typed alike."""
    common = [name for name in features if name in training and name in evaluation]
    parts = [_comparable(training, evaluation, name) for name in common]
    if not parts:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    expression = f"hash({', '.join(parts)})"
    return training.hashes(expression), evaluation.hashes(expression)


def _comparable(training: Table, evaluation: Table, name: str) -> str:
    both = {training[name].kind, evaluation[name].kind}
    if both <= {"number", "boolean"}:
        # Adding zero makes -0.0 and 0.0 one value; NaN and NULL are both "missing".
        return f"coalesce(CAST({quoted(name)} AS DOUBLE) + 0.0, 'nan'::DOUBLE)"
    return f"CAST({quoted(name)} AS VARCHAR)"


def _shared_keys(training: Table, evaluation: Table, key: str | None) -> int:
    if key is None or key not in training or key not in evaluation:
        return 0
    ours, theirs = (
        {value for value in table.strings(key) if value is not None}
        for table in (training, evaluation)
    )
    return len(ours & theirs)
