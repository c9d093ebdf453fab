"""LightGBM's model text: its trees as values, and its thresholds made exact for float32.

Format: https://github.com/microsoft/LightGBM/blob/master/src/io/tree.cpp (``Tree::ToString``).
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np

CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT, MISSING_BITS = 1, 2, 2, 3
MISSING_ZERO, MISSING_NAN = 1, 2
_WORD_BITS = 32


@dataclass(frozen=True, slots=True)
class Tree:
    """Splits ``[s]`` and leaves ``[s + 1]``; a child below zero is the leaf ``-child - 1``.

    Where ``decision`` has its categorical bit set, ``threshold`` is an index into
    ``categories``: the codes that go left.
    """

    feature: np.ndarray
    threshold: np.ndarray
    decision: np.ndarray
    left: np.ndarray
    right: np.ndarray
    leaf: np.ndarray
    categories: tuple[tuple[int, ...], ...]


def exact_for_float32(text: str) -> str:
    """The same model with each numeric threshold moved down to the next float32.

    On float32 features nothing changes: no float32 lies between the two. But the thresholds
    of an export, which are float32, are then the very same numbers. The training parameters
    (which name the number of threads) and the byte counts are dropped.
    """
    text = re.sub(r"^tree_sizes=.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\nparameters:.*?end of parameters\n", "\n", text, flags=re.DOTALL)
    pair = re.compile(r"^threshold=(.*)\ndecision_type=(.*)$", re.MULTILINE)
    return pair.sub(_rounded, text)


def read(text: str) -> tuple[dict[str, str], list[Tree]]:
    """The model's own fields (objective, num_class, …) and its trees."""
    head, *blocks = re.split(r"^Tree=\d+\n", text, flags=re.MULTILINE)
    return _fields(head), [_tree(_fields(block.split("end of trees")[0])) for block in blocks]


def down_to_float32(values: np.ndarray) -> np.ndarray:
    """The largest float32 not above each float64.

    >>> float(down_to_float32(np.array([0.1]))[0]) <= 0.1
    True
    """
    with np.errstate(over="ignore"):
        nearest = values.astype(np.float32)
    lower = np.nextafter(nearest, np.float32(-np.inf))
    return np.asarray(np.where(nearest.astype(np.float64) > values, lower, nearest))


def _rounded(found: re.Match[str]) -> str:
    if not found[1]:
        return found[0]
    written = found[1].split()
    lowered = down_to_float32(np.array(written, dtype=np.float64)).astype(np.float64).tolist()
    kept = [
        old if int(decision) & CATEGORICAL else repr(new)
        for old, new, decision in zip(written, lowered, found[2].split(), strict=True)
    ]
    return f"threshold={' '.join(kept)}\ndecision_type={found[2]}"


def _fields(block: str) -> dict[str, str]:
    lines = (line.partition("=") for line in block.splitlines())
    return {name: value if equals else name for name, equals, value in lines if name}


def _tree(fields: dict[str, str]) -> Tree:
    def numbers(name: str, kind: type) -> np.ndarray:
        return np.array(fields.get(name, "").split(), dtype=kind)

    bounds, words = numbers("cat_boundaries", int), numbers("cat_threshold", int)
    return Tree(
        feature=numbers("split_feature", int),
        threshold=numbers("threshold", float),
        decision=numbers("decision_type", int),
        left=numbers("left_child", int),
        right=numbers("right_child", int),
        leaf=numbers("leaf_value", float),
        categories=tuple(
            _codes(words[start:end].tolist()) for start, end in itertools.pairwise(bounds.tolist())
        ),
    )


def _codes(words: list[int]) -> tuple[int, ...]:
    """The positions of the bits that are set."""
    return tuple(
        index * _WORD_BITS + bit
        for index, word in enumerate(words)
        for bit in range(_WORD_BITS)
        if word >> bit & 1
    )
