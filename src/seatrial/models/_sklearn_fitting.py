"""A fit by scikit-learn: what it refuses and what it warns of, said as a user can read it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from seatrial.errors import FileError, Mistake
from seatrial.outcome import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np


def fitted(estimator: Any, matrix: Any, target: np.ndarray) -> list[warnings.WarningMessage]:
    """Fit in place; what the library warned of. FileError, in its words, when it refuses."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            estimator.fit(matrix, target)
        except ValueError as error:
            what = f"scikit-learn refuses to train: {str(error).splitlines()[0]}"
            raise FileError(Mistake(what, "hyperparameters")) from error
    return heard


def told(heard: Iterable[warnings.WarningMessage]) -> Iterator[Finding]:
    """Warnings as findings, each once."""
    for said in dict.fromkeys(str(each.message).splitlines()[0] for each in heard):
        yield Finding(what=f"scikit-learn warns: {said}", where="hyperparameters")
