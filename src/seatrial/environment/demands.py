"""What a version demands of the machine that answers with it: read from its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatrial.environment.needs import Needs
from seatrial.environment.policy import Policy
from seatrial.inference.tolerance import Tolerance

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """``environment`` is where it was trained; empty when that was not recorded."""

    environment: Mapping[str, Any]
    needs: Needs
    policy: Policy
    tolerance: Tolerance

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Demands:
        """The demands of a version, also of one from before they were recorded."""
        environment = manifest.get("environment")
        return cls(
            environment=environment if isinstance(environment, dict) else {},
            needs=Needs.of_manifest(manifest),
            policy=Policy.of_manifest(manifest),
            tolerance=Tolerance.of_manifest(manifest),
        )
