"""What a version takes is found, held against its limits, and told."""

from __future__ import annotations

import gc
import importlib
import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import planted
from seatrial.errors import StoreError
from seatrial.evaluation.speed import measures, rivals, timing
from seatrial.evaluation.speed.asking import Times
from seatrial.evaluation.speed.limits import Latency, Speed, Throughput
from seatrial.evaluation.speed.measuring import measure
from seatrial.inference.signature import Input, Signature
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.evaluation.labelled import Labelled
    from seatrial.outcome import Finding, Measure
    from seatrial.registry.registry import Registry, Version

SLOW_STEPS = 400
"""Each takes microseconds: together far more than all the rest of a request."""


@dataclass(frozen=True)
class Told:
    measures: dict[str, Measure]
    findings: tuple[Finding, ...]

    def verdicts(self) -> dict[str, Verdict]:
        judged = {name: each.verdict for name, each in self.measures.items()}
        return {name: verdict for name, verdict in judged.items() if verdict is not Verdict.SKIP}


def told(
    registry: Registry,
    candidate: Version,
    production: Version | None,
    rows: Labelled,
    speed: Speed | None = None,
) -> Told:
    measures, findings = measure(registry, candidate, production, rows, speed or Speed(), seed=1)
    assert len({each.name for each in measures}) == len(measures)
    return Told({each.name: each for each in measures}, findings)


@pytest.fixture
def small(registry: Registry, rows: Labelled) -> Version:
    return planted.version(registry, planted.adding(), planted.NUMBERS, rows.features)


def test_everything_is_reported_and_without_limits_nothing_decides(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    found = told(registry, small, None, rows)
    for name in ("latency_ms.p50", "latency_ms.p95", "latency_ms.p99", "latency_wall_ms.p95"):
        each = found.measures[name]
        assert each.n >= 80
        assert each.value is not None
        assert each.low is not None
        assert 0 < each.low <= each.value
    assert {"latency_ms.p95 of 32 rows", "latency_ms.p95 of 1024 rows"} <= set(found.measures)
    assert found.measures["throughput.rows_per_s"].value
    assert found.measures["latency_ratio.p95"].value is None
    assert found.verdicts() == {}


def test_the_same_file_beside_itself_passes_what_is_usual(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    found = told(registry, small, small, rows)
    assert found.verdicts() == {
        "latency_ratio.p50": Verdict.PASS,
        "latency_ratio.p95": Verdict.PASS,
    }
    limit = found.measures["latency_ratio.p50"].limit
    assert limit is not None
    assert limit > 2  # 5 ms more is a lot for so small a model


@pytest.mark.slow
def test_a_planted_slowdown_is_found(registry: Registry, small: Version, rows: Labelled) -> None:
    slow = planted.version(
        registry, planted.adding(steps=SLOW_STEPS), planted.NUMBERS, rows.features
    )
    speed = Speed(latency=Latency(p95_ms=1e-3, times=3), throughput=Throughput(rows_per_s=1e9))
    found = told(registry, slow, small, rows, speed)
    assert found.verdicts() == {
        "latency_ms.p95": Verdict.FAIL,
        "latency_ratio.p50": Verdict.FAIL,
        "latency_ratio.p95": Verdict.FAIL,
        "throughput.rows_per_s": Verdict.FAIL,
    }
    turned = told(registry, small, slow, rows, Speed(latency=Latency(p99_ms=1e4, times=1)))
    assert set(turned.verdicts().values()) == {Verdict.PASS}


@pytest.mark.slow
def test_a_heavy_constant_is_found_in_memory_and_in_size(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    heavy = planted.version(
        registry, planted.adding(constant_mb=64), planted.NUMBERS, rows.features
    )
    found = told(registry, heavy, small, rows, Speed(memory_mb=60, size_mb=60))
    memory, size = found.measures["memory_mb"], found.measures["size_mb"]
    assert (memory.verdict, size.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert memory.value is not None
    assert size.value is not None
    assert memory.value >= 64
    assert 64 <= size.value < 65
    beside = found.measures["memory_mb.production"]
    assert beside.value is not None
    assert beside.value < 40
    fits = told(registry, small, None, rows, Speed(memory_mb=60, size_mb=1))
    assert set(fits.verdicts().values()) == {Verdict.PASS}


def test_memory_near_its_limit_is_weighed_again(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    once = told(registry, small, None, rows).measures["memory_mb"]
    assert once.value is not None
    again = told(registry, small, None, rows, Speed(memory_mb=once.value)).measures["memory_mb"]
    assert (once.n, again.n) == (1, 3)
    assert again.verdict is not Verdict.SKIP


def test_a_candidate_that_fails_on_a_batch_fails_and_says_why(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    alone = planted.version(
        registry,
        planted.adding(rows=1),
        planted.NUMBERS,
        rows.part(np.arange(1)).features,
        name="alone",
    )
    found = told(registry, alone, small, rows, Speed(latency=Latency(p95_ms=5)))
    assert found.verdicts() == {"latency_ms.p95": Verdict.FAIL}
    (finding,) = found.findings
    assert "alone version 1 does not answer" in finding.what
    assert "Reshape" in finding.what
    with pytest.raises(StoreError, match="alone version 1 cannot be timed"):
        told(registry, small, alone, rows)


def test_columns_that_only_production_reads(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    other = Signature((Input("a", "FP32"), Input("c", "FP32")), "numbers")
    nodes = [planted.node("Add", "a c", "sum"), planted.node("Reshape", "sum flat", "label")]
    features = {"a": rows.features["a"], "c": rows.features["b"]}
    constants = {"flat": np.array([-1], np.int64)}
    model = planted.graph(nodes, other, constants)
    before = planted.version(registry, model, other, features, name="before")
    found = told(registry, small, before, rows)
    (finding, *_) = found.findings
    assert "before version 1 reads 'c', which rows does not have" in finding.what
    assert found.measures["latency_ratio.p95"].value is None
    with pytest.raises(StoreError, match="reads 'c'"):
        told(registry, small, before, rows, Speed(latency=Latency(times=2)))


def test_a_damaged_file_is_no_verdict(registry: Registry, small: Version, rows: Labelled) -> None:
    files = registry.manifest(small)["files"]
    assert isinstance(files, dict)
    registry.blobs.path(files["model.onnx"]).write_bytes(b"gone bad")
    with pytest.raises(StoreError, match="no longer matches its digest"):
        told(registry, small, None, rows)


def test_words_and_classes_are_asked_as_they_are(registry: Registry, rows: Labelled) -> None:
    classes = ("late", "on time", "early")
    signature = Signature((Input("delay", "FP32"), Input("carrier", "BYTES")), "classes", classes)
    random = np.random.default_rng(2)
    carriers = random.choice(np.array(["UA", "Ärø", ""], dtype=object), rows.rows)
    features: dict[str, NDArray[Any]] = {"delay": rows.features["a"], "carrier": carriers}
    nodes = [
        planted.node("LabelEncoder", "carrier", "code", domain="ai.onnx.ml",
                     keys_strings=["UA", "Ärø"], values_floats=[1.0, 2.0], default_float=0.0),
        planted.node("Concat", "delay code zero", "scores", axis=1),
        planted.node("Softmax", "scores", "probabilities", axis=1),
        planted.node("ArgMax", "probabilities", "place", axis=1, keepdims=0),
        planted.node("Gather", "words place", "label"),
    ]  # fmt: skip
    # a third score that is always 0, of the shape of the others
    nodes.insert(0, planted.node("Mul", "delay nought", "zero"))
    constants = {
        "nought": np.zeros((1, 1), np.float32),
        "words": np.array(classes, dtype=object),
    }
    model = planted.graph(nodes, signature, constants)
    mixed = planted.version(registry, model, signature, features)
    asked = replace(rows, features=features)
    found = told(registry, mixed, mixed, asked, Speed(latency=Latency(p50_ms=1000)))
    assert set(found.verdicts().values()) == {Verdict.PASS}


def test_batches_that_would_take_too_long_are_left_out(
    registry: Registry, small: Version, rows: Labelled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "TOO_LONG_S", 0.0)
    monkeypatch.setattr(timing, "ENOUGH_S", 0.0)
    asked = rivals.rivals(registry, [small], rows, seed=1)
    try:
        reply = timing.timed(rivals.timing_question(str(registry.blobs.folder), asked, 1))
    finally:  # it leaves collecting to its own rounds
        gc.enable()
        gc.unfreeze()
    assert set(reply.times) == {1}
    assert set(reply.times[1].round) == {0}
    (throughput,) = measures.batches(reply.times, rows_per_s=1e12)
    assert throughput.value
    # whatever it shows, a single round may have been a bad one
    assert throughput.verdict is Verdict.INCONCLUSIVE


def test_interrupted_requests_are_counted() -> None:
    assert measures.interrupted(Times([0] * 4, [[5, 5, 5, 9]], [[5, 5, 5, 4]])) == 0.25
    assert measures.interrupted(Times([], [[]], [[]])) == 0


@dataclass
class Weighty:
    """Takes memory of its own when it is unpickled."""

    megabytes: int

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.held = np.ones(self.megabytes * 2**17)

    def predict(self, features: dict[str, NDArray[Any]]) -> NDArray[Any]:
        return np.asarray(features["a"] + features["b"])


def test_a_pickled_version_counts_with_the_process_it_lives_in(
    registry: Registry, small: Version, rows: Labelled
) -> None:
    cloudpickle = importlib.import_module("cloudpickle")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    content = json.dumps({"features": "columns"}).encode() + b"\n"
    content += cloudpickle.dumps(Weighty(80))
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    pickled = planted.version(
        registry, b"", planted.NUMBERS, rows.features,
        name="pickled", files={"model.pickle": content}, trust="pickle",
    )  # fmt: skip
    found = told(registry, pickled, small, rows, Speed(memory_mb=70))
    memory = found.measures["memory_mb"]
    assert memory.verdict is Verdict.FAIL
    assert memory.value is not None
    assert memory.value > 80
    assert found.measures["latency_ratio.p50"].value
