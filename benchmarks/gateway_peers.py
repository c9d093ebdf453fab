"""Throughput of one core at one row, beside the servers that people use; the same ONNX graph."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies, project, rivals
from gateway.answers import agree
from gateway.blocks import Block, Lane, in_turn, middle, per_second, ratio, tree_us
from measuring import Figure

if TYPE_CHECKING:
    from gateway.rivals import Rival

PEERS: dict[str, tuple[Rival, float, str]] = {
    "MLServer": (rivals.mlserver, 5.0, rivals.MLSERVER),
    "mlflow models serve": (rivals.mlflow, 10.0, rivals.MLFLOW),
    "BentoML": (rivals.bentoml, 10.0, rivals.BENTOML),
    "LitServe": (rivals.litserve, 10.0, rivals.LITSERVE),
}


def figures() -> list[Figure]:
    """How many times as many requests a second."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = project.copy(scratch / "project")
        model = scratch / "model.onnx"
        model.write_bytes(project.onnx_of(made))
        again = project.copy(scratch / "again")
        one = bodies.matrix(1)
        lanes = [
            Lane("ours", stack.enter_context(rivals.ours(made)), one),
            Lane("ours again", stack.enter_context(rivals.ours(again, "ours again")), one),
        ]
        for name, (peer, _, _) in PEERS.items():
            server, request = stack.enter_context(peer(model, scratch))
            lanes.append(Lane(name, server, request))
        starts = {lane.name: lane.server.first_answer_s for lane in lanes}
        for lane in lanes[1:]:
            agree(lanes[0], lane)
        found = in_turn(lanes)
    return [_figure(found, name, starts[name]) for name in PEERS]


def _figure(found: dict[str, list[Block]], name: str, start_s: float) -> Figure:
    _, limit, package = PEERS[name]
    ours, theirs = found["ours"], found[name]
    value = ratio(ours, theirs, per_second)
    return Figure(
        name=f"throughput of one core, one row, beside {name}",
        value=value,
        unit="x",
        goal=f"at least {limit:g} x",
        met=value >= limit,
        detail=(
            f"{middle(ours, per_second):.0f} beside {middle(theirs, per_second):.0f} a second,"
            f" processor {middle(ours, tree_us):.0f} us beside {middle(theirs, tree_us):.0f} us,"
            f" {package} first answered after {start_s:.1f} s;"
            f" A/A {ratio(ours, found['ours again'], per_second):.3f}"
        ),
    )
