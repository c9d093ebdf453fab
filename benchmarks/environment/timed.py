"""Fresh processes in turn: what each told of its own work, and how long the whole process took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from data.costs import asked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Costs = dict[str, list[dict[str, Any]]]


def in_turn(rivals: Mapping[str, Sequence[str]], rounds: int) -> Costs:
    """Each rival once a round, after one that is let go; ``process_s`` is with Python's start."""
    found: Costs = {name: [] for name in rivals}
    for number in range(rounds + 1):
        for name, command in rivals.items():
            began = time.perf_counter()
            told = asked(command)
            told["process_s"] = time.perf_counter() - began
            if number:
                found[name].append(told)
    return found
