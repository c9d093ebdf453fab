"""How far do the answers of one file lie apart on this very machine? That much is no fault."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from seatrial.errors import FormError
from seatrial.inference import golden
from seatrial.inference.batches import CANNOT_ANSWER, asked, count, part_of
from seatrial.inference.distance import distances
from seatrial.inference.parity import TOLERANCE
from seatrial.inference.session import Optimisation, Settings
from seatrial.inference.tolerance import ORDER, Tolerance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seatrial.inference.opening import Answers

THREADS = (1, 2)
ROOM = 3.0
"""Another machine may differ so many times as much as this one does from itself."""

COPIES = 8
"""So many copies of one row are asked together: that is computed by other kernels than one row,
which sum in another order as another processor does, and has no neighbours to depend on."""

DRAWS = 4
SHARE = 0.9
"""Of the rows: an input that lies on a threshold moves an answer by more than a rounding."""

MOST_OF_PROBABILITIES = 0.02
MOST_OF_NUMBERS = 1e-3
"""Beyond this, answers are not called equal, whatever a machine does."""

_FAR = 4.0  # standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """``tried`` holds the largest difference by the settings of a session, ``spread`` the largest
    of all; ``together`` is that between rows that were asked alone and all at once.

    ``notes`` are sentences about what makes the answers of this model depend on the machine.
    """  # noqa: D205 - they belong together

    tolerance: Tolerance
    spread: float
    together: float
    tried: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """For the manifest; null is a difference from what is no number."""
        return {
            "tolerance": self.tolerance.to_json(),
            "spread": _known(self.spread),
            "together": _known(self.together),
            "tried": {said: _known(far) for said, far in self.tried.items()},
        }

    @property
    def notes(self) -> tuple[str, ...]:
        """What the author of the model should know; mostly nothing."""
        notes = []
        if self.tolerance.answers < ROOM * self.spread:
            worst = max(self.tried, key=self.tried.__getitem__)
            notes.append(
                f"the same file answers by up to {self.spread:.3g} otherwise on this very machine"
                f" ({worst}): another machine may not be proven equal"
            )
        if self.together > self.tolerance.answers:
            notes.append(
                f"a row is answered by up to {self.together:.3g} otherwise when it is asked"
                " together with others"
            )
        return tuple(notes)


def calibrate(
    model: Answers,
    golden_bytes: bytes,
    *openings: Callable[[Settings], Answers],
    rows_at_once: int = golden.ROWS_AT_ONCE,
) -> Calibration:
    """Ask the golden rows by 1 and 2 threads and every level of optimisation, in copies, rounded.

    ``openings`` open the version's forms anew (the columns, the matrix); there is none for a
    pickled model, which is only asked again as it is. ``rows_at_once`` is how the golden rows
    were made.
    """
    kept = golden.read(golden_bytes, model.signature)

    def far(other: Answers, at_once: int, copies: int = 1) -> float:
        fed = {name: np.repeat(column, copies) for name, column in kept.inputs.items()}
        answer = part_of(asked(other, fed, at_once * copies), slice(None, None, copies))
        return float(distances(kept.answer, answer).max(initial=0.0))

    tried = {"asked again": far(model, rows_at_once)}
    for settings in _settings() if openings else ():
        said = f"{settings.threads} thread{'s' * (settings.threads > 1)}, {settings.optimisation}"
        with contextlib.suppress(FormError, *CANNOT_ANSWER):  # a level that this graph has not
            tried[said] = max(far(opening(settings), rows_at_once) for opening in openings)
    with contextlib.suppress(FormError, *CANNOT_ANSWER):  # one that takes one row at a time
        tried[f"{COPIES} copies at once"] = far(model, 1, COPIES)
    with contextlib.suppress(FormError, *CANNOT_ANSWER):
        tried["inputs rounded up"] = _rounded_up(model, kept.inputs)
    spread = max(tried.values())
    numbers = model.signature.problem == "numbers"
    most = MOST_OF_NUMBERS if numbers else MOST_OF_PROBABILITIES
    return Calibration(
        tolerance=Tolerance(
            answers=min(most, max(TOLERANCE, ROOM * spread)),
            order=min(most, max(ORDER, ROOM * spread)),
            rows_at_once=rows_at_once,
        ),
        spread=spread,
        together=far(model, 0),
        tried=tried,
    )


def _rounded_up(model: Answers, inputs: Mapping[str, np.ndarray]) -> float:
    """How far nearly all answers move at most when inputs grow by one rounding of float32.

    Another processor sums in another order, which moves an answer about as much. Where large
    terms cancel that is far more than a rounding of the answer, and no setting here may show it.
    """
    plain, moved = model.predict(inputs), np.zeros(count(inputs))
    for seed in range(DRAWS):
        random = np.random.default_rng(seed)
        fed = {name: _next_of_some(column, random) for name, column in inputs.items()}
        moved = np.maximum(moved, distances(plain, model.predict(fed)))
    return float(np.quantile(moved, SHARE, method="lower")) if len(moved) else 0.0


def _next_of_some(column: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """About half of the numbers by one rounding greater.

    Whole ones stay, which may be codes; and so do those of a column that lies far from zero: most
    models subtract its mean, exactly, and what is left is known no better than it was given.
    """
    if column.dtype == object:
        return column
    finite = column[np.isfinite(column)].astype(np.float64)
    spread = float(finite.std()) if len(finite) else 0.0
    grows = random.random(len(column)) < 0.5  # noqa: PLR2004
    with np.errstate(invalid="ignore"):
        grows &= (column != np.rint(column)) & (np.abs(column) < _FAR * spread)
    return np.where(grows, np.nextafter(column, np.float32(np.inf)), column)


def _known(difference: float) -> float | None:
    return difference if math.isfinite(difference) else None


def _settings() -> list[Settings]:
    return [
        Settings(threads=threads, optimisation=level)
        for threads in THREADS
        for level in get_args(Optimisation)
    ]
