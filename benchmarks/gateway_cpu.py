"""Processor time a request: ours beside a bare handler and FastAPI; forms of one request.

Ours is counted twice: the gateway worker alone, and every process of ``seatrial serve``. Logging
is on. The same ONNX graph for all, one core for the server, one for wrk.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from gateway import bodies, project, rivals
from gateway.answers import agree
from gateway.blocks import (
    Block,
    Lane,
    failed,
    in_turn,
    middle,
    per_second,
    ratio,
    tree_us,
    worker_us,
)
from measuring import Figure

BARE = 1.35
FASTAPI = 0.5
BINARY = 1.4
ROWS = 64
Found = dict[str, list[Block]]


def figures() -> list[Figure]:
    """Ratios first, then each form alone."""
    found = _measured()
    lost = sum(failed(blocks) for blocks in found.values())
    return [
        *(_beside(found, "bare", f"at most {BARE:g} x", BARE)),
        *(_beside(found, "FastAPI with def", f"at most {FASTAPI:g} x", FASTAPI)),
        *(_beside(found, "FastAPI with async def", f"at most {FASTAPI:g} x", FASTAPI)),
        _binary(found),
        *(_alone(found, name) for name in ("16 numbers by name", "12 numbers and 4 strings")),
        Figure(
            name="requests without an answer while processor time was measured",
            value=lost,
            unit="",
            goal="0",
            met=lost == 0,
        ),
    ]


def _measured() -> Found:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = project.copy(scratch / "project")
        model = scratch / "model.onnx"
        model.write_bytes(project.onnx_of(made))
        again = project.copy(scratch / "again")
        ours = stack.enter_context(rivals.ours(made))
        same = stack.enter_context(rivals.ours(again, "ours again"))
        bare, _ = stack.enter_context(rivals.bare(model, scratch))
        plain, _ = stack.enter_context(rivals.fastapi(model, "def"))
        at_once, _ = stack.enter_context(rivals.fastapi(model, "async"))
        one, many = bodies.matrix(1), bodies.matrix(ROWS)
        lanes = [
            Lane("ours", ours, one),
            Lane("bare", bare, one),
            Lane("ours again", same, one),
            Lane("FastAPI with def", plain, one),
            Lane("FastAPI with async def", at_once, one),
            Lane("JSON", ours, many),
            Lane("binary", ours, bodies.binary(ROWS)),
            Lane("JSON again", same, many),
            Lane("16 numbers by name", ours, bodies.named(project.NAMED)),
            Lane("12 numbers and 4 strings", ours, bodies.named(project.MIXED)),
        ]
        for lane in lanes[1:5]:
            agree(lanes[0], lane)
        return in_turn(lanes)


def _beside(found: Found, peer: str, goal: str, limit: float) -> list[Figure]:
    ours, theirs = found["ours"], found[peer]
    figures = []
    for what, of in (("worker alone", worker_us), ("all processes", tree_us)):
        value = ratio(ours, theirs, of, tree_us)
        figures.append(
            Figure(
                name=f"processor time a request of one row, beside {peer} ({what})",
                value=value,
                unit="x",
                goal=goal,
                met=value <= limit,
                detail=(
                    f"{middle(ours, of):.0f} us beside {middle(theirs, tree_us):.0f} us;"
                    f" A/A {ratio(ours, found['ours again'], of):.3f}"
                ),
            )
        )
    return figures


def _binary(found: Found) -> Figure:
    json, binary = found["JSON"], found["binary"]
    value = ratio(binary, json, per_second)
    return Figure(
        name=f"throughput of {ROWS} binary rows, beside JSON",
        value=value,
        unit="x",
        goal=f"at least {BINARY:g} x",
        met=value >= BINARY,
        detail=(
            f"{middle(binary, per_second):.0f} beside {middle(json, per_second):.0f} a second,"
            f" {middle(binary, tree_us):.0f} us beside {middle(json, tree_us):.0f} us;"
            f" A/A {ratio(json, found['JSON again'], per_second):.3f}"
        ),
    )


def _alone(found: Found, name: str) -> Figure:
    return Figure(
        name=f"processor time a request of {name} (worker alone)",
        value=middle(found[name], worker_us),
        unit="us",
        detail=(
            f"{ratio(found[name], found['ours'], worker_us):.2f} x one matrix;"
            f" all processes {middle(found[name], tree_us):.0f} us"
        ),
    )
