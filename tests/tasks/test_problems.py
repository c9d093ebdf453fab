"""Numbers, and more than two classes that are words: the same file, other data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sklearn.datasets import load_diabetes, load_iris

import seatrial

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """name: real_data
stages:
  - name: validate_data
    tasks:
      - check_schema: {dataset: training_data}
  - name: train_model
    tasks:
      - train:
          model_type: gradient_boosted
          data: validated_training_data
          hyperparameters: {n_estimators: 20, min_data_in_leaf: 5}
      - register: {}
  - name: evaluate_model
    tasks:
      - integration_tests:
          performance_threshold: LIMIT
          compared_to: production_model
          margin: 0.2
  - name: deploy_model
    condition: all_previous_stages_passed
    tasks:
      - promote: {}
"""


def _write(file: Path, rows: Any, target: Any) -> None:
    head = ",".join([*(f"x{i}" for i in range(rows.shape[1])), "target"])
    lines = [",".join([*map(repr, x), str(y)]) for x, y in zip(rows.tolist(), target, strict=True)]
    file.write_text("\n".join([head, *lines, ""]))


def _project(folder: Path, rows: Any, target: Any, limit: float) -> Path:
    """Every third row judges."""
    (folder / "data").mkdir()
    held = [place % 3 == 0 for place in range(len(rows))]
    for name, chosen in (("training_data", [not h for h in held]), ("validation_data", held)):
        _write(folder / "data" / f"{name}.csv", rows[chosen], target[chosen])
    (folder / "pipeline.yaml").write_text(PIPELINE.replace("LIMIT", str(limit)))
    return folder / "pipeline.yaml"


def _integration(document: dict[str, Any]) -> dict[str, Any]:
    task = document["stages"][2]["tasks"][0]
    return {measure["name"]: measure for measure in task["measures"]}


def _numbers() -> tuple[Any, Any]:
    return load_diabetes(return_X_y=True)  # type: ignore[no-any-return]


def _classes() -> tuple[Any, Any]:
    iris = load_iris()
    return iris.data, iris.target_names[iris.target]


def test_numbers_are_judged_by_r2(tmp_path: Path) -> None:
    file = _project(tmp_path, *_numbers(), limit=0.1)
    first = seatrial.run(file)
    assert first.exit_code == 0, first.document
    bound = _integration(first.document)["r2"]
    assert bound["low"] >= 0.1
    assert bound["value"] < 0.9
    second = seatrial.run(
        file, ["train_model.train.hyperparameters={n_estimators: 25, min_data_in_leaf: 5}"]
    )
    compared = _integration(second.document)["degradation.r2"]
    assert (second.exit_code, compared["verdict"]) == (0, "pass")
    assert second.document["production"] == {"before": 1, "after": 2}


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "neg_log_loss"])
def test_three_classes_that_are_words(tmp_path: Path, metric: str) -> None:
    file = _project(tmp_path, *_classes(), limit=-0.9 if metric == "neg_log_loss" else 0.7)
    went = seatrial.run(file, [f"evaluate_model.integration_tests.metric={metric}"])
    assert went.exit_code == 0, went.document
    bound = _integration(went.document)[metric]
    assert bound["low"] <= bound["value"] <= bound["high"]


def test_a_metric_for_two_classes_is_refused_for_three(tmp_path: Path) -> None:
    file = _project(tmp_path, *_classes(), limit=0.7)
    went = seatrial.run(file, ["evaluate_model.integration_tests.metric=roc_auc"])
    assert went.exit_code == 2
    assert went.error is not None
    assert "two classes" in str(went.error)
    assert went.document["production"] == {"before": None, "after": None}


def test_a_model_that_cannot_be_exported_is_refused_each_time(tmp_path: Path) -> None:
    rows, target = load_iris(return_X_y=True)
    file = _project(tmp_path, rows, target, 0.8)
    for data in (tmp_path / "data").iterdir():
        data.write_text(data.read_text().replace("x0", "probabilities", 1))
    for _ in range(2):  # a refusal is not re-used: nothing of it was kept
        driven = seatrial.run(file)
        assert driven.exit_code == 1, driven.error
        register: Any = driven.document["stages"][1]["tasks"][1]  # type: ignore[index]
        assert register["verdict"] == "fail"
        assert "cannot be exported" in register["reason"]


def test_numbers_without_a_stated_margin_are_no_comparison(tmp_path: Path) -> None:
    rows, target = load_diabetes(return_X_y=True)
    file = _project(tmp_path, rows, target, 0.0)
    file.write_text(file.read_text().replace("          margin: 0.2\n", ""))
    driven = seatrial.run(file)
    assert driven.exit_code == 2
    assert "r2 has no natural margin" in str(driven.error)
    assert "pipeline.yaml:17:11" in str(driven.error)
    assert driven.document["production"] == {"before": None, "after": None}
