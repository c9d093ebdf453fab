"""What a model answers for a batch of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Answer:
    """``label`` is ``[n]``; ``probabilities`` is float32 ``[n, classes]``, or None for numbers.

    Labels are the classes as they stood in the data (int64, or object strings), or float32 numbers.
    """

    label: np.ndarray
    probabilities: np.ndarray | None = None

    @property
    def finite(self) -> np.ndarray:
        """[n] whether a row was answered by finite numbers; whole numbers and words always are.

        >>> Answer(np.array([1.5, np.nan])).finite.tolist()
        [True, False]
        """
        shown = self.label if self.probabilities is None else self.probabilities
        if shown.dtype.kind != "f":
            return np.ones(len(shown), dtype=np.bool_)
        finite = np.isfinite(shown)
        return finite if finite.ndim == 1 else np.asarray(finite.all(axis=1))


def most_probable(probabilities: np.ndarray, classes: tuple[int | str, ...]) -> Answer:
    """The answer of a classifier: the label is the first class of the greatest probability.

    >>> most_probable(np.array([[0.2, 0.8], [0.5, 0.5]]), ("no", "yes")).label.tolist()
    ['yes', 'no']
    """
    rounded = np.ascontiguousarray(probabilities, dtype=np.float32)
    return Answer(class_labels(classes)[rounded.argmax(axis=1)], rounded)


def class_labels(classes: tuple[int | str, ...]) -> np.ndarray:
    """The classes as an array: int64, or objects when they are strings.

    >>> class_labels((0, 1)).dtype
    dtype('int64')
    """
    words = any(isinstance(label, str) for label in classes)
    return np.array(classes, dtype=object if words else np.int64)
