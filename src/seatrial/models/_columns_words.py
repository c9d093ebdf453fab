"""Which words of a text column a model knows by themselves, and the place of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from seatrial.inference.signature import Signature

MOST_WORDS = 1000
"""A column of more words knows its most frequent ones: a model must not hold a list of names."""


def words_of(read: Mapping[str, np.ndarray], signature: Signature) -> dict[str, list[str]]:
    """The known words of every text column, by its name."""
    texts = [each.name for each in signature.inputs if each.datatype == "BYTES"]
    return {name: known_words(read[name]) for name in texts}


def known_words(column: np.ndarray) -> list[str]:
    """The words of an object array ``[n]``, sorted; the missing one, "", is none.

    Beyond ``MOST_WORDS`` the most frequent are kept, of equally frequent ones the first in the
    alphabet; the others then count as never seen.

    >>> known_words(np.array(["b", "", "a", "b"], dtype=object))
    ['a', 'b']
    """
    counts = Counter(column.tolist())
    del counts[""]
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return sorted(frequent[:MOST_WORDS])


def places(column: np.ndarray, words: Sequence[str]) -> np.ndarray:
    """The place of each row's word, int64 ``[n]``: ``len(words)`` where missing or not known.

    >>> places(np.array(["b", "", "a", "c"], dtype=object), ["a", "b"]).tolist()
    [1, 2, 0, 2]
    """
    place = {word: at for at, word in enumerate(words)}
    other = len(words)
    return np.array([place.get(word, other) for word in column.tolist()], dtype=np.int64)
