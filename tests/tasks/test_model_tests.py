"""`model_tests` from the file in: what every model must keep, and what is declared of this one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from behaving import FILLED, TWO_CLASSES, graph, node
from seatrial.registry.opened import files_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.conftest import Project, Went

    from seatrial.registry.project import Project as Stores

WORD = "model_tests"
ADDRESS = f"evaluate_model.{WORD}"
ALWAYS = {
    "shape", "finite", "known_labels", "probabilities", "most_probable", "batching", "repeatable",
    "missing_values", "unknown_categories", "extreme_input", "empty_input", "save_and_load",
    "exported",
}  # fmt: skip


def behaved(project: Project, parameters: str = "{}", *changes: str) -> Went:
    """Run the founding file with a ``model_tests`` before the others."""
    project.edit(
        "    tasks:\n      - unit_tests:",
        f"    tasks:\n      - {WORD}: {parameters}\n      - unit_tests:",
    )
    return project.run(*changes)


def hints(went: Went) -> str:
    return "\n".join(
        f"{f['what']} | {f['where']} | {f['hint']}" for f in went.task(WORD)["findings"]
    )


def test_a_trained_model_behaves_and_goes_on_to_production(fresh: Project) -> None:
    went = behaved(fresh)
    assert went.verdict(WORD) == "pass", went.reason(WORD)
    measures = went.measures(WORD)
    assert {name.partition(".")[2] for name in measures} == {*ALWAYS, "float32_ends", "noise"}
    decided = {name: m for name, m in measures.items() if m["verdict"] != "skip"}
    assert all(m["verdict"] == "pass" and m["direction"] == "at_most" for m in decided.values())
    assert measures["behaviour.missing_values"]["n"] == 4 * 600
    assert measures["behaviour.exported"]["limit"] == 1e-5
    assert measures["behaviour.noise"]["limit"] is None
    assert went.reason(WORD).endswith("checks pass on 600 rows of validation_data")
    assert went.code == 0


def test_declarations_that_hold_pass_and_say_how_surely(fresh: Project) -> None:
    fresh.rows("validation_data", 4000, 3)
    went = behaved(
        fresh,
        "{rows: 3000, increasing_in: [feature_1, {column: feature_2, tolerance: 0.02}],"
        " decreasing_in: [{column: feature_3, class: 1, tolerance: 0.02, rows: 500}],"
        " noise: {share: 0.001, limit: 0.02}}",
    )
    assert went.verdict(WORD) == "pass", hints(went)
    measures = went.measures(WORD)
    assert measures["behaviour.decreasing_in.feature_3"]["n"] == 500
    assert measures["behaviour.increasing_in.feature_2"]["limit"] == 0.02
    noise = measures["behaviour.noise"]
    assert (noise["limit"], noise["n"], noise["verdict"]) == (0.02, 3000, "pass")
    assert noise["value"] < noise["high"] <= 0.02
    assert "noise" in went.reason(WORD)


def test_everything_that_is_declared_wrongly_is_told_at_once_and_nothing_is_promoted(
    fresh: Project,
) -> None:
    (fresh.folder / "cases.csv").write_text(
        "name,feature_1,feature_2,feature_3,target,why\n"
        "far up,3,3,-3,1,\nfar down,-3,-3,3,0,\nupside down,3,3,-3,0,a planted one\n"
    )
    went = behaved(
        fresh, "{invariant_to: [feature_1], decreasing_in: [feature_2], cases: cases.csv}"
    )
    assert (went.code, went.verdict(WORD)) == (1, "fail")
    measures = went.measures(WORD)
    failed = {name for name, measure in measures.items() if measure["verdict"] == "fail"}
    assert failed == {
        "behaviour.invariant_to.feature_1",
        "behaviour.decreasing_in.feature_2",
        "behaviour.cases",
    }
    assert measures["behaviour.cases"]["value"] == 1
    assert went.reason(WORD).startswith("3 of 15 checks fail on 600 rows of validation_data: ")
    said = hints(went)
    assert "another 'feature_1' changes the label of" in said
    assert "while 'feature_2' grows from" in said
    assert "case in row 3 (upside down): the label is 1, not 0" in said
    assert "| cases.csv | a planted one" in said
    assert went.production == (None, None)
    assert went.task("integration_tests")["state"] == "not_reached"


def test_rows_in_findings_are_rows_of_the_dataset(fresh: Project) -> None:
    went = behaved(fresh, "{invariant_to: [{column: feature_1, rows: 100}]}")
    numbers = re.findall(r"\(rows ([\d, ]+) and", hints(went))
    assert numbers
    told = [int(number) for number in numbers[0].split(", ")]
    assert max(told) <= 600
    # of 600 rows 100 were drawn: their own places among these 100 would be smaller
    assert told[4] > 10


def test_what_few_rows_leave_open_is_inconclusive_and_says_what_would_settle_it(
    fresh: Project,
) -> None:
    went = behaved(fresh, "{rows: 50, increasing_in: [], noise: {share: 0.01, limit: 0.03}}")
    assert (went.code, went.verdict(WORD)) == (3, "inconclusive")
    assert went.reason(WORD).startswith("1 of 13 checks is not settled on 50 rows")
    assert "more rows would settle it" in went.reason(WORD)
    (finding,) = went.task(WORD)["findings"]
    assert finding["what"] == "behaviour.noise is not settled on 50 rows"
    assert finding["hint"].endswith("`rows: 600` tries all that are here")


def test_a_check_may_be_skipped_and_the_plan_says_so(fresh: Project) -> None:
    went = behaved(fresh, "{skip: [missing_values, save_and_load, exported, noise]}")
    assert went.verdict(WORD) == "pass"
    names = {name.partition(".")[2] for name in went.measures(WORD)}
    skipped = {"missing_values", "save_and_load", "exported"}
    assert names == {*ALWAYS, "float32_ends"} - skipped


def test_a_column_that_the_model_never_sees_cannot_matter(fresh: Project) -> None:
    fresh.rows("training_data", 1500, 1, first_id=0)
    fresh.rows("validation_data", 600, 2, first_id=5000)
    fresh.baseline()
    fresh.edit(
        "schedule:",
        "datasets:\n"
        "  training_data: {path: data/training_data.csv, target: target, exclude: [id]}\n"
        "  validation_data: {path: data/validation_data.csv, target: target, exclude: [id]}\n"
        "schedule:",
    )
    went = behaved(
        fresh, "{invariant_to: [id]}", "validate_data.check_distribution.columns=[feature_1]"
    )
    measure = went.measures(WORD)["behaviour.invariant_to.id"]
    assert (measure["value"], measure["high"], measure["verdict"]) == (0.0, 0.0, "pass")


def test_the_rows_need_no_target(fresh: Project) -> None:
    data = fresh.folder / "data"
    lines = (data / "validation_data.csv").read_text().splitlines()
    (data / "unlabelled.csv").write_text("\n".join([line.rpartition(",")[0] for line in lines]))
    went = behaved(fresh, "{dataset: unlabelled}")
    assert went.verdict(WORD) == "pass"
    assert went.reason(WORD).endswith("600 rows of unlabelled")


MISTAKES = {
    "{skip: [missing_value]}": ["no check 'missing_value'", "nearest: missing_values"],
    "{cases: case.csv}": ["there is no file case.csv", "nearest: cases.csv"],
    "{increasing_in: [feature_1], decreasing_in: [feature_1]}": [
        "'feature_1' stands under decreasing_in and before it under increasing_in"
    ],
    "{invariant_to: [feature_1, feature_1]}": ["under invariant_to and before it"],
    "{invariant_to: [{column: a, limit: 2}]}": ["`invariant_to` of model_tests cannot be"],
    "{increasing_in: [{column: a, tolerence: 2}]}": ["tolerence"],
    "{noise: {shares: 0.1}}": ["does not know the key 'shares'", "nearest: share"],
    "{dataset: validation_dat}": ["validation_dat", "nearest"],
    "{rows: 0}": ["`rows` of model_tests cannot be 0"],
}


@pytest.mark.parametrize("parameters", MISTAKES)
def test_a_mistake_is_told_before_anything_runs(fresh: Project, parameters: str) -> None:
    (fresh.folder / "cases.csv").write_text("feature_1,target\n1,1\n")
    went = behaved(fresh, parameters)
    assert went.code == 2
    assert re.search(r"where: .*pipeline\.yaml:\d+:\d+", went.errors)
    for part in MISTAKES[parameters]:
        assert part in went.errors
    assert (went.document["run"], went.document["stages"]) == (None, [])


COLUMNS = {
    "{invariant_to: [feature_9]}": ["there is no column 'feature_9'", "nearest: feature_"],
    "{increasing_in: [feature_9]}": ["there is no column 'feature_9'", "nearest: feature_"],
    "{increasing_in: [target]}": ["the model does not read the column 'target'"],
    "{decreasing_in: [{column: feature_1, class: late}]}": ["no class 'late'", "one of: 0, 1"],
}


@pytest.mark.parametrize("parameters", COLUMNS)
def test_a_declaration_that_does_not_fit_the_model_is_a_mistake_in_the_file(
    fresh: Project, parameters: str
) -> None:
    went = behaved(fresh, parameters)
    assert went.code == 2
    for part in COLUMNS[parameters]:
        assert part in went.errors
    assert re.search(r"where: .*pipeline\.yaml:\d+:\d+", went.errors)
    assert went.production == (None, None)


def test_a_mistake_in_the_file_of_cases_is_told_with_its_row(fresh: Project) -> None:
    (fresh.folder / "cases.csv").write_text("feature_1,target\n1,1\n2,3\n")
    went = behaved(fresh, "{cases: cases.csv}")
    assert went.code == 2
    assert "3 is no class of the model" in went.errors
    assert "cases.csv, row 2" in went.errors


def test_other_cases_make_it_another_run(fresh: Project) -> None:
    file = fresh.folder / "cases.csv"
    file.write_text("feature_1,feature_2,feature_3,target\n3,3,-3,0\n")
    went = behaved(fresh, "{cases: cases.csv}")
    assert went.code == 1
    file.write_text("feature_1,feature_2,feature_3,target\n3,3,-3,1\n")
    again = fresh.run()
    assert (again.code, again.verdict(WORD)) == (0, "pass")
    assert again.run != went.run


def test_a_damaged_model_is_no_verdict(
    delivered: Project, stores: Callable[[Project], Stores]
) -> None:
    opened = stores(delivered)
    version = opened.registry.versions()[0]
    digest = files_of(opened.registry, version)["model.onnx"]
    opened.ledger.close()
    path = opened.registry.blobs.path(digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    went = behaved(delivered, "{}")
    assert went.code == 5
    assert went.task(WORD)["verdict"] is None


def test_without_a_model_there_is_nothing_to_test(fresh: Project) -> None:
    fresh.edit("    tasks:\n      - train:", "    tasks:\n      - model_tests: {}\n      - train:")
    assert "model_tests has no model to test" in fresh.run().errors


def test_a_ready_model_with_a_naive_sigmoid_is_stopped(fresh: Project) -> None:
    """``e**s / (1 + e**s)`` is right on every row at hand, and NaN where a unit is wrong."""
    naive = [
        *FILLED,
        node("MatMul", "filled weights", "score"),
        node("Exp", "score", "grown"),
        node("Add", "one grown", "whole"),
        node("Div", "grown whole", "p"),
        *TWO_CLASSES[1:],
    ]
    content = graph(naive, numbers=("feature_1", "feature_2", "feature_3"))
    (fresh.folder / "model.onnx").write_bytes(content)
    text = fresh.file.read_text()
    fresh.file.write_text(re.sub(r" *hyperparameters:.*\n", "", text))
    fresh.edit("model_type: gradient_boosted", "artifact: model.onnx")
    went = behaved(fresh)
    assert (went.code, went.verdict(WORD)) == (1, "fail"), went.errors
    failed = [n for n, m in went.measures(WORD).items() if m["verdict"] == "fail"]
    assert failed == ["behaviour.extreme_input"]
    assert re.search(r"'feature_1' = \d{4}[\d.]*: the answer is NaN in 40 of 40 rows", hints(went))
    assert went.production == (None, None)
