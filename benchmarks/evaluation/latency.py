"""Versions that take a known time, processors that are busy, and judging under both."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seatrial import metrics
from seatrial.evaluation.labelled import Labelled
from seatrial.evaluation.speed import measures as said
from seatrial.evaluation.speed import measuring
from seatrial.evaluation.speed.rivals import ONE_ROW, rivals
from seatrial.inference import golden
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.registry.project import open_project
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from seatrial.evaluation.speed.asking import TimingReply
    from seatrial.evaluation.speed.limits import Latency
    from seatrial.outcome import Measure
    from seatrial.registry.registry import Registry, Version

WIDTH = 160
"""Of the square matrices that a version multiplies by; each takes some microseconds."""

_BUSY = "import os\nbegan = os.getppid()\nwhile os.getppid() == began: sum(range(100_000))"
"""Never rests, and does not outlive who started it."""

_SIGNATURE = Signature((Input("a", "FP32"), Input("b", "FP32")), "numbers")


@dataclass(frozen=True, slots=True)
class Yard:
    """A registry, versions in it by how many multiplications they make, and rows to ask."""

    registry: Registry
    rows: Labelled

    @classmethod
    def at(cls, folder: Path) -> Yard:
        """New, in an empty folder."""
        random = np.random.default_rng(1)
        features = {n: random.normal(size=2000).astype(np.float32) for n in ("a", "b")}
        labels = random.normal(size=2000)
        rows = Labelled("rows", features, labels, metrics.get("r2"), None)
        return cls(open_project(Workspace(folder, folder / ".seatrial")).registry, rows)

    def version(self, steps: int) -> Version:
        """A version that makes so many multiplications for a row, and answers a + b."""
        model = _graph(steps)
        proven = golden.make(Model.load(model, _SIGNATURE), self.rows.features, seed=1)
        put = self.registry.blobs.put
        manifest = {
            "files": {"model.onnx": put(model), "golden.json": put(proven)},
            "signature": _SIGNATURE.to_json(),
        }
        return self.registry.register("m", manifest, label="m", run="none", by="benchmark")

    def timed(self, candidate: Version, production: Version, seed: int) -> TimingReply:
        """Both in turn, in a child, as a run does it."""
        asked = rivals(self.registry, [candidate, production], self.rows, seed)
        reply = measuring.timed(str(self.registry.blobs.folder), asked, seed)
        if isinstance(reply, measuring.Unanswered):
            raise TypeError(reply.why)
        return reply


def judged(reply: TimingReply, latency: Latency) -> dict[str, Measure]:
    """What a run would say of one row."""
    measures = [
        *said.one_row(reply.times, latency),
        *said.beside(reply.times, latency, compared=True),
    ]
    return {each.name: each for each in measures}


def interrupted(reply: TimingReply) -> float:
    """The share of the requests during which others had the processor."""
    return said.interrupted(reply.times[ONE_ROW.rows])


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many programs that never rest."""
    started = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(programs)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
            each.wait()


def _graph(steps: int) -> bytes:
    """``a + b``, and beside it the multiplications, of which nothing is left in the answer."""
    weight = np.full((WIDTH, WIDTH), 1 / WIDTH, np.float32)
    spread = np.full((1, WIDTH), 1.0, np.float32)
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("MatMul", ["a", "spread"], ["step0"]),
        *(
            helper.make_node("MatMul", [f"step{n}", "weight"], [f"step{n + 1}"])
            for n in range(steps)
        ),
        helper.make_node("ReduceMean", [f"step{steps}", "axes"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["sum", "nothing"], ["both"]),
        helper.make_node("Reshape", ["both", "flat"], ["label"]),
    ]
    constants: dict[str, NDArray[Any]] = {
        "weight": weight,
        "spread": spread,
        "axes": np.array([1], np.int64),
        "zero": np.zeros(1, np.float32),
        "flat": np.array([-1], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "work",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 1]) for n in ("a", "b")],
        [helper.make_tensor_value_info("label", TensorProto.FLOAT, [None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
