"""How far do the answers of one file lie apart on this very machine? That much is no fault."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from seatrial.errors import FormError
from seatrial.inference import golden
from seatrial.inference.batches import CANNOT_ANSWER, asked
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

MOST_OF_PROBABILITIES = 0.02
MOST_OF_NUMBERS = 1e-3
"""Beyond this, answers are not called equal, whatever a machine does."""


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
    """Ask the golden rows by 1 and 2 threads and every level of optimisation.

    ``openings`` open the version's forms anew (the columns, the matrix); there is none for a
    pickled model, which is only asked again as it is. ``rows_at_once`` is how the golden rows
    were made.
    """
    kept = golden.read(golden_bytes, model.signature)

    def far(other: Answers, at_once: int) -> float:
        apart = distances(kept.answer, asked(other, kept.inputs, at_once))
        return float(apart.max(initial=0.0))

    tried = {"asked again": far(model, rows_at_once)}
    for settings in _settings() if openings else ():
        said = f"{settings.threads} thread{'s' * (settings.threads > 1)}, {settings.optimisation}"
        with contextlib.suppress(FormError, *CANNOT_ANSWER):  # a level that this graph has not
            tried[said] = max(far(opening(settings), rows_at_once) for opening in openings)
    spread = max(tried.values())
    numbers = model.signature.problem == "numbers"
    most = MOST_OF_NUMBERS if numbers else MOST_OF_PROBABILITIES
    return Calibration(
        tolerance=Tolerance(
            answers=min(most, max(TOLERANCE, ROOM * spread)),
            order=min(most, max(ORDER, spread)),
            rows_at_once=rows_at_once,
        ),
        spread=spread,
        together=far(model, 0),
        tried=tried,
    )


def _known(difference: float) -> float | None:
    return difference if math.isfinite(difference) else None


def _settings() -> list[Settings]:
    return [
        Settings(threads=threads, optimisation=level)
        for threads in THREADS
        for level in get_args(Optimisation)
    ]
