"""How what serves stands: by what the gateway counted, what it logged, and the version before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.traffic.conftest import recorded

from seatrial.inference import golden
from seatrial.inference.session import Model
from seatrial.inference.signature import Input, Signature
from seatrial.registry.policy import Policy
from seatrial.registry.project import Project, open_project
from seatrial.registry.registry import PRODUCTION, Move
from seatrial.registry.watches import current
from seatrial.traffic import record
from seatrial.traffic.log import TrafficLog
from seatrial.watch.followed import Followed
from seatrial.watch.guardrails import Vitals, quantile_us
from seatrial.watch.sampling import Sampling
from seatrial.watch.standing import Standing
from seatrial.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SUM = Signature((Input("a", "FP32"), Input("b", "FP32")), "numbers")
BOUNDS_US = (1_000, 10_000, 100_000)
QUICK, SLOW = (0, 100, 0, 0), (0, 0, 100, 0)
"""What a minute adds to the histogram: 100 answers in up to 10 ms, or in up to 100 ms."""


class Clock:
    """Begins now and stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time


@dataclass
class Counted:
    """What a gateway has counted, as the test says it; see ``seatrial.watch.Gauge``."""

    done: dict[int, Vitals] = field(default_factory=dict)
    took: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def look(self) -> None:
        """There is nothing newer."""

    def vitals(self, model: str, version: int) -> Vitals:
        assert model == "m"
        return self.done.get(version, Vitals(at_s=0, answered=0, faults=0, crashed=0))

    def times(self, model: str, version: int) -> Sequence[int]:
        assert model == "m"
        return self.took.get(version, (0, 0, 0, 0))

    def p99_us(self, times: Sequence[int]) -> float | None:
        return quantile_us(BOUNDS_US, times, 0.99)

    def say(self, version: int, at_s: float = 0, answered: int = 0, faults: int = 0) -> None:
        self.done[version] = Vitals(at_s=at_s, answered=answered, faults=faults, crashed=0)

    def add(self, version: int, times: tuple[int, ...]) -> None:
        self.took[version] = tuple(map(sum, zip(self.times("m", version), times, strict=True)))


def sums(*, rounds: int = 0, zeroed: bool = False) -> bytes:
    """A model that answers ``a + b``: NaN where one is missing, unless ``zeroed``.

    Each round multiplies a vector of a thousand numbers with a matrix: it takes its time.
    """
    floats, wide = TensorProto.FLOAT, np.full((1_000, 1_000), 1e-6, np.float32)
    weights = [
        numpy_helper.from_array(np.array([0], np.int64), "axis"),
        numpy_helper.from_array(np.array(0, np.float32), "zero"),
        numpy_helper.from_array(wide[:1], "w0"),
        numpy_helper.from_array(wide, "w"),
    ]
    nodes = [helper.make_node("Add", ["a", "b"], ["raw"])]
    answer = "raw"
    if zeroed:
        nodes += [helper.make_node("IsNaN", ["raw"], ["missing"])]
        nodes += [helper.make_node("Where", ["missing", "zero", "raw"], ["whole"])]
        answer = "whole"
    if rounds:
        nodes += [helper.make_node("MatMul", [answer, "w0"], ["h0"])]
        nodes += [helper.make_node("MatMul", [f"h{n}", "w"], [f"h{n + 1}"]) for n in range(rounds)]
        nodes += [helper.make_node("ReduceMean", [f"h{rounds}"], ["h"], keepdims=1)]
        nodes += [helper.make_node("Add", [answer, "h"], ["slow"])]
        answer = "slow"
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    nodes += [helper.make_node("Reshape", [answer, "flat"], ["label"])]
    graph = helper.make_graph(
        nodes,
        "sums",
        [helper.make_tensor_value_info(name, floats, [None, 1]) for name in ("a", "b")],
        [helper.make_tensor_value_info("label", floats, [None])],
        [*weights, flat],
    )
    opset = helper.make_opsetid("", 17)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return bytes(model.SerializeToString())


PLAIN, ZEROED, WORKING = sums(), sums(zeroed=True), sums(rounds=20)


@dataclass
class Serving:
    """A model ``m`` whose versions are real, its traffic log, and what a gateway counts."""

    project: Project
    clock: Clock
    gauge: Counted = field(default_factory=Counted)

    def deliver(self, model: bytes) -> int:
        registry = self.project.registry
        row = {name: np.ones(1, np.float32) for name in ("a", "b")}
        rows = golden.make(Model.load(model, SUM), row, seed=1)
        files = {
            "model.onnx": registry.blobs.put(model),
            "golden.json": registry.blobs.put(rows),
        }
        number = len(registry.versions()) + 1
        manifest = {"number": number, "signature": SUM.to_json(), "files": files}
        registry.register("m", manifest, label="l", run="R", by="run R")
        at = registry.channel("m", PRODUCTION)
        move = Move(
            model="m",
            channel=PRODUCTION,
            version=number,
            expect=at.revision if at else 0,
            event="promote",
            by="run R",
            reason="why",
        )
        registry.move(move, Policy(degradation_margin=0.05).to_json())
        return number

    def stand(self, version: int, before: int | None) -> Standing:
        traffic = self.project.workspace.traffic
        sampling = Sampling(traffic, "m", version, seed=1)
        return Standing.begin(self.gauge, "m", version, before, 1.0, sampling)

    def look(self, standing: Standing, now_s: float, followed: Followed | None = None) -> str:
        return standing.look(self.project, self.gauge, now_s, followed)

    def answer(self, version: int, model: bytes, *a: float) -> None:
        """Requests are answered and logged; ``b`` is always 1."""
        found = self.project.registry.version("m", version)
        features = {"a": np.array(a, np.float32), "b": np.ones(len(a), np.float32)}
        answer = Model.load(model, SUM).predict(features)
        head = record.head("m", version, found.digest)
        self.clock.time += timedelta(milliseconds=1)
        at_us = int(self.clock.time.timestamp() * 1e6)
        raw = recorded(head, at_us, f"r{at_us}", features, answer)
        log = TrafficLog(self.project.workspace.traffic, "W", self.clock, lambda _digest: SUM)
        log.redact({"m": ()})
        assert log.append([raw]).written == 1
        log.close()


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    clock = Clock()
    project = open_project(Workspace(tmp_path, tmp_path / ".seatrial", clock))
    yield Serving(project, clock)
    project.ledger.close()


# Faults


@pytest.mark.parametrize(
    ("answered", "faults", "limit_percent"),
    [
        (95, 5, 6.0),  # 100 requests: what failed is usual
        (0, 100, 101.0),
        (94, 5, 1.0),  # too few to know
        (0, 0, 1.0),
    ],
)
def test_what_was_usual_before(
    serving: Serving, answered: int, faults: int, limit_percent: float
) -> None:
    serving.gauge.say(1, answered=answered, faults=faults)
    assert serving.stand(2, 1).guard.limit_percent == pytest.approx(limit_percent)
    assert serving.stand(2, None).guard.limit_percent == 1.0


def test_faults_are_told(serving: Serving) -> None:
    serving.gauge.say(1, answered=980, faults=20)
    standing = serving.stand(2, 1)
    serving.gauge.say(2, at_s=100, answered=50, faults=50)  # before it was looked at
    assert serving.look(standing, 0) == ""
    serving.gauge.say(2, at_s=101, answered=147, faults=53)
    assert serving.look(standing, 1) == ""
    serving.gauge.say(2, at_s=102, answered=147, faults=56)
    assert serving.look(standing, 2) == "6 of 103 requests failed within a minute (at most 3 %)"


# Answers that are none

MISSING = [float("nan")] * 6


def test_nan_of_a_first_version_is_told(serving: Serving) -> None:
    version = serving.deliver(PLAIN)
    standing = serving.stand(version, None)
    serving.answer(version, PLAIN, *[1.0] * 6)
    assert serving.look(standing, 0) == ""
    serving.answer(version, PLAIN, *MISSING)
    said = "6 of 12 answers within a minute were NaN or infinite (at most 1 %)"
    assert serving.look(standing, 1) == said


@pytest.mark.parametrize(("before", "told"), [(ZEROED, True), (PLAIN, False)])
@pytest.mark.parametrize("followed", [True, False], ids=["watched", "known good"])
def test_nan_counts_unless_the_version_before_answers_it_too(
    serving: Serving,
    before: bytes,
    told: bool,  # noqa: FBT001 - a table
    followed: bool,  # noqa: FBT001 - a table
) -> None:
    first, second = serving.deliver(before), serving.deliver(PLAIN)
    watch = current(serving.project.ledger, "m")
    assert watch is not None
    follows = Followed.open(serving.project, watch, None) if followed else None
    standing = serving.stand(second, first)
    serving.answer(second, PLAIN, *MISSING)
    assert bool(serving.look(standing, 0, follows)) is told


def test_a_version_before_that_cannot_be_opened_excuses_nothing(serving: Serving) -> None:
    first, second = serving.deliver(PLAIN), serving.deliver(PLAIN)
    registry = serving.project.registry
    registry.blobs.path(registry.version("m", first).digest).unlink()
    standing = serving.stand(second, first)
    serving.answer(second, PLAIN, *MISSING)
    assert "6 of 6 answers" in serving.look(standing, 0)


def test_answers_from_before_it_was_looked_at_do_not_count(serving: Serving) -> None:
    version = serving.deliver(PLAIN)
    serving.answer(version, PLAIN, *MISSING)
    serving.clock.time += timedelta(milliseconds=1)
    assert serving.look(serving.stand(version, None), 0) == ""


# Delay


def minutes(serving: Serving, standing: Standing, *times: tuple[int, ...]) -> list[str]:
    """What is said at the end of each minute, in which these answers were added."""
    said = [serving.look(standing, 0)]
    for minute, added in enumerate(times, start=1):
        serving.gauge.add(standing.version, added)
        said += [serving.look(standing, 60 * minute - 1), serving.look(standing, 60 * minute)]
    assert not any(said[1::2]), "before a minute was over"
    return said[2::2]


@pytest.mark.parametrize(("model", "told"), [(WORKING, True), (PLAIN, False)])
def test_slow_is_what_is_slow_side_by_side_too(
    serving: Serving,
    model: bytes,
    told: bool,  # noqa: FBT001 - a table
) -> None:
    """The same model on a machine that became slow is not slow."""
    first, second = serving.deliver(PLAIN), serving.deliver(model)
    serving.gauge.say(first, answered=1_000)
    serving.gauge.add(first, QUICK)
    standing = serving.stand(second, first)
    serving.answer(second, model, 1.0, 2.0, 3.0)
    *before, last = minutes(serving, standing, QUICK, SLOW, SLOW, SLOW)
    assert not any(before)
    assert bool(last) is told
    if told:
        assert last.startswith("99 % of the answers took up to 99.1 ms for 3 minutes (9.91 ms bef")


def test_what_cannot_be_compared_is_not_slow(serving: Serving) -> None:
    """No rows, no version before, or one that is damaged."""
    first, second = serving.deliver(PLAIN), serving.deliver(WORKING)
    slow = [SLOW] * 4
    assert not any(minutes(serving, serving.stand(second, first), *slow))
    serving.answer(second, WORKING, 1.0)
    assert not any(minutes(serving, serving.stand(second, None), *slow))
    registry = serving.project.registry
    registry.blobs.path(registry.version("m", first).digest).unlink()
    serving.answer(second, WORKING, 1.0)
    assert not any(minutes(serving, serving.stand(second, first), *slow))


def test_counts_that_are_missing_for_a_moment_are_no_delay_later(serving: Serving) -> None:
    first, second = serving.deliver(PLAIN), serving.deliver(WORKING)
    serving.gauge.took[second] = (0, 0, 5_000, 0)  # long ago
    standing = serving.stand(second, first)
    serving.answer(second, WORKING, 1.0)
    assert serving.look(standing, 0) == ""
    whole = serving.gauge.took[second]
    for minute in range(1, 13):
        serving.gauge.took[second] = (0, 0, 0, 0) if minute % 2 else whole
        assert serving.look(standing, 60 * minute) == ""
