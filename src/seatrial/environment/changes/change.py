"""One thing that two captures say differently, before anybody judged how grave that is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``rule`` is the name in :data:`seatrial.environment.policy.RULES` that it falls under.

    ``why`` replaces the rule's own sentence where more is known; ``package`` is the normalised
    name where it is about one package.
    """

    rule: str
    field: str
    expected: str
    got: str
    fix: str = ""
    why: str = ""
    package: str = ""
