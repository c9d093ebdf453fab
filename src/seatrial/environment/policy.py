"""How grave is a difference? The rules, and what a pipeline file says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Policy:
    """``levels`` are the levels by rule that a user set: error, warn, info or ignore.

    What is set counts whether or not golden rows were proven.
    """

    levels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Policy:
        """The policy that the version's pipeline file stated."""
        told = manifest.get("environment_policy")
        return cls(dict(told) if isinstance(told, dict) else {})
