"""Which small faults of a model its golden rows find, and which slip through.

Models of 10 000 rows and 20 columns are trained with two seeds, of classes and of numbers. Then
one thing is changed in the graph, drawn at random, again and again. A fault that alters no answer
of 2000 unseen rows is not counted: nobody could find it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from statistics import median
from typing import Any

from data.costs import asked
from environment.power import FITTED, GOLDEN
from measuring import Figure

PROBLEMS = ("classes", "numbers")


def figures() -> list[Figure]:
    """The share of faults that is found, by kind of model and of fault."""
    return [
        _found(word, kind, faults) for word in FITTED for kind, faults in _by_kind(word).items()
    ]


def _by_kind(word: str) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for problem in PROBLEMS:
        command = [sys.executable, "-m", "environment.power", word, problem]
        for fault in asked(command)["faults"]:
            if fault["altered"]:
                kinds[fault["kind"]].append(fault)
    return kinds


def _found(word: str, kind: str, faults: list[dict[str, Any]]) -> Figure:
    few, many = (100 * sum(rows in fault["found"] for fault in faults) / len(faults)
                 for rows in GOLDEN)  # fmt: skip
    missed = [fault["altered"] for fault in faults if GOLDEN[0] not in fault["found"]]
    slipped = f"; the missed alter {100 * median(missed):.2g} % of rows" if missed else ""
    return Figure(
        name=f"{word}: {kind}",
        value=few,
        unit=f"% found by {GOLDEN[0]} rows",
        detail=f"{many:.0f} % by {GOLDEN[1]}; of {len(faults)}, that alter"
        f" {100 * median(fault['altered'] for fault in faults):.3g} % of rows{slipped}",
    )
