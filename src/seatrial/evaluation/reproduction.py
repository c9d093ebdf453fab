"""Is a training done again the same model? Its bytes, its answers, and how good it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.evaluation.noise import between_seeds, value_on
from seatrial.evidence.paired import compare
from seatrial.inference import golden
from seatrial.inference.batches import asked
from seatrial.inference.parity import TOLERANCE, Parity, parity
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.inference.answer import Answer
    from seatrial.inference.opening import Answers
    from seatrial.metrics import Predictions
    from seatrial.outcome import Measure

MODEL_FILES = ("model.onnx", "model.pickle", "native")
"""The files of a version that are the model, as far as it has them."""


class Sameness(StrEnum):
    """How like the first training the second one is."""

    IDENTICAL = "identical"
    EQUAL = "equal within parity"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two models' answers to the same rows.

    ``exact`` says that not a bit of any answer differs. ``row`` differs most, counted from 1;
    None where none does, and where it is not known.
    """

    name: str
    parity: Parity
    exact: bool
    row: int | None = None

    @property
    def same(self) -> bool:
        """Whether every answer is within the tolerance; the same NaN in both is no difference."""
        return self.exact or self.parity.ok


@dataclass(frozen=True, slots=True)
class Quality:
    """The metric of both on one dataset, and how much worse the second is on the same rows.

    The numbers are None where the metric has no value on these rows. ``noise_floor`` says what
    another seed would change; None where no other seed was trained.
    """

    dataset: str
    metric: str
    then: float | None
    again: float | None
    degradation: Measure
    noise_floor: Measure | None


def same_files(then: Mapping[str, str], again: Mapping[str, str]) -> dict[str, bool]:
    """Which of the model's files have the same bytes; both are digests by name.

    >>> same_files({"model.onnx": "a", "native": "b"}, {"model.onnx": "a", "native": "c"})
    {'model.onnx': True, 'native': False}
    """
    return {
        name: then.get(name) == again.get(name)
        for name in MODEL_FILES
        if name in then or name in again
    }


def compared(name: str, then: Answer, again: Answer) -> Compared:
    """Hold the answers of both to the same rows side by side; FormError when their shapes differ.

    >>> from seatrial.inference.answer import Answer
    >>> found = compared("rows", Answer(np.array([1.0, 2.0])), Answer(np.array([1.0, 2.5])))
    >>> found.row, found.parity.outside, found.parity.largest_difference
    (2, 1, 0.25)
    """
    proof = parity(then, again)
    apart = _apart(then, again)
    different = bool(apart.any())
    return Compared(name, proof, not different, int(apart.argmax()) + 1 if different else None)


def against_golden(model: Answers, golden_bytes: bytes, rows_at_once: int) -> Compared:
    """Hold a model's answers to the golden rows against those that were kept with them.

    ``rows_at_once`` is how they were asked then (:class:`seatrial.inference.tolerance.Tolerance`).
    """
    kept = golden.read(golden_bytes, model.signature)
    return compared("golden rows", kept.answer, asked(model, kept.inputs, rows_at_once))


def judged(files: Mapping[str, bool], rows: Sequence[Compared]) -> Sameness:
    """Identical: every byte and every answer. Equal: every answer within the tolerance."""
    if not all(each.same for each in rows):
        return Sameness.DIFFERENT
    if all(files.values()) and all(each.exact for each in rows):
        return Sameness.IDENTICAL
    return Sameness.EQUAL


def quality(
    rows: Labelled,
    then: Predictions,
    again: Predictions,
    others: Sequence[Predictions] = (),
    *,
    seed: int,
) -> Quality:
    """How good both are on labelled rows, paired; nothing of it decides.

    ``others`` are the answers of the version's other seeds.
    """
    metric = rows.metric
    measure = compare(metric, rows.labels, again, then, 0.0, seed=seed, groups=rows.groups)
    return Quality(
        dataset=rows.dataset,
        metric=metric.name,
        then=_known(value_on(rows, then)),
        again=_known(value_on(rows, again)),
        degradation=replace(measure, limit=None, verdict=Verdict.SKIP),
        noise_floor=between_seeds(rows, then, others) if others else None,
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def said(sameness: Sameness, files: Mapping[str, bool], rows: Sequence[Compared]) -> str:
    """The finding in one sentence, without its first word."""
    if sameness is Sameness.IDENTICAL:
        alike = " and ".join(f"{each.parity.rows} {each.name}" for each in rows)
        return f"the same bytes, and the same answers to {alike}"
    worst = max(rows, key=lambda each: (each.parity.outside, each.parity.largest_difference))
    bytes_said = "other bytes" if not all(files.values()) else "the same bytes"
    if sameness is Sameness.EQUAL:
        if all(each.exact for each in rows):
            changed = ", ".join(name for name, same in files.items() if not same)
            return f"{bytes_said} ({changed}), the same answers"
        return (
            f"{bytes_said}, and no answer differs by more than"
            f" {worst.parity.largest_difference:.1e} ({_row(worst)}; allowed {TOLERANCE:g})"
        )
    flipped = worst.parity.label_flips
    labels = f", {flipped} label{'' if flipped == 1 else 's'} flipped" if flipped else ""
    return (
        f"{bytes_said}, and {worst.parity.outside} of {worst.parity.rows} {worst.name} are answered"
        f" otherwise (largest difference {worst.parity.largest_difference:.3g} in"
        f" {_row(worst)}{labels})"
    )


def _row(rows: Compared) -> str:
    return f"row {rows.row} of the {rows.name}" if rows.row else f"the {rows.name}"


def _apart(then: Answer, again: Answer) -> NDArray[Any]:
    """How far the answers to each row ``[n]`` lie apart; more than anything for what is no number.

    Labels that differ without any probability doing so count as well, just not for much.
    """
    first, second = (
        (each.label if each.probabilities is None else each.probabilities) for each in (then, again)
    )
    flat = [np.asarray(each, np.float64).reshape(len(each), -1) for each in (first, second)]
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(flat[1] - flat[0])
        if then.probabilities is None:
            apart /= np.maximum(1.0, np.abs(flat[0]))
    apart[np.isnan(flat[0]) & np.isnan(flat[1])] = 0.0
    apart[flat[0] == flat[1]] = 0.0  # infinities too
    apart[np.isnan(apart)] = np.inf
    far: NDArray[Any] = apart.max(axis=1, initial=0.0)
    if then.probabilities is None:
        return far
    far[(then.label != again.label) & (far == 0.0)] = np.finfo(np.float64).tiny
    return far
