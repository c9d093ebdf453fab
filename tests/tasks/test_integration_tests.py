"""Every validation row: good enough, no worse than production, and never seen in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seatrial.evidence.drawn import read
from seatrial.ledger import runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.conftest import Project

INTEGRATION = "evaluate_model.integration_tests"
UNIT = "evaluate_model.unit_tests"
WEAK = "n_estimators: 1\nlearning_rate: 0.1\nnum_leaves: 2\n"
LENIENT = (f"{INTEGRATION}.performance_threshold=0.6", f"{UNIT}.performance_threshold=0.6")
"""A bound that even a weak model meets, so that the comparison must decide."""


def test_a_bound_that_is_certainly_missed_fails(delivered: Project) -> None:
    went = delivered.run(f"{INTEGRATION}.performance_threshold=0.99")
    measure = went.measures("integration_tests")["accuracy"]
    assert measure["high"] < measure["limit"] == 0.99
    assert (measure["verdict"], measure["direction"], measure["n"]) == ("fail", "at_least", 600)
    assert (went.code, went.production) == (1, (1, 1))
    assert "limit 0.99" in went.reason("integration_tests")


def test_few_rows_are_inconclusive_and_say_how_many_more_would_do(fresh: Project) -> None:
    fresh.rows("validation_data", 40, 5)
    went = fresh.run(f"{INTEGRATION}.performance_threshold=0.9")
    measure = went.measures("integration_tests")["accuracy"]
    assert measure["low"] < measure["limit"] <= measure["high"]
    assert (went.code, went.document["state"]) == (3, "review")
    assert went.document["verdict"] == "inconclusive"
    (finding,) = went.task("integration_tests")["findings"]
    assert "more labelled rows would settle it" in finding["hint"]
    assert int(finding["hint"].split()[0]) > 0
    assert went.production == (None, None)
    assert went.task("promote")["state"] == "not_reached"


def test_a_model_that_meets_the_bound_but_is_clearly_worse_fails(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    delivered.hyperparameters(WEAK)
    went = delivered.run(*LENIENT)
    measures = went.measures("integration_tests")
    assert measures["accuracy"]["verdict"] == "pass"
    worse = measures["degradation.accuracy"]
    assert worse["low"] > worse["limit"] == 0.05
    assert (worse["verdict"], worse["direction"], worse["n"]) == ("fail", "at_most", 600)
    assert (went.code, went.production) == (1, (1, 1))
    assert "worse than version 1 on the same rows" in went.reason("integration_tests")
    # and what it answered can be drawn, beside production, when the rows are gone
    kept = stores(delivered)
    (step,) = (s for s in runs.steps(kept.ledger, went.run) if s.address == INTEGRATION)
    assert step.outcome is not None
    answers = read(kept.registry.blobs.get(step.outcome.blobs["answers"]))
    assert answers is not None
    assert (answers.candidate.version, answers.rows, answers.classes) == (2, 600, ("0", "1"))
    assert answers.production is not None
    assert answers.candidate.of_classes is not None
    counts = answers.candidate.of_classes.confusion
    assert (counts[0][0] + counts[1][1]) / 600 == measures["accuracy"]["value"]


def test_a_wider_margin_lets_it_through(delivered: Project) -> None:
    delivered.hyperparameters(WEAK)
    went = delivered.run(*LENIENT, f"{INTEGRATION}.margin=0.4")
    worse = went.measures("integration_tests")["degradation.accuracy"]
    assert (worse["limit"], worse["verdict"]) == (0.4, "pass")
    assert went.verdict("integration_tests") == "pass"


def test_the_margin_is_the_rollback_number(delivered: Project) -> None:
    delivered.hyperparameters(WEAK)
    went = delivered.run(
        *LENIENT, 'deploy_model.rollback_plan.auto_rollback_threshold="degradation > 0.3"'
    )
    assert went.measures("integration_tests")["degradation.accuracy"]["limit"] == 0.3


def test_a_comparison_on_few_rows_is_inconclusive(delivered: Project) -> None:
    delivered.hyperparameters("n_estimators: 6\nlearning_rate: 0.2\nnum_leaves: 4\n")
    delivered.rows("validation_data", 60, 5)
    went = delivered.run(*LENIENT)
    measure = went.measures("integration_tests")["degradation.accuracy"]
    assert measure["low"] <= measure["limit"] < measure["high"]
    assert (measure["verdict"], went.code) == ("inconclusive", 3)
    assert went.production == (1, 1)


def test_rows_that_were_trained_on_are_refused(fresh: Project) -> None:
    data = fresh.folder / "data"
    head, *training = (data / "training_data.csv").read_text().splitlines()
    honest = (data / "validation_data.csv").read_text().splitlines()[1:]
    (data / "validation_data.csv").write_text("\n".join([head, *honest[:500], *training[:100], ""]))
    went = fresh.run()
    assert (went.code, went.verdict("integration_tests")) == (1, "fail")
    assert "more than by chance" in went.reason("integration_tests")
    (finding,) = went.task("integration_tests")["findings"]
    assert "100 of 600 rows" in finding["what"]
    assert "validation_data" in finding["where"]
    assert went.production == (None, None)


def test_the_training_rows_themselves_are_refused(fresh: Project) -> None:
    went = fresh.run(f"{INTEGRATION}.dataset=training_data")
    assert (went.code, went.verdict("integration_tests")) == (1, "fail")
    assert "same rows" in went.reason("integration_tests")


def test_a_shared_key_is_refused(fresh: Project) -> None:
    """Other rows, but of one person that was trained on."""
    fresh.rows("training_data", 1500, 1, first_id=0)
    fresh.rows("validation_data", 600, 2, first_id=1499)
    fresh.baseline()
    declared = "{path: data/NAME.csv, target: target, key: id}"
    fresh.edit(
        "schedule:",
        "datasets:\n"
        + "".join(
            f"  {name}: {declared.replace('NAME', name)}\n"
            for name in ("training_data", "validation_data")
        )
        + "schedule:",
    )
    went = fresh.run("validate_data.check_distribution.columns=[feature_1]")
    assert (went.code, went.verdict("integration_tests")) == (1, "fail")
    assert "1 value of the key 'id'" in went.reason("integration_tests")
    fresh.rows("validation_data", 600, 2, first_id=1500)
    apart = fresh.run("validate_data.check_distribution.columns=[feature_1]")
    assert apart.verdict("integration_tests") == "pass"
    assert apart.code == 0


def test_fewer_rows_can_be_asked_for(delivered: Project) -> None:
    went = delivered.run(f"{INTEGRATION}.runs=200")
    assert went.measures("integration_tests")["accuracy"]["n"] == 200


def test_another_metric_decides_when_the_task_names_it(delivered: Project) -> None:
    text = delivered.file.read_text()
    delivered.file.write_text(f"{text}\nwatch: {{metric: neg_brier_score, margin: 0.02}}\n")
    went = delivered.run(f"{INTEGRATION}.metric=roc_auc", f"{UNIT}.performance_threshold=0.6")
    measures = went.measures("integration_tests")
    assert measures["roc_auc"]["verdict"] == "pass"
    assert measures["roc_auc"]["value"] > measures["roc_auc"]["low"] >= 0.82
    assert went.code == 0
