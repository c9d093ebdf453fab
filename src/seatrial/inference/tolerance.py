"""How far answers may lie apart on another machine, as it was calibrated when registered."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from seatrial.errors import Mistake, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS = 1e-5
"""Answers that lie closer are the same."""

ORDER = 2e-6
"""Scores that lie closer than a few roundings of float32 may change places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """``answers`` is the largest difference that is allowed: of probabilities as they are, of
    numbers in the unit of :func:`seatrial.inference.distance.units`.

    ``order``, in the same unit: rows whose scores lie further apart than twice this must keep
    their order. ``rows_at_once`` is how many golden rows were asked together, 0 for all of them.
    """  # noqa: D205 - the first field is what the class is about

    answers: float = ANSWERS
    order: float = ORDER
    rows_at_once: int = 0

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    def by_hand(self, answers: float) -> Tolerance:
        """With another bound; a wider one lets rows change places within it, too.

        >>> Tolerance().by_hand(0.01)
        Tolerance(answers=0.01, order=0.01, rows_at_once=0)
        """
        order = max(self.order, answers) if answers > self.answers else self.order
        return replace(self, answers=answers, order=order)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Tolerance:
        """What was calibrated; the defaults for a version from before that was done.

        StoreError when it is no tolerance.

        >>> Tolerance.of_manifest({}).rows_at_once
        0
        """
        golden = manifest.get("golden", {})
        try:
            told = golden.get("tolerance", {})
            read = cls(**{each.name: told[each.name] for each in fields(cls) if each.name in told})
            known = all(math.isfinite(each) and each >= 0 for each in (read.answers, read.order))
            known = known and type(read.rows_at_once) is int and read.rows_at_once >= 0
        except (TypeError, AttributeError):
            known = False
        if not known:
            what = f"the tolerance of the golden rows cannot be read: {str(golden)[:100]}"
            raise StoreError(Mistake(what, "the manifest's golden", fix="register the model again"))
        return read
