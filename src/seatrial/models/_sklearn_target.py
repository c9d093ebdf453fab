"""The target, and the weights of its classes, as scikit-learn wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import FileError, FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.models import Training

_TWO = 2


def coded_target(training: Training) -> np.ndarray:
    """Float64 ``[n]``: numbers as they are, or the places of the classes.

    FormError when there is nothing to learn: no column, no row, a single class, a class that no
    row holds, or a target that is not among the classes or no finite number.
    """
    if not training.features:
        raise FormError(Mistake("there is no column to learn from besides the target"))
    if not len(training.target):
        raise FormError(Mistake("there are no rows to learn from"))
    return _numbers(training) if training.problem == "numbers" else _places(training)


def class_weights(
    weights: object, classes: tuple[int | str, ...]
) -> str | dict[float, float] | None:
    """The weights by the places of the classes; a word or nothing stays as it is.

    A class may be named by its text, as JSON does: ``"1"`` is the class 1, and of a target of
    booleans "true" is. FileError names one that the target does not have.

    >>> class_weights({"yes": 3}, ("no", "yes"))
    {1.0: 3.0}
    >>> class_weights({True: 3}, (0, 1))
    {1.0: 3.0}
    """
    if not isinstance(weights, dict):
        return weights if isinstance(weights, str) else None
    places = {str(label): float(place) for place, label in enumerate(classes)}
    if classes == (0, 1):
        places |= {"false": 0.0, "true": 1.0}
    named = {label: _name(label) for label in weights}
    unknown = [label for label, name in named.items() if name not in places]
    if unknown:
        raise FileError(
            *(
                Mistake(
                    f"class_weight names the class {label!r}, which the target does not have",
                    "hyperparameters",
                    nearest(str(label), places),
                    f"its classes are {', '.join(map(str, classes))}",
                )
                for label in unknown
            )
        )
    return {places[named[label]]: float(weight) for label, weight in weights.items()}


def _name(label: object) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


def _numbers(training: Training) -> np.ndarray:
    target = np.asarray(training.target, dtype=np.float64)
    if not np.isfinite(target).all():
        row = int(np.flatnonzero(~np.isfinite(target))[0])
        raise FormError(Mistake(f"the target holds {target[row]} in row {row}, which is no number"))
    return target


def _places(training: Training) -> np.ndarray:
    if len(training.classes) < _TWO:
        raise FormError(Mistake("the target has a single class, so there is nothing to learn"))
    place = {label: float(at) for at, label in enumerate(training.classes)}
    labels = training.target.tolist()
    unknown = sorted({str(label) for label in labels if label not in place})
    if unknown:
        raise FormError(Mistake(f"the target holds {unknown[0]!r}, which is none of its classes"))
    coded = np.array([place[label] for label in labels])
    absent = _absent(coded, place)
    if absent:
        raise FormError(Mistake(f"no row is of the class {absent[0]!r}, so it cannot be learned"))
    return coded


def _absent(coded: np.ndarray, place: Mapping[int | str, float]) -> list[int | str]:
    held = set(np.unique(coded).tolist())
    return [label for label, at in place.items() if at not in held]
