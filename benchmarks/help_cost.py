"""What `seatrial --help` costs: how fast does the program answer at all?"""

from __future__ import annotations

import sys

from measuring import SEATRIAL, Figure, cost, cpu_s, in_turn

ROUNDS = 11
LIMIT_S = 0.3


def figures() -> list[Figure]:
    """Beside an interpreter that does nothing."""
    found = in_turn(
        {
            "ours": lambda: cost([*SEATRIAL, "--help"]),
            "python": lambda: cost([sys.executable, "-c", "pass"]),
        },
        ROUNDS,
    )
    ours = cpu_s(found["ours"])
    return [
        Figure(
            name="seatrial --help, processor time",
            value=ours,
            unit="s",
            goal=f"at most {LIMIT_S:g} s",
            met=ours <= LIMIT_S,
            detail=f"an interpreter that does nothing: {cpu_s(found['python']):.3f} s",
        )
    ]
