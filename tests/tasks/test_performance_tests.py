"""Quality by several metrics, on slices and on the worst one; time and memory beside it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from seatrial import plan
from seatrial.errors import FileError
from seatrial.evaluation.labelled import Labelled
from seatrial.ledger import runs
from seatrial.metrics import Predictions, get
from seatrial.pipeline.read import read
from seatrial.tasks._compared import broken_answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.tasks.conftest import Project, Went

    from seatrial.registry.project import Project as Stores

pytestmark = pytest.mark.slow  # each is quick, and there are many

WORD = "performance_tests"
INTEGRATION = """      - integration_tests:
          runs: full_validation_set
          performance_threshold: 0.82
          compared_to: production_model
"""
WEAK = "n_estimators: 1\nlearning_rate: 0.1\nnum_leaves: 2\n"
FEATURES = ("feature_1", "feature_2", "feature_3")


def _asks(project: Project, parameters: str) -> Project:
    """The project with ``performance_tests`` in the place of the tests before it."""
    text = project.file.read_text()
    begin, end = text.index("      - unit_tests"), text.index("      - shadow_tests")
    text = f"{text[:begin]}      - {WORD}: {{{parameters}}}\n{text[end:]}"
    project.file.write_text(text)
    return project


def _rows(file: Path, count: int, seed: int, *, weak: bool, holes: bool = False) -> None:
    """A fourth of the rows are of gate D, where chance decides when ``weak``."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 3))
    gate = np.array(list("ABCD"))[random.integers(0, 4, count)]
    y = (x @ np.array([1.0, 0.5, -0.3]) + random.normal(scale=0.2, size=count) > 0).astype(int)
    chance = (random.random(count) < 0.5).astype(int)
    y = np.where((gate == "D") & weak, chance, y)
    lines = [
        f"{a:.6f},{b:.6f},{c:.6f},{'' if holes and place < 12 else g},{t}"
        for place, ((a, b, c), g, t) in enumerate(zip(x.tolist(), gate, y.tolist(), strict=True))
    ]
    file.write_text("\n".join(["feature_1,feature_2,feature_3,gate,target", *lines, ""]))


@pytest.fixture
def gated(fresh: Project) -> Project:
    """The founding project with a fourth column that no check expects."""
    data = fresh.folder / "data"
    _rows(data / "training_data.csv", 1500, 1, weak=False)
    _rows(data / "validation_data.csv", 900, 2, weak=True, holes=True)
    fresh.baseline()
    return fresh


def _slices(went: Went) -> dict[str, Any]:
    return {n.partition(" on ")[2]: m for n, m in went.measures(WORD).items() if " on " in n}


def _findings(went: Went) -> str:
    return "\n".join(f"{f['what']} | {f['hint']}" for f in went.task(WORD)["findings"])


def test_a_good_model_passes_and_is_promoted_by_this_test_alone(fresh: Project) -> None:
    _asks(
        fresh,
        "metric: roc_auc, performance_threshold: 0.9, compared_to: production_model,"
        " metrics: {neg_log_loss: -0.5, expected_calibration_error: 0.2, average_precision: },"
        " slices: [{feature_1: [[null, 0], [0, null]]}], slice_threshold: 0.7, size_mb: 10",
    )
    fresh.file.write_text(
        f"{fresh.file.read_text()}\nwatch: {{metric: neg_brier_score, margin: 0.02}}\n"
    )
    went = fresh.run()
    assert (went.code, went.verdict(WORD), went.production) == (0, "pass", (None, 1)), went.errors
    measures = went.measures(WORD)
    assert measures["roc_auc"]["limit"] == 0.9
    assert measures["expected_calibration_error"]["direction"] == "at_most"
    assert measures["expected_calibration_error"]["verdict"] == "pass"
    assert measures["average_precision"]["low"] < measures["average_precision"]["value"]
    assert measures["average_precision"]["verdict"] == "skip"
    assert measures["degradation.roc_auc"]["verdict"] == "skip"
    halves = [measures[f"roc_auc on feature_1 {half}"] for half in ("< 0", ">= 0")]
    assert sum(half["n"] for half in halves) == 600
    assert {half["verdict"] for half in halves} == {"pass"}
    assert measures["latency_ms.p95"]["value"] > 0
    assert measures["size_mb"]["verdict"] == "pass"
    assert "nothing is in production yet" in went.reason(WORD)


def test_a_weak_slice_fails_and_is_said(gated: Project) -> None:
    _asks(gated, "performance_threshold: 0.6, slices: [gate], slice_threshold: 0.8")
    went = gated.run()
    assert (went.code, went.verdict(WORD), went.production) == (1, "fail", (None, None))
    slices = _slices(went)
    assert slices["gate = D"]["verdict"] == "fail"
    assert slices["gate = D"]["high"] < 0.8
    assert slices["gate = A"]["verdict"] == "pass"
    # some rows have no gate: too few, and nobody named them
    assert (slices["gate is missing"]["verdict"], slices["gate is missing"]["n"]) == ("skip", 12)
    found = _findings(went)
    assert "accuracy on gate = D is 0.4716 (0.4157 to 0.5281, at least 0.8 demanded)" in found
    assert "at least 0.8 demanded" in found
    assert "not judged: gate is missing (only 12 rows)" in found
    assert "accuracy is worst where gate = D: 0.4716 on 229 of 900 rows, 0.9" in found
    assert slices["the worst slice (gate = D)"]["verdict"] == "fail"
    assert "worst of 5 slices, gate = D" in went.reason(WORD)


def test_the_worst_slice_is_found_when_nobody_names_it(
    gated: Project, stores: Callable[[Project], Stores]
) -> None:
    _asks(gated, "performance_threshold: 0.6")
    went = gated.run()
    assert (went.code, went.verdict(WORD)) == (0, "pass"), went.document
    (worst,) = [m for name, m in went.measures(WORD).items() if "the worst slice" in name]
    assert worst["name"] == "accuracy on the worst slice (gate = D)"
    assert (worst["limit"], worst["verdict"]) == (None, "skip")
    assert "worse than the rest beyond chance: gate = D" in went.reason(WORD)
    opened = stores(gated)
    steps = runs.steps(opened.ledger, went.run)
    outcome = next(step.outcome for step in steps if step.address.endswith(WORD))
    assert outcome is not None
    kept = json.loads(opened.registry.blobs.get(outcome.blobs["slices"]))
    assert kept["worst"]["name"] == "gate = D"
    assert kept["worst"]["beyond_chance"] is True
    assert sum(kept["worst"]["labels"].values()) == kept["worst"]["rows"] == worst["n"]


def test_without_a_search_nothing_is_searched(gated: Project) -> None:
    _asks(gated, "performance_threshold: 0.6, worst_slice: false")
    assert not _slices(gated.run())


def test_a_named_slice_without_rows_is_not_settled(gated: Project) -> None:
    _asks(gated, "performance_threshold: 0.6, slices: [{gate: [A, d]}], slice_threshold: 0.5")
    went = gated.run()
    assert (went.code, went.verdict(WORD)) == (3, "inconclusive")
    measure = _slices(went)["gate = d"]
    assert (measure["n"], measure["value"], measure["verdict"]) == (0, None, "inconclusive")
    assert "gate = d is not settled: no row has gate = d; nearest: D" in _findings(went)
    assert "add such rows, or take the slice out of `slices:`" in _findings(went)


def test_a_metric_without_a_value_is_not_settled(gated: Project) -> None:
    _asks(
        gated,
        "performance_threshold: 0.6, metric: roc_auc, slices: [target, {target: [1]}],"
        " slice_threshold: 0.5, worst_slice: false",
    )
    went = gated.run()
    assert went.verdict(WORD) == "inconclusive"
    verdicts = [m["verdict"] for m in went.task(WORD)["measures"] if " on target" in m["name"]]
    # what the column gives is told; what was named (and is the same rows) is judged once
    assert sorted(verdicts) == ["inconclusive", "skip"]
    assert "every row is of the same class" in _findings(went)


def test_a_worse_model_fails_by_the_comparison_and_says_where(delivered: Project) -> None:
    delivered.hyperparameters(WEAK)
    _asks(
        delivered,
        "performance_threshold: 0.6, compared_to: production_model,"
        " metrics: {roc_auc: , neg_log_loss: }, margins: {neg_log_loss: 0.5},"
        " slices: [{feature_1: [[null, 0], [0, null]]}], worst_slice: false",
    )
    went = delivered.run()
    assert (went.code, went.verdict(WORD), went.production) == (1, "fail", (1, 1))
    measures = went.measures(WORD)
    worse = measures["degradation.accuracy"]
    assert worse["low"] > worse["limit"] == 0.05  # the rollback number
    assert measures["degradation.roc_auc"]["limit"] == 0.05
    assert measures["degradation.neg_log_loss"]["limit"] == 0.5
    beside = measures["degradation.accuracy on feature_1 < 0"]
    assert beside["value"] > 0
    assert (beside["limit"], beside["verdict"]) == (None, "skip")
    assert "worse than version 1 on the same rows" in went.reason(WORD)


def test_without_a_demand_everything_is_reported_and_nothing_is_proven(fresh: Project) -> None:
    _asks(fresh, "metrics: {roc_auc: }")
    went = fresh.run()
    assert went.verdict(WORD) == "skip"
    assert "nothing is demanded" in went.reason(WORD)
    assert went.measures(WORD)["roc_auc"]["low"] > 0.5
    assert went.verdict("promote") == "inconclusive"


def test_the_same_seed_says_the_same(gated: Project) -> None:
    _asks(gated, "metric: average_precision, metrics: {f1: }, slices: [gate]")
    first, second = gated.run(), gated.run("evaluate_model.performance_tests.size_mb=100")
    quality = [
        {
            name: (m["value"], m["low"], m["high"])
            for name, m in went.measures(WORD).items()
            if not name.startswith(("latency", "throughput", "memory", "size", "degradation"))
        }
        for went in (first, second)
    ]
    assert quality[0] == quality[1]


def test_rows_that_were_trained_on_are_refused(fresh: Project) -> None:
    _asks(fresh, "performance_threshold: 0.8, dataset: training_data")
    went = fresh.run()
    assert (went.code, went.verdict(WORD)) == (1, "fail")
    assert "same rows" in went.reason(WORD)


def test_a_column_that_is_not_there_is_told_with_the_nearest(gated: Project) -> None:
    _asks(gated, "slices: [gat]")
    went = gated.run()
    assert went.code == 2
    assert "no column 'gat' to slice by" in went.errors
    assert "nearest: gate" in went.errors
    assert "pipeline.yaml:" in went.errors


def test_a_value_that_the_column_cannot_hold_is_told(gated: Project) -> None:
    _asks(gated, "slices: [{feature_1: [high]}]")
    went = gated.run()
    assert went.code == 2
    assert "feature_1 holds numbers: 'high' is none" in went.errors


def test_answers_that_are_no_numbers_fail() -> None:
    rows = Labelled("rows", {}, np.array([0, 1, 0]), get("roc_auc"), None)
    p = np.array([[0.5, 0.5], [np.nan, np.nan], [1, 0]])
    broken = broken_answers(rows, Predictions(np.array([0, 1, 0]), p, (0, 1)))
    assert broken is not None
    assert broken.verdict.value == "fail"
    assert broken.reason == "the model answers 1 of 3 rows with a number that is not finite"
    assert "first row 2" in broken.findings[0].what
    assert broken_answers(rows, Predictions(np.array([0, 1, 0]), None, (0, 1))) is None


@pytest.mark.parametrize(
    ("parameters", "what", "more"),
    [
        ("metrics: {roc_acu: 0.5}", "roc_acu", "nearest: roc_auc"),
        ("metric: roc_acu", "roc_acu", "nearest: roc_auc"),
        ("metric: roc_auc, metrics: {r2: }", "r2 is for numbers", "problem of classes"),
        ("metric: f1, metrics: {f1: 0.5}", "f1 is the primary metric already", "as `perf"),
        ("metrics: {neg_log_loss: 0.45}", "neg_log_loss is never above 0", "write -0.45"),
        ("metrics: {f1: 82}", "f1 lies between 0 and 1, so 82", "in that range"),
        ("metric: roc_auc, slice_threshold: 70", "so 70 is no limit", "between 0 and 1"),
        ("performance_threshold: 82", "82 is no limit", "write 0.82"),
        ("margins: {f1: 0.1}, metrics: {f2: }", "a margin for f1", "not among `metrics`"),
        ("slice_threshold: 0.7, worst_slice: false", "no slice to hold", "name some"),
        ("slices: [{feature_1: [[3, 1]]}]", "ends before it begins", "slices: [origin"),
        ("slices: feature_1", "`slices` of performance_tests cannot be", "a list"),
        ("latency: {p95: 5}", "does not know the key 'p95'", "nearest: p95_ms"),
        (
            "metric: neg_log_loss, compared_to: production_model",
            "rollback number does not fit",
            "",
        ),
    ],
)
def test_mistakes_are_told_with_their_place(
    fresh: Project, parameters: str, what: str, more: str
) -> None:
    text = _asks(fresh, parameters).file.read_text()
    if not more:  # the rollback plan gives a margin, without it there is none
        text = text[: text.index("      - rollback_plan")]
        what = "neg_log_loss has no natural margin"
    with pytest.raises(FileError) as refused:
        plan.make(read(text, "pipeline.yaml"), fresh.folder)
    (told,) = [str(each) for each in refused.value.mistakes if what in str(each)]
    assert more in told
    assert "pipeline.yaml:" in told


def test_the_plan_says_what_is_demanded_and_what_is_only_reported(fresh: Project) -> None:
    _asks(
        fresh,
        "metric: roc_auc, performance_threshold: 0.9, compared_to: production_model,"
        " metrics: {expected_calibration_error: 0.05, neg_log_loss: },"
        " slices: [feature_1, {feature_2: [[0, 1]], feature_3: [[0, 1], [1, 2]]}],"
        " slice_threshold: 0.7, latency: {p95_ms: 5}",
    )
    made = plan.make(read(fresh.file.read_text(), "pipeline.yaml"), fresh.folder)
    step = next(step for step in made.steps if step.scope.entry.word == WORD)
    lines = "\n".join(step.task.demands(step.scope))
    for line in (
        "roc_auc at least 0.9 on 600 rows of validation_data (lower 95 % bound)",
        "roc_auc must come out at",
        "expected_calibration_error at most 0.05 (upper bound)",
        "neg_log_loss is reported",
        "at most 0.05 in roc_auc, 0.05 in expected_calibration_error worse than production",
        "without a margin only told: neg_log_loss",
        "slices by feature_1, feature_2 (1 value) and feature_3 (2 values): at least 0.7 on each",
        "the worst slice by one or two features, corrected for the search: fails when",
        "p95 at most 5 ms",
        "no rows of validation_data were trained on",
    ):
        assert line in lines


def test_numbers_are_judged_by_their_metrics_and_sliced_by_quarters(fresh: Project) -> None:
    random = np.random.default_rng(5)
    for name, count in (("training_data", 1200), ("validation_data", 600)):
        x = random.normal(size=(count, 3)).round(6)
        y = x @ np.array([2.0, 1.0, -1.0]) + random.normal(scale=0.5, size=count)
        lines = [
            ",".join(map(repr, [*row, t])) for row, t in zip(x.tolist(), y.tolist(), strict=True)
        ]
        text = "\n".join(["feature_1,feature_2,feature_3,target", *lines, ""])
        (fresh.folder / "data" / f"{name}.csv").write_text(text)
    fresh.baseline()
    _asks(
        fresh,
        "performance_threshold: 0.6, metrics: {neg_mean_absolute_error: -1.5,"
        " neg_median_absolute_error: }, slices: [feature_1]",
    )
    went = fresh.run()
    assert went.verdict(WORD) == "pass", went.reason(WORD)
    measures = went.measures(WORD)
    assert measures["r2"]["verdict"] == "pass"
    assert measures["neg_mean_absolute_error"]["verdict"] == "pass"
    assert measures["neg_median_absolute_error"]["low"] < 0
    quarters = [
        m for name, m in measures.items() if name.startswith("r2 on ") and "worst" not in name
    ]
    assert sum(quarter["n"] for quarter in quarters) == 600
    assert len(quarters) == 4


def test_many_classes_that_are_words_are_judged_too(fresh: Project) -> None:
    random = np.random.default_rng(6)
    for name, count in (("training_data", 1200), ("validation_data", 600)):
        x = random.normal(size=(count, 3)).round(6)
        y = np.array(["high", "low", "middle"])[np.digitize(x[:, 0], [-0.5, 0.5])]
        lines = [f"{a},{b},{c},{t}" for (a, b, c), t in zip(x.tolist(), y, strict=True)]
        text = "\n".join(["feature_1,feature_2,feature_3,target", *lines, ""])
        (fresh.folder / "data" / f"{name}.csv").write_text(text)
    fresh.baseline()
    _asks(
        fresh,
        "performance_threshold: 0.6, metrics: {f1_macro: 0.6, neg_log_loss: },"
        " slices: [target, {feature_1: [[null, -0.5], [-0.5, 0.5]]}], slice_threshold: 0.5",
    )
    went = fresh.run()
    assert went.verdict(WORD) == "pass", went.reason(WORD)
    assert {"target = high", "target = low", "target = middle"} <= set(_slices(went))
    refused = fresh.run("evaluate_model.performance_tests.metrics={f1: 0.6}")
    assert refused.code == 2
    assert "f1 needs two classes, the model knows 3" in refused.errors
