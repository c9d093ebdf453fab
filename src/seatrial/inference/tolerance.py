"""How far answers may lie apart on another machine, as it was calibrated when registered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from seatrial.inference.parity import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER = 2e-6
"""Scores that lie closer than a few roundings of float32 may change places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """``answers`` is the largest difference that is allowed, in the units of a parity.

    ``order``: rows whose scores lie further apart than twice this (numbers: in units of the
    scores' standard deviation) must keep their order. ``rows_at_once`` is how many golden rows
    were asked together, 0 for all of them.
    """

    answers: float = TOLERANCE
    order: float = ORDER
    rows_at_once: int = 0

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Tolerance:
        """What was calibrated; the defaults for a version from before that was done.

        >>> Tolerance.of_manifest({}).rows_at_once
        0
        """
        golden = manifest.get("golden")
        told = golden["tolerance"] if isinstance(golden, dict) else {}
        return cls(
            **{key: told[key] for key in ("answers", "order", "rows_at_once") if key in told}
        )
