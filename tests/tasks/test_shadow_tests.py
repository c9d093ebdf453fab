"""With a model in production a candidate is judged on its traffic; without a gateway it stops."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from tests.tasks.traffic import HEALTHY, Clocked, Gateway, requests

from seatrial import plan as plans
from seatrial.cli import root
from seatrial.errors import FileError
from seatrial.evidence.agreement import Tally
from seatrial.pipeline.read import read_file
from seatrial.registry import shadows
from seatrial.tasks import shadow_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.tasks.conftest import Project, Went

pytestmark = pytest.mark.slow  # each is quick, and there are many

MODEL = "ml_model_training_pipeline"


def _retrain(project: Project) -> None:
    project.hyperparameters("n_estimators: 21\nlearning_rate: 0.2\nnum_leaves: 15\n")


def test_without_a_gateway_it_stops_and_can_be_resumed(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    _retrain(delivered)
    went = delivered.run()
    assert (went.code, went.document["verdict"]) == (5, None)
    assert went.document["state"] == "waiting"
    assert went.production == (1, 1)
    assert went.task("shadow_tests")["state"] == "waiting"
    assert "no gateway is running" in went.errors
    assert f"seatrial promote {MODEL} 2" in went.errors
    assert len(went.errors.splitlines()) <= 6
    assert went.task("promote")["state"] == "not_reached"
    again = delivered.run()
    assert (again.code, again.run) == (5, went.run)
    events = stores(delivered).ledger.events("step_started")
    started = [e.body["step"] for e in events if e.body["run"] == went.run]
    assert started.count("train_model.train") == 1
    assert started.count("evaluate_model.shadow_tests") == 2


def test_it_warns_at_the_start(delivered: Project) -> None:
    _retrain(delivered)
    went = delivered.run()
    notes = [i for i, line in enumerate(went.lines) if "needs the traffic" in line]
    first = next(i for i, line in enumerate(went.lines) if "validate_data.check_schema:" in line)
    assert notes
    assert notes[0] < first


def test_a_decision_by_hand_ends_the_question(
    delivered: Project, monkeypatch: pytest.MonkeyPatch, stores: Callable[[Project], Any]
) -> None:
    _retrain(delivered)
    stopped = delivered.run()
    monkeypatch.chdir(delivered.folder)
    words = ["promote", MODEL, "2", "--reason", "looked at it"]
    assert CliRunner().invoke(root, words, standalone_mode=False).exception is None
    went = delivered.run()
    assert (went.code, went.production) == (0, (2, 2))
    assert went.run != stopped.run
    assert [m["version"] for m in stores(delivered).registry.history()] == [1, 2]


def test_without_shadow_tests_the_offline_comparison_decides(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    delivered.edit(
        "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n", ""
    )
    _retrain(delivered)
    went = delivered.run()
    assert (went.code, went.production) == (0, (1, 2))
    assert went.measures("integration_tests")["degradation.accuracy"]["verdict"] == "pass"
    assert "version 1 is kept and whole" in went.reason("rollback_plan")
    assert stores(delivered).registry.previous(MODEL) == 1


HOURS = 48
SHADOW = "evaluate_model.shadow_tests"


@pytest.fixture(autouse=True)
def _no_last_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """These gateways have reported before the end."""
    monkeypatch.setattr(shadow_tests, "LAST_REPORT_S", 0.0)


@pytest.fixture
def clocked(delivered: Project) -> Clocked:
    """Version 1 is in production; the next run trains version 2."""
    made = Clocked(delivered)
    made.retrain()
    return made


@pytest.fixture
def gateway(clocked: Clocked) -> Iterator[Gateway]:
    """One that lives, and does what is asked of it."""
    with Gateway(clocked) as living:
        living.obey()
        yield living


def _ended(clocked: Clocked, gateway: Gateway, tally: Tally, *changes: str) -> Went:
    """A whole test in which this was counted."""
    assert clocked.run(*changes).code == 4
    gateway.count(tally)
    clocked.clock.move(hours=HOURS)
    return clocked.run(*changes)


def test_a_healthy_candidate_is_delivered_after_48_hours(
    clocked: Clocked, gateway: Gateway
) -> None:
    first = clocked.run()
    assert (first.code, first.document["state"]) == (4, "waiting")
    assert not [line for line in first.lines if "needs the traffic" in line]
    waits = first.task("shadow_tests")
    assert waits["waiting_until"] == (clocked.clock.time + timedelta(hours=HOURS)).isoformat()
    assert "version 2 answers 5 % of what version 1 is asked, at 1 gateway" in waits["reason"]
    (shadow,) = shadows.wanted(gateway.stores.ledger)
    assert (shadow.version, shadow.against, shadow.share_percent) == (2, 1, 5)
    gateway.count(replace(HEALTHY, seen=20_000))
    clocked.clock.move(hours=HOURS)
    went = clocked.run()
    assert (went.code, went.run, went.production) == (0, first.run, (1, 2)), went.document
    verdicts = {name: m["verdict"] for name, m in went.measures("shadow_tests").items()}
    assert verdicts == {
        "achieved_share": "pass",
        "errors": "pass",
        "service_time_ms.p95": "pass",
        "disagreement": "pass",
        "memory_mb": "skip",
        "degradation.accuracy": "pass",
    }
    assert "on 1000 of 20000 requests" in went.reason("shadow_tests")
    assert shadows.wanted(gateway.stores.ledger) == []
    assert "; 1 gateway serves it" in went.reason("promote")


def test_what_a_gateway_has_refused_is_not_tried_for_48_hours(clocked: Clocked) -> None:
    with Gateway(clocked) as refusing:

        def refuse(line: str) -> None:
            if line.startswith("train_model.register:"):
                refusing.say(2, "refused", "error libc: glibc 2.36 -> musl 1.2")

        went = clocked.run(say=refuse)
        assert (went.code, went.production) == (1, (1, 1))
        assert went.verdict("shadow_tests") == "fail"
        assert "refuses" in went.reason("shadow_tests")
        assert "musl 1.2" in went.reason("shadow_tests")
        assert shadows.wanted(refusing.stores.ledger) == []


def test_it_is_not_asked_before_its_deadline_and_survives_restarts(
    clocked: Clocked, gateway: Gateway
) -> None:
    began = clocked.run()
    gateway.count(HEALTHY)
    clocked.clock.move(hours=HOURS, seconds=-1)
    early = clocked.run()
    assert (early.code, early.run) == (4, began.run)
    waits = [went.task("shadow_tests")["waiting_until"] for went in (began, early)]
    assert waits[0] == waits[1]
    assert len(shadows.wanted(gateway.stores.ledger)) == 1
    clocked.clock.move(seconds=1)
    done = clocked.run()
    assert (done.run, done.task("shadow_tests")["state"]) == (began.run, "done")


def test_what_several_gateways_counted_adds_up_also_of_a_dead_one(
    clocked: Clocked, gateway: Gateway
) -> None:
    assert clocked.run().code == 4
    with Gateway(clocked, "G2") as other:
        other.count(replace(HEALTHY, seen=20_000))
        other.die()
    gateway.count(replace(HEALTHY, seen=20_000))
    clocked.clock.move(hours=HOURS)
    went = clocked.run()
    assert (went.code, went.production) == (0, (1, 2))
    assert "on 2000 of 40000 requests" in went.reason("shadow_tests")


def test_what_a_gateway_reports_right_after_the_end_counts(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow_tests, "LAST_REPORT_S", 30.0)
    assert clocked.run().code == 4
    gateway.count(Tally())
    gateway.last_count = replace(HEALTHY, seen=20_000)
    clocked.clock.move(hours=HOURS)
    assert "on 1000 of 20000 requests" in clocked.run().reason("shadow_tests")


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (replace(HEALTHY, compared=900, errors=100), "errors 0.1 "),
        (replace(HEALTHY, compared=900, nan=100), "errors 0.1 "),
        (replace(HEALTHY, disagreed=300), "disagreement 0.3 "),
    ],
)
def test_harm_on_live_traffic_stops_it(
    clocked: Clocked, gateway: Gateway, tally: Tally, told: str
) -> None:
    went = _ended(clocked, gateway, tally, f"{SHADOW}.traffic_percentage=100")
    assert (went.code, went.verdict("shadow_tests")) == (1, "fail")
    assert told in went.reason("shadow_tests")
    assert "which is harm" in went.reason("shadow_tests")
    assert went.production == (1, 1)
    assert went.task("promote")["state"] == "not_reached"


def test_more_errors_are_allowed_where_the_file_says_so(clocked: Clocked, gateway: Gateway) -> None:
    changes = (f"{SHADOW}.traffic_percentage=100", f"{SHADOW}.errors_percent=15")
    went = _ended(clocked, gateway, replace(HEALTHY, compared=900, errors=100), *changes)
    assert (went.code, went.measures("shadow_tests")["errors"]["limit"]) == (0, 0.15)


@pytest.mark.parametrize(
    ("tally", "told"),
    [
        (replace(HEALTHY, seen=40_000), "too much of the traffic was not compared"),
        (Tally(), "no request came"),
    ],
)
def test_too_little_traffic_proves_nothing_and_can_be_asked_again(
    clocked: Clocked, gateway: Gateway, tally: Tally, told: str
) -> None:
    went = _ended(clocked, gateway, tally)
    assert (went.code, went.verdict("shadow_tests")) == (3, "inconclusive")
    assert told in went.reason("shadow_tests")
    again = clocked.run()
    assert (again.code, again.run) == (4, went.run)
    (shadow,) = shadows.wanted(gateway.stores.ledger)
    assert shadow.id == f"{went.run}/{SHADOW}#2"
    gateway.count(replace(HEALTHY, seen=20_000))
    clocked.clock.move(hours=HOURS)
    assert clocked.run().production == (1, 2)


@pytest.mark.usefixtures("gateway")
def test_a_cancelled_run_ends_its_test(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    went = clocked.run()
    monkeypatch.chdir(clocked.project.folder)
    assert CliRunner().invoke(root, ["cancel", went.run]).exit_code == 0
    assert shadows.wanted(gateway.stores.ledger) == []


def test_production_that_was_moved_meanwhile_ends_it(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(context: Any) -> bool:
        del context
        return True

    assert clocked.run().code == 4
    gateway.count(HEALTHY)
    clocked.clock.move(hours=HOURS)
    with monkeypatch.context() as patched:  # a run that sees it at its start is superseded
        patched.setattr(shadow_tests, "_moved", moved)
        went = clocked.run()
    assert (went.code, went.verdict("shadow_tests")) == (3, "inconclusive")
    assert "production was moved meanwhile" in went.reason("shadow_tests")
    assert shadows.wanted(gateway.stores.ledger) == []


def test_a_gateway_that_restarts_does_not_end_the_test(clocked: Clocked) -> None:
    with Gateway(clocked) as first:
        assert clocked.run().code == 4
        first.count(replace(HEALTHY, seen=20_000))
    clocked.clock.move(hours=HOURS)
    went = clocked.run()
    assert (went.verdict("shadow_tests"), went.code) == ("pass", 0)


def test_labels_decide(clocked: Clocked, gateway: Gateway) -> None:
    """As often as the answers differ, production is right."""
    clocked.project.rows("training_data", 1500, 1, noise=1.5)
    clocked.project.baseline()
    relaxed = (
        "evaluate_model.integration_tests.margin=0.5",
        f"{SHADOW}.margin=0.02",
        f"{SHADOW}.traffic_percentage=100",
    )
    assert clocked.run(*relaxed).code == 4
    rows, ids, labels = requests(1500, seed=3)
    gateway.answer(rows, ids)
    gateway.label(ids, labels)
    gateway.count(replace(HEALTHY, disagreed=60))
    clocked.clock.move(hours=HOURS)
    went = clocked.run(*relaxed)
    measure = went.measures("shadow_tests")["degradation.accuracy"]
    assert measure["n"] == 1500
    assert measure["verdict"] == "fail", went.reason("shadow_tests")
    assert "worse on 1500 labelled rows" in went.reason("shadow_tests")
    assert (went.code, went.production) == (1, (1, 1))


def test_a_few_labels_do_not_stand_in_the_way(clocked: Clocked, gateway: Gateway) -> None:
    changes = (f"{SHADOW}.traffic_percentage=100", f"{SHADOW}.margin=0.02")
    assert clocked.run(*changes).code == 4
    rows, ids, labels = requests(10, seed=3)
    gateway.answer(rows, ids)
    gateway.label(ids, labels)
    gateway.count(replace(HEALTHY, disagreed=14))  # more than the margin: it proves nothing
    clocked.clock.move(hours=HOURS)
    went = clocked.run(*changes)
    measure = went.measures("shadow_tests")["degradation.accuracy"]
    assert (measure["n"], measure["verdict"]) == (10, "skip"), went.reason("shadow_tests")
    assert "10 labelled rows are too few" in went.reason("shadow_tests")


def test_without_labels_the_offline_comparison_stands(clocked: Clocked, gateway: Gateway) -> None:
    changes = ("evaluate_model.shadow_tests.metric=roc_auc", f"{SHADOW}.traffic_percentage=100")
    went = _ended(clocked, gateway, HEALTHY, *changes)
    measure = went.measures("shadow_tests")["degradation.roc_auc"]
    assert (went.code, measure["verdict"], measure["value"]) == (0, "skip", None)
    assert "no labels came; the offline comparison stands" in went.reason("shadow_tests")


def test_the_verdict_can_be_drawn_again(clocked: Clocked, gateway: Gateway) -> None:
    went = _ended(clocked, gateway, HEALTHY, f"{SHADOW}.traffic_percentage=100")
    events = gateway.stores.ledger.events("step_finished")
    (body,) = [e.body for e in events if (e.body["run"], e.body["step"]) == (went.run, SHADOW)]
    outcome: Any = body["outcome"]
    kept = json.loads(gateway.stores.registry.blobs.get(outcome["blobs"]["shadow"]))
    assert Tally.from_json(kept["tally"]) == HEALTHY
    assert kept["limits"]["errors"] == 0.01
    assert kept["course"]["compared"] == [0, 1000]
    measure = went.measures("shadow_tests")["disagreement"]
    assert (kept["course"]["low"][-1], kept["course"]["high"][-1]) == (
        measure["low"],
        measure["high"],
    )
    assert kept["offline"]["rows"] == 600


RECORDED = (f"{SHADOW}.source=recorded", f"{SHADOW}.traffic_percentage=100")


def test_recorded_traffic_is_judged_at_once(clocked: Clocked) -> None:
    with Gateway(clocked) as gateway:
        rows, ids, labels = requests(800, seed=3)
        gateway.answer(rows, ids)
        gateway.label(ids[:700], labels[:700])
    clocked.clock.move(hours=1)
    went = clocked.run(*RECORDED, f"{SHADOW}.margin=0.06")
    assert (went.code, went.production) == (0, (1, 2)), went.document
    measures = went.measures("shadow_tests")
    assert measures["disagreement"]["n"] == 800
    assert measures["degradation.accuracy"]["n"] == 700
    assert not [line for line in went.lines if "needs the traffic" in line]


def test_only_the_last_hours_and_the_share_are_looked_at(clocked: Clocked) -> None:
    rows, ids, _ = requests(400, seed=3)
    with Gateway(clocked) as gateway:
        gateway.answer(rows[:200], ids[:200])
        clocked.clock.move(hours=HOURS + 1)
        gateway.answer(rows[200:], ids[200:])
    clocked.clock.move(hours=1)
    went = clocked.run(RECORDED[0], f"{SHADOW}.traffic_percentage=50")
    share = went.measures("shadow_tests")["achieved_share"]
    assert share["n"] == 200
    assert 0.8 < share["value"] < 1.2


def test_without_recorded_traffic_nothing_is_proven(clocked: Clocked) -> None:
    went = clocked.run(*RECORDED)
    assert (went.code, went.verdict("shadow_tests")) == (3, "inconclusive")
    assert "no request to" in went.reason("shadow_tests")


def test_traffic_of_another_kind_fails_on_record(clocked: Clocked) -> None:
    """Requests near the edge between the classes: the versions differ far more than offline."""
    clocked.project.rows("training_data", 1500, 1, noise=1.5)
    clocked.project.baseline()
    rows, ids, _ = requests(800, seed=3)
    across = np.array([1.0, 0.5, -0.3], np.float32)
    rows -= 0.97 * np.outer(rows @ across / (across @ across), across)
    with Gateway(clocked) as gateway:
        gateway.answer(rows, ids)
    clocked.clock.move(hours=1)
    went = clocked.run(
        *RECORDED,
        "evaluate_model.integration_tests.margin=0.5",
        "evaluate_model.integration_tests.performance_threshold=0.6",
        "evaluate_model.unit_tests.performance_threshold=0.6",
        f"{SHADOW}.margin=0.05",
    )
    measure = went.measures("shadow_tests")["disagreement"]
    assert (went.code, measure["verdict"]) == (1, "fail"), went.reason("shadow_tests")


def test_redacted_columns_cannot_be_replayed_nor_paired(clocked: Clocked) -> None:
    text = clocked.project.file.read_text()
    clocked.project.file.write_text(f"{text}\nserving: {{redact: [feature_2]}}\n")
    with pytest.raises(FileError, match="never recorded: feature_2"):
        clocked.run(*RECORDED)
    plan = plans.make(read_file(clocked.project.file, ()), clocked.project.folder)
    step = plan.step(SHADOW)
    told = "\n".join(step.task.demands(step.scope))
    assert "feature_2 is never logged: labels cannot be paired" in told


def test_the_plan_names_every_limit(clocked: Clocked) -> None:
    plan = plans.make(read_file(clocked.project.file, ()), clocked.project.folder)
    step = plan.step(SHADOW)
    told = "\n".join(step.task.demands(step.scope))
    for part in ("5 % of live traffic for 48 hours", "0.8", "1 % errors", "2 times", "0.05"):
        assert part in told
