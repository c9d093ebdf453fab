"""What a shadow test costs the requests it looks at, whatever its candidate does.

A gateway with a test at 5 % or 100 % beside one without, both on one core with the candidate, at
1000 requests a second that come whether or not the ones before were answered.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import bodies, load, project, rivals, tree
from gateway.blocks import Block, Lane, failed, in_turn, middle, ratio, tree_us, worker_us
from measuring import ROOT, Figure
from seatrial import workspace
from seatrial.registry import shadows
from seatrial.registry.project import open_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.bodies import Request
    from gateway.load import Sent
    from gateway.server import Server

LIMIT = 1.03
PER_SECOND = 1000
BLOCK_S = 1
SHADOW = "seatrial.gateway.shadow"
FAULTS = {
    "": "healthy",
    "sleep:5": "sleeps 5 s",
    "raise": "raises each time",
    "exit": "ends its process each time",
    "segv": "dies of SIGSEGV each time",
    "memory": "takes 4 GB",
    "burn": "burns the processor",
    "shape": "gives a wrong shape",
    "nan": "gives NaN",
}
SHARES = tuple(float(x) for x in os.environ.get("BENCH_SHARES", "5,100").split(","))
_INJECTED = ROOT / "tests" / "faults" / "shadow_faults"
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """One gateway beside one without a test; ``said`` is what its shadow test has counted."""

    name: str
    off: list[Block]
    on: list[Block]
    said: str


def figures() -> list[Figure]:
    """First two gateways without a test (A/A), then each candidate at each share."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        off = stack.enter_context(rivals.ours(project.copy(scratch / "off"), "off"))
        again = _case("no test in either (A/A)", scratch / "again", off, None, "")
        cases = [
            _case(
                f"{share:g} %, candidate {does}", scratch / f"{share:g}{fault}", off, share, fault
            )
            for share in SHARES
            for fault, does in FAULTS.items()
        ]
    return [_figure(again, None), *(_figure(case, again) for case in cases)]


def _case(name: str, folder: Path, off: Server, share: float | None, fault: str) -> Case:
    project.copy(folder)
    env = {"PYTHONPATH": str(_INJECTED), "SEATRIAL_FAULT": fault} if fault else {}
    with rivals.ours(folder, name, env=env) as server:
        if share is not None:
            project.shadow(folder, share)
            _until_it_runs(server)
        lanes = [Lane("off", off, bodies.matrix(1)), Lane("on", server, bodies.matrix(1))]
        found = in_turn(lanes, _steady)
        time.sleep(1.5)  # the count reaches the ledger every second
    said = "" if share is None else _counted(folder)
    return Case(name, found["off"], found["on"], said)


def _steady(server: Server, request: Request) -> Sent:
    return load.steady(server, request, PER_SECOND, BLOCK_S)


def _until_it_runs(server: Server) -> None:
    ends = time.monotonic() + _PATIENCE_S
    while not tree.running(server.tree(), SHADOW):
        if time.monotonic() > ends:
            raise RuntimeError(f"{server.name}: no shadow process within {_PATIENCE_S:g} s")
        time.sleep(0.05)
    time.sleep(2)  # it opens both versions


def _counted(folder: Path) -> str:
    opened = open_project(workspace.at(folder))
    try:
        (shadow,) = shadows.wanted(opened.ledger)
        told = [each.document for each in shadows.tallies(opened.ledger, shadow.id)]
    finally:
        opened.ledger.close()
    keys = ("requests", "sampled", "compared", "errors", "nan", "lost")
    counted = {key: sum(each[key] for each in told) for key in keys}
    return f"; counted {json.dumps(counted)}"


def _figure(case: Case, again: Case | None) -> Figure:
    value = _ratio(case, worker_us)
    lost = failed(case.on)
    slowest = max(block.sent.max_ms for block in case.on)
    detail = (
        f"{middle(case.on, worker_us):.0f} us beside {middle(case.off, worker_us):.0f} us,"
        f" all processes {middle(case.on, tree_us):.0f} us;"
        f" p50 {_ratio(case, _p50):.2f} x ({middle(case.on, _p50):.2f} ms),"
        f" p99 {_ratio(case, _p99):.2f} x ({middle(case.on, _p99):.2f} ms),"
        f" slowest {slowest:.0f} ms;"
        f" {lost} without an answer"
    )
    if again is None:
        return Figure(
            name=f"shadow: {case.name}, processor time of the worker",
            value=value,
            unit="x",
            detail=detail,
        )
    return Figure(
        name=f"shadow: {case.name}, processor time of the worker beside no test",
        value=value,
        unit="x",
        goal=f"at most {LIMIT:g} x, none without an answer",
        met=value <= LIMIT and lost == 0,
        detail=(
            f"{detail}; A/A {_ratio(again, worker_us):.3f}, p50 {_ratio(again, _p50):.2f},"
            f" p99 {_ratio(again, _p99):.2f}{case.said}"
        ),
    )


def _ratio(case: Case, of: Callable[[Block], float]) -> float:
    return ratio(case.on, case.off, of)


def _p50(block: Block) -> float:
    return block.sent.p50_ms


def _p99(block: Block) -> float:
    return block.sent.p99_ms
