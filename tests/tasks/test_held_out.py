"""No model is judged on what it has seen; how often rows have judged is kept and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seatrial.ledger.verify import verify
from seatrial.registry import holdouts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tasks.conftest import Project, Went

    from seatrial.registry.project import Project as Stores

pytestmark = pytest.mark.slow  # each is quick, and there are many

MODEL = "ml_model_training_pipeline"
ONE_COLUMN = "validate_data.check_distribution.columns=[feature_1]"


def _declare(project: Project, roles: str, *, both: bool = True) -> None:
    names = ("training_data", "validation_data") if both else ("training_data",)
    lines = [f"  {name}: {{path: data/{name}.csv, target: target, {roles}}}\n" for name in names]
    project.edit("schedule:", f"datasets:\n{''.join(lines)}schedule:")


def _leakage(project: Project, text: str) -> None:
    project.edit("schedule:", f"leakage: {text}\nschedule:")


def _column(project: Project, name: str, column: str, values: list[str]) -> None:
    """One more column in front; ``values`` are for as many rows, the last again for the rest."""
    file = project.folder / "data" / f"{name}.csv"
    head, *rows = file.read_text().splitlines()
    filled = values + values[-1:] * (len(rows) - len(values))
    lines = [f"{value},{row}" for value, row in zip(filled, rows, strict=False)]
    file.write_text("\n".join([f"{column},{head}", *lines, ""]))


def _leak(project: Project, rows: int) -> None:
    """The last validation rows are the first training rows."""
    data = project.folder / "data"
    head, *training = (data / "training_data.csv").read_text().splitlines()
    honest = (data / "validation_data.csv").read_text().splitlines()[1:-rows]
    (data / "validation_data.csv").write_text("\n".join([head, *honest, *training[:rows], ""]))


def _found(went: Went, word: str) -> str:
    return "\n".join(f"{f['what']} | {f['hint']}" for f in went.task(word)["findings"])


def test_leaked_rows_are_shown_on_both_sides(fresh: Project) -> None:
    _leak(fresh, 100)
    went = fresh.run()
    assert (went.code, went.verdict("integration_tests")) == (1, "fail")
    assert "row 501 is training row 1, row 502 is training row 2" in _found(
        went, "integration_tests"
    )


def test_leaked_rows_may_be_told_only(fresh: Project) -> None:
    _leak(fresh, 100)
    _leakage(fresh, "{rows: warn}")
    went = fresh.run()
    assert (went.code, went.verdict("integration_tests")) == (0, "pass")
    assert "100 of 600 rows were trained on" in _found(went, "integration_tests")


def test_a_shared_key_fails_whatever_the_file_says(fresh: Project) -> None:
    fresh.rows("training_data", 1500, 1, first_id=0)
    fresh.rows("validation_data", 600, 2, first_id=1498)
    fresh.baseline()
    _declare(fresh, "key: id")
    _leakage(fresh, "{rows: warn, time: ignore}")
    went = fresh.run(ONE_COLUMN)
    assert (went.code, went.verdict("integration_tests")) == (1, "fail")
    assert "2 values of the key 'id'" in went.reason("integration_tests")
    assert "'p1498' (row 1, in training row 1499)" in _found(went, "integration_tests")


def test_a_key_that_the_evaluation_set_lacks_ends_the_run(fresh: Project) -> None:
    fresh.rows("training_data", 1500, 1, first_id=0)
    fresh.baseline()
    _declare(fresh, "key: id", both=False)
    went = fresh.run(ONE_COLUMN)
    assert went.code == 2
    assert "dataset 'validation_data' has no column 'id', which is the key" in went.errors
    assert went.production == (None, None)


@pytest.mark.parametrize(
    ("policy", "code", "told"),
    [("", 1, True), ("{time: warn}", 0, True), ("{time: ignore}", 0, False)],
)
def test_rows_from_before_the_end_of_training(
    fresh: Project, policy: str, code: int, *, told: bool
) -> None:
    _column(fresh, "training_data", "day", ["2026-01-01", "2026-01-31", "2026-01-02"])
    _column(fresh, "validation_data", "day", ["2026-01-30", "2026-02-01"])
    fresh.baseline()
    _declare(fresh, "time: day")
    if policy:
        _leakage(fresh, policy)
    went = fresh.run(ONE_COLUMN)
    assert went.code == code, went.document
    said = "1 of 600 rows of 'validation_data' are not after the end of 'training_data'"
    assert (said in _found(went, "integration_tests")) is told
    assert ("row 1 is of 2026-01-30" in _found(went, "integration_tests")) is told


def test_an_ordinary_unit_test_refuses_too(fresh: Project) -> None:
    """Where no integration_tests bounds the metric, the few rows are the gate."""
    _leak(fresh, 100)
    text = fresh.file.read_text()
    start, end = text.index("      - integration_tests"), text.index("      - shadow_tests")
    fresh.file.write_text(text[:start] + text[end:])
    went = fresh.run("evaluate_model.unit_tests.performance_threshold=0.5")
    assert (went.code, went.verdict("unit_tests")) == (1, "fail")
    assert "more than by chance" in went.reason("unit_tests")


def test_rows_that_repeat_by_nature_pass_and_are_told(fresh: Project) -> None:
    """Two features with two values each: every row is also in training."""
    for name, count in (("training_data", 1500), ("validation_data", 600)):
        lines = [f"{i % 2},{i // 2 % 2},0,{int(i % 2 and i % 9 > 0)}" for i in range(count)]
        head = "feature_1,feature_2,feature_3,target"
        (fresh.folder / "data" / f"{name}.csv").write_text("\n".join([head, *lines, ""]))
    fresh.baseline()
    went = fresh.run()
    assert went.verdict("integration_tests") == "pass", went.document
    found = _found(went, "integration_tests")
    assert "600 of 600 rows of 'validation_data' are also in 'training_data'" in found
    assert "declare its `key:`" in found


def _copied(project: Project) -> None:
    """The target once more, in other words."""
    for name in ("training_data", "validation_data"):
        file = project.folder / "data" / f"{name}.csv"
        rows = file.read_text().splitlines()[1:]
        _column(project, name, "outcome", ["won" if row.endswith("1") else "lost" for row in rows])
    project.baseline()


def test_a_feature_that_gives_the_target_away_is_told(fresh: Project) -> None:
    _copied(fresh)
    went = fresh.run()
    assert (went.code, went.verdict("train")) == (0, "pass")
    found = _found(went, "train")
    assert "'outcome' alone predicts 'target' to 100.0 %" in found
    assert "is it known when the prediction is made?" in found
    assert fresh.run("evaluate_model.unit_tests.runs=60").task("train")["findings"]  # re-used too


def test_a_feature_that_gives_the_target_away_may_fail(fresh: Project) -> None:
    _copied(fresh)
    _leakage(fresh, "{target: fail}")
    went = fresh.run()
    assert (went.code, went.verdict("train")) == (1, "fail")
    assert "'outcome' alone predicts 'target'" in went.reason("train")
    assert went.task("register")["state"] == "not_reached"


@pytest.mark.slow
def test_each_candidate_uses_the_rows_once(
    fresh: Project, stores: Callable[[Project], Stores]
) -> None:
    assert fresh.run().code == 0
    ledger = stores(fresh).ledger
    (first,) = holdouts.uses(ledger, MODEL)
    assert (first.version, first.dataset, first.model) == (1, "validation_data", MODEL)
    # the same model again decides nothing, and neither does a look with another bound
    fresh.run("evaluate_model.unit_tests.runs=60")
    fresh.run("evaluate_model.integration_tests.performance_threshold=0.83")
    assert holdouts.uses(ledger, MODEL) == [first]
    # another candidate does, also when it fails, and also under another name of the same file
    (fresh.folder / "data" / "fresh_rows.csv").write_bytes(
        (fresh.folder / "data" / "validation_data.csv").read_bytes()
    )
    fresh.hyperparameters("n_estimators: 2\n")
    failed = fresh.run(
        "evaluate_model.integration_tests.dataset=fresh_rows",
        "evaluate_model.integration_tests.performance_threshold=0.99",
    )
    assert failed.verdict("integration_tests") == "fail", failed.document
    uses = holdouts.uses(ledger, MODEL)
    assert [use.version for use in uses] == [1, 2]
    assert len({use.fingerprint for use in uses}) == 1
    verify(ledger)


def test_a_refusal_and_a_doubt_are_no_use(
    fresh: Project, stores: Callable[[Project], Stores]
) -> None:
    went = fresh.run("evaluate_model.integration_tests.dataset=training_data")
    assert went.verdict("integration_tests") == "fail"
    names = [use.dataset for use in holdouts.uses(stores(fresh).ledger, MODEL)]
    assert names == ["validation_data"]  # of the smoke run


def test_worn_rows_are_told_with_what_chance_gives(delivered: Project) -> None:
    _leakage(delivered, "{uses: 2}")
    went = delivered.run()  # the model in production again
    assert "used for" not in _found(went, "integration_tests")
    delivered.hyperparameters("n_estimators: 25\nlearning_rate: 0.2\nnum_leaves: 15\n")
    went = delivered.run()
    found = _found(went, "integration_tests")
    assert "validation_data has been used for 2 decisions: it is no longer unseen" in found
    assert "the best of 2 equal models looks better by about 0.0" in found
    assert went.verdict("integration_tests") == "pass"
