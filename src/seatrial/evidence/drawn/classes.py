"""Which classes were taken for which, and how far the probabilities told them apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from seatrial.evidence import rates
from seatrial.evidence.drawn.bins import equal_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.metrics import Predictions

CLASSES = 20
"""Lines of a confusion matrix; where there are more classes, the last line is all others."""

STEPS = 50
"""Steps of a ROC curve along either axis: each moves by about 2 % of that class's rows."""

CALIBRATION_BINS = 15
SCORE_BINS = 20


class RocPoint(msgspec.Struct, frozen=True, array_like=True):
    """Rows whose probability of the positive class is at least ``threshold``."""

    threshold: float
    true_positives: int
    false_positives: int


class Calibrated(msgspec.Struct, frozen=True, array_like=True):
    """``n`` rows: the ``mean`` probability that was said, and of how many it came true.

    ``low`` and ``high`` bound the share that comes true, one-sided 95 % each.
    """

    mean: float
    true: int
    n: int
    low: float
    high: float


class OfClasses(msgspec.Struct, frozen=True, kw_only=True):
    """``confusion`` counts rows, truth by answer; with two classes the second is the positive one.

    ``calibration`` is of the probability of the positive class, and with more classes of that
    which is answered. ``roc``, from the greatest threshold to the least, and ``scores``, the rows
    of the negative and of the positive class by twentieths of the probability, are empty unless
    there are two classes. ``positive`` is the line of the positive class, and ``right`` how many
    rows were answered rightly: among the others a cell does not tell. Both are ``None`` where an
    older release did not keep them; ``positive`` also with more classes.
    """

    confusion: tuple[tuple[int, ...], ...]
    calibration: tuple[Calibrated, ...] = ()
    roc: tuple[RocPoint, ...] = ()
    scores: tuple[tuple[int, ...], ...] = ()
    positive: int | None = None
    right: int | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The classes that are told apart, by ``names``; ``others`` more share one line behind them.

    ``line`` is the place of every class among these lines.
    """

    line: Mapping[Any, int]
    names: tuple[Any, ...]
    others: int

    @property
    def lines(self) -> int:
        """So many lines has a confusion matrix."""
        return len(self.names) + (self.others > 0)


def merged(labels: NDArray[Any], models: Sequence[Predictions]) -> Merged:
    """All classes of labels and models; of many, those that were taken wrongly most often.

    >>> from seatrial.metrics import Predictions
    >>> truth = np.array([*range(30), 7])
    >>> answers = Predictions(np.array([*range(30), 8]), None, tuple(range(30)))
    >>> known = merged(truth, [answers])
    >>> known.lines, known.others, known.names[:3], (7 in known.names, 8 in known.names)
    (20, 11, (0, 1, 2), (True, True))
    """
    answered = (model.label.tolist() for model in models)
    found = {*labels.tolist()}.union(*answered, *(model.classes for model in models))
    # words and numbers can both be there, where an older version learned from other labels
    classes = sorted(found, key=lambda each: (isinstance(each, str), each))
    place = {each: number for number, each in enumerate(classes)}
    kept = [*range(len(classes))]
    if len(classes) > CLASSES:
        wrong = sum((_wrong(labels, model, place) for model in models), np.zeros(len(classes)))
        kept = sorted(np.argsort(-wrong, kind="stable")[: CLASSES - 1].tolist())
    lines = {each: number for number, each in enumerate(kept)}
    line = {each: lines.get(number, len(kept)) for each, number in place.items()}
    return Merged(line, tuple(classes[each] for each in kept), len(classes) - len(kept))


def of_classes(labels: NDArray[Any], model: Predictions, known: Merged) -> OfClasses:
    """What is kept of one model's answers to rows with these labels [n]."""
    size = known.lines
    cell = _places(labels, known.line) * size + _places(model.label, known.line)
    confusion = np.bincount(cell, minlength=size * size).reshape(size, size)
    kept = tuple(map(tuple, confusion.tolist()))
    right = int(np.count_nonzero(labels == model.label))
    if model.probabilities is None:
        return OfClasses(confusion=kept, right=right)
    if len(model.classes) == 2:
        score = model.probabilities[:, 1].astype(np.float64)
        positive = np.asarray(labels == model.classes[1])
        return OfClasses(
            confusion=kept,
            calibration=_calibration(score, positive),
            roc=_roc(score, positive),
            scores=tuple(_histogram(score[part]) for part in (~positive, positive)),
            positive=known.line[model.classes[1]],
            right=right,
        )
    said = model.probabilities.max(axis=1).astype(np.float64)
    calibration = _calibration(said, np.asarray(labels == model.label))
    return OfClasses(confusion=kept, calibration=calibration, right=right)


def _wrong(
    labels: NDArray[Any], model: Predictions, place: Mapping[Any, int]
) -> NDArray[np.float64]:
    """Of each class, rows that have it or are called it, but not both."""
    truth, answer = _places(labels, place), _places(model.label, place)
    apart = truth != answer
    ends = np.concatenate([truth[apart], answer[apart]])
    return np.bincount(ends, minlength=len(place)).astype(np.float64)


def _places(labels: NDArray[Any], place: Mapping[Any, int]) -> NDArray[np.intp]:
    """[n] the place of each label."""
    # words are hashed ten times sooner than numpy sorts or compares them
    return np.array([place[label] for label in labels.tolist()], dtype=np.intp)


def _roc(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[RocPoint, ...]:
    """Thresholds at even steps of either axis; the last lets every row through."""
    parts = [np.sort(score[part]) for part in (positive, ~positive)]
    if not all(len(part) for part in parts):
        return ()
    shares = np.linspace(0.0, 1.0, STEPS + 1)[:-1]
    steps = [part[np.floor(shares * len(part)).astype(np.intp)] for part in parts]
    thresholds = np.unique(np.concatenate([score.min(keepdims=True), *steps]))[::-1]
    true, false = (len(part) - np.searchsorted(part, thresholds, side="left") for part in parts)
    columns = (each.tolist() for each in (thresholds, true, false))
    return tuple(RocPoint(*point) for point in zip(*columns, strict=True))


def _calibration(said: NDArray[np.float64], came: NDArray[np.bool_]) -> tuple[Calibrated, ...]:
    """Bins of about equally many rows; rows with one probability are never parted."""
    bins = equal_counts(said, CALIBRATION_BINS)
    counts = np.bincount(bins)
    means = np.bincount(bins, said) / counts
    true = np.bincount(bins, came).astype(np.int64)
    return tuple(
        Calibrated(float(mean), int(t), int(n), *rates.of_one(int(t), int(n)))
        for mean, t, n in zip(means, true, counts, strict=True)
    )


def _histogram(score: NDArray[np.float64]) -> tuple[int, ...]:
    place = np.clip((score * SCORE_BINS).astype(np.intp), 0, SCORE_BINS - 1)
    return tuple(np.bincount(place, minlength=SCORE_BINS).tolist())
