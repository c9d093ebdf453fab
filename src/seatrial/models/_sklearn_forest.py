"""A forest as plain arrays: out of scikit-learn's trees, into answers, and to bytes and back.

Scikit-learn is asked to grow the trees and nothing else. What answers is made of these arrays,
so a forest that was kept answers bit for bit as the one that was trained, under any version of
the library, and nothing that could run is ever read back.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.errors import FormError, Mistake
from seatrial.models._lightgbm_trees import down_to_float32

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHUNK_ROWS = 16_384
"""Rows that go down a tree together: their columns stay in the processor's cache."""
_TWO = 2
_TABLE = 2
_HEADER = "header"
_DAMAGED = (ValueError, KeyError, TypeError, OSError, EOFError, RuntimeError)
"""What numpy raises for bytes that are no archive of arrays, or that were cut or changed."""


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of all trees in a row, each tree's root first; a node's children are neighbours.

    ``roots`` is int64 ``[trees]``. Of a node: ``left`` (int32) is its left child, the right one is
    the next; below zero it is a leaf, with the answer ``values[-left - 1]``. A row goes left when
    its value of column ``feature`` (int32) is at most ``threshold`` (float32), or when it is
    missing and ``missing_left`` (bool). ``values`` is float64 ``[leaves, outputs]``.
    """

    roots: np.ndarray
    left: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    values: np.ndarray

    def answers(self, matrix: np.ndarray) -> np.ndarray:
        """The mean of the trees, float64 ``[n, outputs]``, for float32 ``[n, k]``.

        The trees are added in their order, so the sum never depends on threads or on how many
        rows there are.
        """
        out = np.zeros((len(matrix), self.values.shape[1]))
        for start in range(0, len(matrix), CHUNK_ROWS):
            rows = matrix[start : start + CHUNK_ROWS]
            missing = bool(np.isnan(rows).any())
            for root in self.roots.tolist():
                out[start : start + CHUNK_ROWS] += self.values.take(
                    self._leaves(root, rows, missing=missing), axis=0
                )
        return out / len(self.roots)

    def _leaves(self, root: int, rows: np.ndarray, *, missing: bool) -> np.ndarray:
        """The leaf of every row, int32 ``[n]``: all rows go down together, one level a turn."""
        flat = np.ascontiguousarray(rows).reshape(-1)
        leaves = np.empty(len(rows), np.int32)
        going = np.arange(len(rows))
        first = going * rows.shape[1]
        node = np.full(len(rows), root, np.int32)
        while len(going):
            left = self.left.take(node)
            inner = left >= 0
            if not inner.all():
                leaves[going[~inner]] = ~left[~inner]
                going, first, node, left = going[inner], first[inner], node[inner], left[inner]
            value = flat.take(first + self.feature.take(node))
            right = ~(value <= self.threshold.take(node))
            if missing:
                right &= ~(np.isnan(value) & self.missing_left.take(node))
            node = left + right
        return leaves


def planted(trees: Sequence[Any], *, classes: int) -> Forest:
    """The arrays of scikit-learn's ``tree_`` objects; ``classes`` is 0 for numbers.

    Of two classes only the second one's share is kept. Thresholds are moved down to float32: no
    float32 lies between the two, so every row of float32 goes the same way.
    """
    column = 1 if classes == _TWO else slice(None)
    parts: list[tuple[np.ndarray, ...]] = []
    nodes = leaves = 0
    for tree in trees:
        left, order = _neighbours(tree.children_left, tree.children_right)
        leaf = left < 0
        held = tree.value[order][leaf][:, 0, column].reshape(int(leaf.sum()), -1)
        numbered = np.where(leaf, ~(np.cumsum(leaf) - 1 + leaves), left + nodes)
        parts.append(
            (
                np.array([nodes]),
                numbered.astype(np.int32),
                np.where(leaf, 0, tree.feature[order]).astype(np.int32),
                np.where(leaf, 0, down_to_float32(tree.threshold[order])).astype(np.float32),
                tree.missing_go_to_left[order].astype(np.bool_) & ~leaf,
                held,
            )
        )
        nodes, leaves = nodes + len(left), leaves + len(held)
    return Forest(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def to_bytes(forest: Forest, header: Mapping[str, object]) -> bytes:
    """The arrays, and a header that is JSON, as ``.npz`` without anything pickled."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {each.name: getattr(forest, each.name) for each in fields(forest)}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    arrays[_HEADER] = np.frombuffer(text, np.uint8)
    np.savez(file, **arrays)
    return file.getvalue()


def from_bytes(content: bytes) -> tuple[Forest, dict[str, Any]]:
    """What :func:`to_bytes` wrote; FormError when it is something else or leads astray."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as read:
            header = json.loads(read[_HEADER].tobytes())
            forest = Forest(**{each.name: read[each.name] for each in fields(Forest)})
    except (*_DAMAGED, zipfile.BadZipFile) as error:
        raise FormError(Mistake("these bytes are no forest")) from error
    if not isinstance(header, dict) or not _sound(forest):
        raise FormError(Mistake("these bytes are no forest: its nodes do not fit together"))
    return forest, header


def _neighbours(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The left children under new numbers, and the old number of each new one.

    The children of the i-th inner node get 2i + 1 and 2i + 2, so that one number names both.
    """
    inner = np.flatnonzero(left >= 0)
    new = np.zeros(len(left), np.int64)
    new[left[inner]] = 2 * np.arange(len(inner)) + 1
    new[right[inner]] = 2 * np.arange(len(inner)) + 2
    order = np.argsort(new)
    renumbered = np.full(len(left), -1, np.int64)
    renumbered[inner] = new[left[inner]]
    return renumbered[order], order


def _sound(forest: Forest) -> bool:
    """Whether every row ends in a leaf of its tree, whatever it holds."""
    nodes = len(forest.left)
    kinds = [("roots", "i"), ("left", "i"), ("feature", "i"), ("threshold", "f")]
    typed = all(getattr(forest, name).dtype.kind == kind for name, kind in kinds)
    flat = all(
        getattr(forest, each.name).shape == (nodes,)
        for each in fields(forest)
        if each.name not in {"roots", "values"}
    )
    if not (typed and flat and forest.missing_left.dtype == np.bool_):
        return False
    if forest.values.ndim != _TABLE or forest.values.dtype != np.float64 or not nodes:
        return False
    roots = forest.roots
    if roots.ndim != 1 or not len(roots) or roots[0] != 0 or (np.diff(roots) <= 0).any():
        return False
    ends = np.append(roots[1:], nodes)
    inner = np.flatnonzero(forest.left >= 0)
    tree = np.searchsorted(roots, inner, side="right") - 1
    forward = (forest.left[inner] > inner) & (forest.left[inner] + 1 < ends[tree])
    leaves = ~forest.left[forest.left < 0]
    return bool(
        forward.all()
        and roots[-1] < nodes
        and (leaves < len(forest.values)).all()
        and (forest.feature >= 0).all()
    )
