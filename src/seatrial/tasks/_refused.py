"""A gateway refuses the candidate: nothing that comes later can pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.outcome import Finding, Outcome, Verdict

if TYPE_CHECKING:
    from seatrial.registry.registry import Version
    from seatrial.registry.standing import Standing


def refused(version: Version, said: Standing) -> Outcome | None:
    """A fail with the reason of each gateway that refuses the version; None when none does."""
    if not said.refused:
        return None
    return Outcome(
        verdict=Verdict.FAIL,
        reason=f"a gateway refuses {version}: {said.refused[0].reason}",
        findings=tuple(
            Finding(
                what=f"{version} was refused: {nack.reason}",
                where=f"gateway {nack.gateway}",
                hint="production was not changed; make the version anew, or mend that machine",
            )
            for nack in said.refused
        ),
    )
