"""A plan says what would run, what each gate demands and what it can prove; or every mistake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from seatrial import extend, plan
from seatrial.data.dataset import Dataset
from seatrial.data.profiles import profile
from seatrial.data.table import open_table
from seatrial.errors import FileError
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from seatrial.plan import Plan

FOUNDING = (Path(__file__).parents[1] / "pipelines" / "founding.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The founding project with 60 rows to train on and 40 to judge with."""
    (tmp_path / "data").mkdir()
    (tmp_path / "config").mkdir()
    for name, rows in (("training_data", 60), ("validation_data", 40)):
        lines = [f"{i},{i * 7 % 11},{i * 5 % 13},{i % 2}" for i in range(rows)]
        text = "\n".join(["feature_1,feature_2,feature_3,target", *lines, ""])
        (tmp_path / "data" / f"{name}.csv").write_text(text)
    (tmp_path / "config" / "hyperparameters.yaml").write_text("num_leaves: 15\n")
    table = open_table(Dataset("training_data", tmp_path / "data" / "training_data.csv"))
    profile.write(profile.make(table), tmp_path / "baseline_distribution.json")
    return tmp_path


def _plan(folder: Path, text: str = FOUNDING, *changes: str) -> Plan:
    return plan.make(read(text, "pipeline.yaml", changes), folder)


def _mistakes(folder: Path, text: str, *changes: str) -> list[str]:
    with pytest.raises(FileError) as refused:
        _plan(folder, text, *changes)
    return [str(mistake) for mistake in refused.value.mistakes]


def _demands(made: Plan, word: str) -> str:
    step = next(step for step in made.steps if step.scope.entry.word == word)
    return "\n".join(step.task.demands(step.scope))


def test_the_steps_stand_in_the_order_of_the_file(folder: Path) -> None:
    assert [step.address for step in _plan(folder).steps] == [
        "validate_data.check_schema",
        "validate_data.check_distribution",
        "train_model.train",
        "train_model.register",
        "evaluate_model.unit_tests",
        "evaluate_model.integration_tests",
        "evaluate_model.shadow_tests",
        "deploy_model.promote",
        "deploy_model.rollback_plan",
    ]


def test_parameters_are_typed_and_defaults_are_there(folder: Path) -> None:
    tasks = {step.address: step.task for step in _plan(folder).steps}
    integration = tasks["evaluate_model.integration_tests"]
    assert getattr(integration, "performance_threshold", None) == 0.82
    assert getattr(integration, "dataset", None) == "validation_data"
    schema = tasks["validate_data.check_schema"]
    assert getattr(schema, "expected_columns", None) == ("feature_1", "feature_2", "feature_3")
    with pytest.raises(AttributeError):
        schema.dataset = "other"  # type: ignore[attr-defined]


def test_a_change_is_planned(folder: Path) -> None:
    made = _plan(folder, FOUNDING, "evaluate_model.unit_tests.runs=80")
    step = made.step("evaluate_model.unit_tests")
    assert getattr(step.task, "runs", None) == 80
    assert "80 rows" in _demands(made, "unit_tests")


def test_every_gate_says_what_it_demands(folder: Path) -> None:
    made = _plan(folder)
    assert "at most 0.1 nats" in _demands(made, "check_distribution")
    assert "1e-5" in _demands(made, "register")
    assert "metric at least 0.82 on 40 rows of validation_data" in _demands(
        made, "integration_tests"
    )
    assert "0.05 worse than production" in _demands(made, "integration_tests")
    assert "5 % of live traffic for 48 hours" in _demands(made, "shadow_tests")
    assert "margin 0.05" in _demands(made, "rollback_plan")
    for step in made.steps:
        assert list(step.task.demands(step.scope)), step.address


def test_it_says_what_the_rows_at_hand_can_prove(folder: Path) -> None:
    """By the exact binomial bound: 37 of 40 give 0.818, and 38 of 40 give 0.851."""
    made = _plan(folder)
    assert "with 40 rows accuracy must come out at 0.950 to prove 0.82" in _demands(
        made, "integration_tests"
    )
    strict = _plan(folder, FOUNDING, "evaluate_model.integration_tests.performance_threshold=0.97")
    assert "with 40 rows no value of accuracy proves 0.97" in _demands(strict, "integration_tests")


def test_the_smoke_rule_is_said_plainly(folder: Path) -> None:
    smoke = _demands(_plan(folder), "unit_tests")
    assert "fails only when the metric is certainly below 0.85" in smoke
    alone = FOUNDING.replace("          performance_threshold: 0.82\n", "")
    ordinary = _demands(_plan(folder, alone), "unit_tests")
    assert "smoke" not in ordinary
    assert "with 50 rows accuracy must come out at 0.940 to prove 0.85" in ordinary


def test_a_metric_of_which_less_is_better_is_held_from_above(folder: Path) -> None:
    words = "metric: expected_calibration_error\nwatch: {metric: neg_brier_score, margin: 0.05}\n"
    made = _plan(folder, FOUNDING.replace("stages:", f"{words}stages:", 1))
    demanded = _demands(made, "integration_tests")
    assert "expected_calibration_error at most 0.82 on 40 rows of validation_data" in demanded
    assert "(upper 95 % bound)" in demanded
    smoke = _demands(made, "unit_tests")
    assert "only when expected_calibration_error is certainly above 0.85" in smoke


def test_a_promotion_without_a_bound_is_foretold(folder: Path) -> None:
    text = FOUNDING.replace("          performance_threshold: 0.82\n", "")
    assert "WILL BE INCONCLUSIVE" in _demands(_plan(folder, text), "promote")
    assert "WILL BE INCONCLUSIVE" not in _demands(_plan(folder), "promote")


def test_all_mistakes_are_told_at_once(folder: Path) -> None:
    text = (
        FOUNDING.replace("threshold: 0.1 #", "treshold: 0.1 #")
        .replace("runs: 50 #", "runs: many #")
        .replace("performance_threshold: 0.82", "performance_threshold: 82")
        .replace("model_type: gradient_boosted", "model_type: gradient_bosted")
        .replace("degradation > 0.05", "degradation >= 5%")
        .replace("data: validated_training_data", "data: validated_validation_data")
        .replace("condition: all_previous_stages_passed", "condition: all_previous_stage_passed")
    )
    told = _mistakes(folder, text)
    for part in (
        "treshold", "cannot be 'many'", "82 is no limit", "gradient_bosted", "degradation >= 5%",
        "used before a check", "all_previous_stage_passed",
    ):  # fmt: skip
        assert any(part in mistake for mistake in told), (part, told)
    for mistake in told:
        assert "pipeline.yaml:" in mistake
        assert len(mistake.splitlines()) <= 6


@pytest.mark.parametrize(
    ("old", "new", "what", "rest"),
    [
        ("ing_data\n          ref", "in_data\n          ref", "trainin_data", "training_data"),
        ("reference: baseline_distribution.json", "reference: base.json", "base.json",
         "seatrial profile data/training_data.csv -o base.json"),
        ("config/hyperparameters.yaml", "config/hyperparameter.yaml", "hyperparameter.yaml",
         "hyperparameters.yaml"),
        ("traffic_percentage: 5", "traffic_percentage: 500", "traffic_percentage", "at most 100"),
        ("runs: 50 #", "runs: 0 #", "runs", "at least 1"),
        ("performance_threshold: 0.85", "performance_threshold: high", "performance_threshold",
         "a number"),
        ("performance_threshold: 0.82", "performance_threshold: 0.82\n          metric: acuracy",
         "acuracy", "accuracy"),
        ("runs: full_validation_set", "metric: neg_log_loss", "neg_log_loss", "-0.82"),
        ("trained_model_v{version}", "trained_model_v{number}", "{number}", "{version}"),
        ("          duration_hours: 48\n", "", "duration_hours", "add `duration_hours"),
        ("target: production", "target: prod", "target", "production"),
        ("previous_version: retained", "previous_version: kept", "previous_version", "retained"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_fix(folder: Path, old: str, new: str, what: str, rest: str) -> None:
    assert old in FOUNDING
    told = _mistakes(folder, FOUNDING.replace(old, new))
    assert any(what in mistake and rest in mistake for mistake in told), told


def test_an_unknown_hyperparameter_is_named_with_its_line(folder: Path) -> None:
    file = folder / "config" / "hyperparameters.yaml"
    file.write_text("num_leaves: 15\nlerning_rate: 0.1\nmax_depth: deep\n")
    told = _mistakes(folder, FOUNDING)
    assert any("lerning_rate" in m and ":2:" in m and "learning_rate" in m for m in told), told
    assert any("max_depth" in m and ":3:" in m for m in told), told


def test_a_step_is_found_by_its_address(folder: Path) -> None:
    made = _plan(folder)
    assert made.step("deploy_model.promote").scope.stage == "deploy_model"
    with pytest.raises(FileError, match=r"deploy_model\.promote"):
        made.step("deploy_model.promot")


def test_the_schema_takes_the_founding_file_and_knows_every_word() -> None:
    shape = plan.file_schema()
    jsonschema.Draft202012Validator.check_schema(shape)
    jsonschema.validate(yaml.safe_load(FOUNDING), shape)
    text = str(shape)
    assert all(f"'{word}'" in text for word in extend.names("tasks"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("threshold: 0.1 #", "treshold: 0.1 #"),
        ("runs: 50 #", "runs: many #"),
        ("- promote:", "- promot:"),
        ("traffic_percentage: 5", "traffic_percentage: 500"),
        ("name: ml_model_training_pipeline", "nam: ml_model_training_pipeline"),
        ("          duration_hours: 48\n", ""),
    ],
)
def test_the_schema_refuses(old: str, new: str) -> None:
    assert old in FOUNDING
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(FOUNDING.replace(old, new)), plan.file_schema())


FOLLOWED = {
    "no mean over rows": ("metric: roc_auc\n", "roc_auc is no mean over rows", "neg_brier_score"),
    "unknown": ("watch: {metric: neg_brier}\n", "no such metric", "nearest: neg_brier_score"),
    "a margin beyond reach": ("watch: {margin: 1.5}\n", "a margin of 1.5 is more than", "smaller"),
}


@pytest.mark.parametrize("case", FOLLOWED)
def test_a_watch_that_could_see_nothing_is_a_mistake(folder: Path, case: str) -> None:
    text, what, fix = FOLLOWED[case]
    (mistake,) = _mistakes(folder, FOUNDING + "\n" + text)
    assert "the watch cannot follow" in mistake
    assert what in mistake
    assert fix in mistake
    assert "where: pipeline.yaml:" in mistake


def test_another_metric_can_be_followed_than_the_primary_one(folder: Path) -> None:
    text = FOUNDING + "\nmetric: roc_auc\nwatch: {metric: neg_brier_score, margin: 0.02}\n"
    said = _demands(_plan(folder, text), "rollback_plan")
    assert "by neg_brier_score on the same labelled requests (rule balanced, margin 0.02)" in said


def test_a_threshold_that_is_a_number_is_told_how_it_reads(folder: Path) -> None:
    text = FOUNDING.replace("degradation > 0.05", "0.05")
    (mistake,) = _mistakes(folder, text)
    assert "such as degradation > 0.05" in mistake


def test_what_the_rule_does_near_its_margin_is_told(folder: Path) -> None:
    said = _demands(_plan(folder), "rollback_plan")
    assert "watched for 48 hours" in said
    assert "rolled back within 20 000 labels: " in said
    assert " of versions 0.03 worse, " in said
    assert "certain beyond 0.06" in said
    assert "never more than 0.025 worse is rolled back with a probability of at most 5 %" in said
