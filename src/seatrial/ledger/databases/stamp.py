"""Has anything been committed since the last look?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which ledger it is, and its count of commits as one connection sees it.

    ``looks`` counts those connections: what was committed between two of them nobody knows.
    """

    ledger: int | str
    commits: int
    looks: int = 0
