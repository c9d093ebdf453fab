"""Which rows prove a model: usual ones, and those where a small change shows first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError
from seatrial.inference.batches import CANNOT_ANSWER, count, part, part_of
from seatrial.inference.columns import columns
from seatrial.inference.golden_edges import edges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.random import Generator

    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers

    Rows = dict[str, np.ndarray]

UNHEARD_OF = "\N{REPLACEMENT CHARACTER} never seen"
"""A word that is no category of any column."""

SCORED = 10_000
"""So many rows are answered to choose from."""

EIGHTHS = {
    "each class": 1,
    "boundary": 1,
    "quantile": 1,
    "extreme": 1,
    "missing": 1,
    "unknown category": 0.5,
    "edge": 2,
}
"""How many eighths of the rows are of a kind at most; the rest is typical."""

BEYOND = 0.05
"""How far beyond its extremes a column is set, as a share of its range."""

LACKING = (0.1, 0.25, 0.5)
"""Which shares of its columns a row lacks."""

_LEAD = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """Columns ``[n]`` as a model reads them, and the kind of each row.

    ``left_out`` counts the rows that were looked at and are answered by no finite number.
    """

    inputs: Rows
    kinds: tuple[str, ...]
    left_out: int


def choose(model: Answers, features: Mapping[str, np.ndarray], seed: int, rows: int) -> Chosen:
    """About ``rows`` rows, from the columns that a model was trained on; the same for a seed.

    Rows as they were seen: "each class" is predicted, "boundary" rows have the smallest lead of
    one class over the next, "quantile" rows cover the answers of a model of numbers, "typical"
    ones are drawn. Rows that nobody saw: "extreme", "missing", "unknown category", and "edge",
    where the answer jumps (:func:`seatrial.inference.golden_edges.edges`).

    A kind that the model refuses to answer is left out, and so is a row that it answers by no
    finite number.
    """
    whole = columns(features, model.signature)
    random = np.random.default_rng(seed)
    pool = part(whole, random.permutation(count(whole))[:SCORED])
    answer = model.predict(pool)
    left_out = int(np.count_nonzero(~answer.finite))
    pool, answer = part(pool, answer.finite), part_of(answer, answer.finite)
    most = {kind: max(2, int(share * rows / 8)) for kind, share in EIGHTHS.items()}
    made = {
        "extreme": lambda: _extreme(pool, most["extreme"], random),
        "missing": lambda: _missing(pool, most["missing"], random),
        "unknown category": lambda: _unknown(pool, most["unknown category"], random),
        "edge": lambda: edges(model, pool, answer, most["edge"], random),
    }
    unseen: dict[str, Rows] = {}
    for kind, make in made.items() if count(pool) else ():
        unseen[kind], finite = _answered(model, make)
        left_out += int(np.count_nonzero(~finite))
    left = rows - sum(map(count, unseen.values()))
    seen = _seen(answer, most, left)
    parts = [part(pool, np.fromiter(seen, np.intp)), *unseen.values()]
    kinds = [*seen.values(), *(kind for kind, each in unseen.items() for _ in range(count(each)))]
    inputs = {name: np.concatenate([each[name] for each in parts if each]) for name in whole}
    return Chosen(inputs, tuple(kinds), left_out)


def _seen(answer: Answer, most: Mapping[str, int], rows: int) -> dict[int, str]:
    """The kind by the place in the pool: rows that stand out, filled up with the first others.

    There are at most ``rows``, however many classes there are.
    """
    total = len(answer.label)
    found: dict[int, str] = {}
    if answer.probabilities is None:
        places = np.linspace(0, total - 1, min(total, most["quantile"]))
        ranked = np.argsort(answer.label, kind="stable")
        found = dict.fromkeys(ranked[places.astype(np.intp)].tolist(), "quantile")
    else:
        table = np.sort(answer.probabilities, axis=1)
        if table.shape[1] >= _LEAD:
            nearest = np.argsort(table[:, -1] - table[:, -_LEAD], kind="stable")
            found = dict.fromkeys(nearest[: most["boundary"]].tolist(), "boundary")
        for place in _of_each_class(answer.label.tolist(), most["each class"]):
            found.setdefault(place, "each class")
    for place in range(total):
        if len(found) >= rows:
            break
        found.setdefault(place, "typical")
    return dict(islice(found.items(), rows))


def _of_each_class(labels: Sequence[object], most: int) -> list[int]:
    """Places of about ``most`` rows, of each class at least one."""
    places: dict[object, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    each = max(1, most // max(1, len(places)))
    return [place for of_class in places.values() for place in of_class[:each]]


def _extreme(pool: Rows, most: int, random: Generator) -> Rows:
    """Rows of the pool with one column at its least or greatest, and a little beyond; and all."""
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    beyond: list[dict[str, Any]] = []
    reached: list[dict[str, Any]] = []
    for name in _in_turn(pool, random, words=False):
        finite = pool[name][np.isfinite(pool[name])]
        if not len(finite):
            continue
        least, greatest = finite.min(), finite.max()
        margin = BEYOND * (np.float64(greatest) - np.float64(least))
        with np.errstate(over="ignore"):
            low[name], high[name] = np.float32(least - margin), np.float32(greatest + margin)
        reached += [{name: least}, {name: greatest}]
        beyond += [{name: low[name]}, {name: high[name]}]
    changes = [low, high, *reached, *beyond] if low else []
    return _changed(pool, changes[:most], random)


def _missing(pool: Rows, most: int, random: Generator) -> Rows:
    """Rows that lack all columns, one of them each in turn, and some of them at random.

    The last ask most: on its way a row meets every column that it lacks.
    """
    nothing = {name: "" if column.dtype == object else np.nan for name, column in pool.items()}
    changes = [nothing, *_singly(nothing, random)][: 1 + most // 2]
    for lacking in range(most - len(changes)):
        gone = random.random(len(nothing)) < LACKING[lacking % len(LACKING)]
        changes.append(
            {name: nothing[name] for name, out in zip(nothing, gone, strict=True) if out}
        )
    return _changed(pool, changes, random)


def _unknown(pool: Rows, most: int, random: Generator) -> Rows:
    """Rows with one category that was never seen, each column in turn; the first has only such."""
    unheard = dict.fromkeys(_in_turn(pool, random, words=True), UNHEARD_OF)
    changes = [unheard, *islice(cycle(_singly(unheard, random)), most - 1)] if unheard else []
    return _changed(pool, changes, random)


def _singly(change: Mapping[str, Any], random: Generator) -> list[Mapping[str, Any]]:
    """One column of a change after the other."""
    names = [[*change][place] for place in random.permutation(len(change))]
    return [{name: change[name]} for name in names]


def _in_turn(pool: Rows, random: Generator, *, words: bool) -> list[str]:
    """The columns of words, or those of numbers, in random order."""
    names = [name for name, column in pool.items() if (column.dtype == object) is words]
    return [names[place] for place in random.permutation(len(names))]


def _changed(pool: Rows, changes: Sequence[Mapping[str, Any]], random: Generator) -> Rows:
    """As many rows of the pool, each with its change."""
    rows = part(pool, random.integers(count(pool), size=len(changes)))
    for row, change in enumerate(changes):
        for name, value in change.items():
            rows[name][row] = value
    return rows


def _answered(model: Answers, make: Callable[[], Rows]) -> tuple[Rows, np.ndarray]:
    """Those of the rows that the model answers by numbers, and which they are.

    There are none when it refuses them.
    """
    try:
        rows = make()
        finite = model.predict(rows).finite
    except (FormError, *CANNOT_ANSWER):
        return {}, np.ones(0, np.bool_)
    return part(rows, finite), finite
