"""Every row also goes the way of a request, and what every model must keep is asked as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

import planted
from seatrial import plan
from seatrial.data.opening import open_rows
from seatrial.data.table import open_table
from seatrial.errors import StoreError
from seatrial.inference.signature import Input, Signature
from seatrial.ledger import runs
from seatrial.outcome import Outcome, Verdict
from seatrial.pipeline.read import read
from seatrial.tasks import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from tests.tasks.conftest import Project

    from seatrial.registry.project import Project as Stores

INTEGRATION = "evaluate_model.integration_tests"
NAMES = ("feature_1", "feature_2", "feature_3")
SIGNATURE = Signature(tuple(Input(name, "FP32") for name in NAMES), "classes", (0, 1))


def sigmoid(*spoilt: Any, at: str = "score") -> bytes:
    """What decides the target, as a model; ``spoilt`` nodes stand before its answer."""
    last = "spoilt" if spoilt else at
    cleaned = [
        node
        for name in NAMES
        for node in (
            planted.node("IsNaN", name, f"{name}_missing"),
            planted.node("Where", f"{name}_missing zero {name}", f"{name}_known"),
            planted.node("Clip", f"{name}_known least most", f"{name}_read"),
        )
    ]
    nodes = [
        *cleaned,
        planted.node("Mul", "feature_2_read half", "second"),
        planted.node("Mul", "feature_3_read less", "third"),
        planted.node("Sum", "feature_1_read second third", "linear"),
        planted.node("Mul", "linear steep", "score"),
        *spoilt,
        planted.node("Sigmoid", last, "yes"),
        planted.node("Sub", "one yes", "no"),
        planted.node("Concat", "no yes", "probabilities", axis=1),
        planted.node("ArgMax", "probabilities", "label", axis=1, keepdims=0),
    ]
    constants: dict[str, NDArray[Any]] = {
        "least": np.array(-1e3, np.float32),
        "most": np.array(1e3, np.float32),
        "half": np.array([[0.5]], np.float32),
        "less": np.array([[-0.3]], np.float32),
        "steep": np.array([[4.0]], np.float32),
        "one": np.array([[1.0]], np.float32),
        "zero": np.array([[0.0]], np.float32),
        "top": np.array([[2.0]], np.float32),
        "single": np.array([1, 1], np.int64),
    }
    return planted.graph(nodes, SIGNATURE, constants)


NAN_ABOVE = [
    # log of a negative number where feature_1 is above 2
    planted.node("Sub", "top feature_1", "room"),
    planted.node("Log", "room", "logged"),
    planted.node("Mul", "logged zero", "nothing"),
    planted.node("Add", "score nothing", "spoilt"),
]
ONE_ROW_ONLY = [planted.node("Reshape", "score single", "spoilt")]


@dataclass(frozen=True)
class Bench:
    """The delivered project, whose integration_tests judges what a test puts there."""

    project: Project
    stores: Stores

    def judge(
        self, model: bytes, files: Mapping[str, bytes] | None = None, **changes: object
    ) -> Outcome:
        """Of this model, with further files, as the candidate of a run."""
        few = {name: np.linspace(-1, 1, 1, dtype=np.float32) for name in NAMES}
        registry = self.stores.registry
        run = runs.latest(registry.ledger)[0]
        training = registry.manifest(registry.version(run.model, 1))["training"]
        version = planted.version(
            registry, model, SIGNATURE, few, name=run.model, files=files, training=training
        )
        file = self.project.file
        planned = plan.make(read(file.read_text(), file.name), self.project.folder)
        step = planned.step(INTEGRATION)
        outcomes = {
            each.address: each.outcome
            for each in runs.steps(registry.ledger, run.id)
            if each.outcome is not None
        }
        registered = outcomes["train_model.register"]
        facts = {**registered.facts, "version": version.version}
        context = Context(
            scope=step.scope,
            run=replace(run, pinned=1),
            workspace=self.stores.workspace,
            registry=registry,
            outcomes={
                "train_model.train": outcomes["train_model.train"],
                "train_model.register": replace(registered, facts=facts),
            },
            open_rows=open_rows,
            open_table=open_table,
            say=lambda _: None,
        )
        task = msgspec.structs.replace(step.task, **changes)
        said = task.run(context)
        assert isinstance(said, Outcome)
        return said


@pytest.fixture
def bench(delivered: Project, stores: Callable[[Project], Stores]) -> Bench:
    return Bench(delivered, stores(delivered))


def measured(outcome: Outcome) -> dict[str, Any]:
    return {each.name: each for each in outcome.measures}


def test_a_good_run_reports_the_path_and_the_behaviour(delivered: Project) -> None:
    delivered.hyperparameters("n_estimators: 25\nlearning_rate: 0.2\nnum_leaves: 15\n")
    went = delivered.run()
    measures = went.measures("integration_tests")
    differs = measures["path.differs"]
    assert (differs["value"], differs["limit"], differs["n"]) == (0, 0, 600)
    assert (differs["direction"], differs["verdict"]) == ("at_most", "pass")
    assert measures["behaviour.batching"]["verdict"] == "pass"
    reason = went.reason("integration_tests")
    assert "through the serving code every row is answered alike" in reason
    assert "checks of behaviour pass" in reason
    assert "\n" not in reason
    assert went.verdict("integration_tests") == "pass"


def test_a_model_made_by_hand_passes_as_a_trained_one_does(bench: Bench) -> None:
    outcome = bench.judge(sigmoid())
    assert outcome.verdict is Verdict.PASS, outcome
    assert outcome.facts["held_out_bound"] == "accuracy"


def test_answers_that_are_no_numbers_fail_and_are_no_error(bench: Bench) -> None:
    outcome = bench.judge(sigmoid(*NAN_ABOVE))
    assert outcome.verdict is Verdict.FAIL
    assert "with a number that is not finite" in outcome.reason
    assert measured(outcome)["behaviour.finite"].verdict is Verdict.FAIL
    assert measured(outcome)["accuracy"].verdict is Verdict.FAIL
    assert "held_out_bound" not in outcome.facts
    # the path carries them faithfully: null, as the model said
    assert measured(outcome)["path.differs"].verdict is Verdict.PASS


def test_a_model_that_fails_on_a_batch_fails_and_is_no_error(bench: Bench) -> None:
    outcome = bench.judge(sigmoid(*ONE_ROW_ONLY))
    assert outcome.verdict is Verdict.FAIL
    assert "does not answer the rows of validation_data" in outcome.reason
    assert measured(outcome)["path.differs"].value == 600
    assert any("in a batch" in finding.what for finding in outcome.findings)


def test_behaviour_alone_can_fail_a_good_model(bench: Bench) -> None:
    """Its score is shifted by the mean over the batch: hardly, but not alike."""
    shifted = sigmoid(
        planted.node("ReduceMean", "score", "middle", keepdims=1),
        planted.node("Mul", "middle one", "moved"),
        planted.node("Add", "score moved", "spoilt"),
    )
    outcome = bench.judge(shifted, performance_threshold=0.6)
    assert outcome.verdict is Verdict.FAIL
    assert measured(outcome)["accuracy"].verdict is Verdict.PASS
    assert "checks of behaviour fail" in outcome.reason
    assert "batching" in outcome.reason
    asked_not = bench.judge(shifted, performance_threshold=0.6, model_tests=False)
    assert asked_not.verdict is Verdict.PASS
    assert not any(name.startswith("behaviour.") for name in measured(asked_not))


def test_the_noise_floor_stands_beside_the_comparison(bench: Bench) -> None:
    other = sigmoid(planted.node("Add", "score top", "spoilt"))
    outcome = bench.judge(sigmoid(), {"seed-2.onnx": other})
    floor = measured(outcome)["noise_floor.accuracy"]
    assert floor.verdict is Verdict.SKIP
    assert floor.value > 0.01
    assert "training again with another seed moves accuracy by about" in outcome.reason
    assert outcome.verdict is Verdict.PASS


def test_model_tests_of_their_own_ask_once(delivered: Project) -> None:
    delivered.edit(
        "      - integration_tests:\n", "      - model_tests: {}\n      - integration_tests:\n"
    )
    went = delivered.run()
    assert went.verdict("model_tests") == "pass"
    asked = "what every model must keep was asked by evaluate_model.model_tests"
    assert asked in went.reason("integration_tests")
    names = went.measures("integration_tests")
    assert not any(name.startswith("behaviour.") for name in names)
    assert "path.differs" in names


def test_the_plan_says_what_is_asked_and_where(fresh: Project) -> None:
    def demands() -> str:
        planned = plan.make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
        step = planned.step(INTEGRATION)
        return "\n".join(step.task.demands(step.scope))

    assert "sent as users send it through the serving code" in demands()
    assert "the checks of model_tests, on up to 1000 rows" in demands()
    fresh.edit("          compared_to: production_model\n", "          model_tests: false\n")
    assert "not asked, by `model_tests: false`" in demands()
    fresh.edit(
        "      - integration_tests:\n", "      - model_tests: {}\n      - integration_tests:\n"
    )
    assert "is asked by evaluate_model.model_tests" in demands()


def test_a_damaged_model_is_no_verdict(bench: Bench) -> None:
    registry = bench.stores.registry
    model = sigmoid()
    registry.blobs.path(registry.blobs.put(model)).write_bytes(b"")
    with pytest.raises(StoreError, match="no longer matches its digest"):
        bench.judge(model)
