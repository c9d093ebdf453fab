"""What the command line says of rows that judge: settings, plan, uses, mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyarrow import csv, parquet

from .conftest import MODEL

if TYPE_CHECKING:
    from .conftest import Program, Project

UNIT = "      - unit_tests:\n          runs: 50 # Fast smoke tests\n          performance_threshold: 0.85\n"  # noqa: E501


def test_the_plan_prints_what_is_done_about_leaks(founding: Project, seatrial: Program) -> None:
    said = seatrial("plan", "pipeline.yaml")
    assert "leakage: {rows: fail, time: fail, target: warn, uses: 20}" in said.out
    assert "no rows of validation_data were trained on, beyond chance" in said.out
    assert "alone gives the target away is told" in said.out
    founding.replace("schedule:", "leakage: {rows: warn, target: fail}\nschedule:")
    said = seatrial("plan", "pipeline.yaml")
    assert "leakage: {rows: warn, time: fail, target: fail, uses: 20}" in said.out
    assert "only told and not refused: rows" in said.out
    assert "alone gives the target away fails" in said.out
    assert not founding.ledger.exists()


def test_plan_and_models_say_how_many_candidates_the_rows_judged(
    third: Project, seatrial: Program
) -> None:
    line = "validation_data has judged 3 candidates of this model so far"
    assert line in seatrial("plan", "pipeline.yaml").out
    told = seatrial("plan", "pipeline.yaml", "--json").json["steps"]
    judging = [step["step"] for step in told if line in step["demands"]]
    assert judging == ["evaluate_model.unit_tests", "evaluate_model.integration_tests"]
    said = seatrial("models", MODEL)
    assert "validation_data (sha256:" in said.out
    assert "has judged 3 candidates, last on 20" in said.out
    versions = seatrial("models", "--json").json
    assert [len(each["judged_on"]) for each in versions] == [1, 1, 1]
    assert {each["judged_on"][0]["dataset"] for each in versions} == {"validation_data"}
    # other rows have judged nobody
    rows = third.lines("data/validation_data.csv")
    third.write("data/validation_data.csv", "".join(rows[:-1]))
    assert "has judged" not in seatrial("plan", "pipeline.yaml").out


def test_a_person_who_approves_has_used_the_rows(founding: Project, seatrial: Program) -> None:
    founding.replace(UNIT, "")
    founding.replace("performance_threshold: 0.82", "performance_threshold: 0.92")
    assert seatrial("run", "pipeline.yaml").code == 3
    assert founding.query("SELECT * FROM holdout") == []
    (item,) = seatrial("reviews", "--json").json
    assert seatrial("approve", item["id"], "--reason=looked at the rows").code == 0
    assert founding.query("SELECT version, dataset FROM holdout") == [(1, "validation_data")]
    assert seatrial("run", "pipeline.yaml").code == 0
    assert len(founding.query("SELECT * FROM holdout")) == 1
    assert seatrial("history", "--verify").code == 0


def test_unknown_words_are_told_with_the_nearest(founding: Project, seatrial: Program) -> None:
    founding.replace("schedule:", "leakage: {row: fail, time: ignored, uses: 0}\nschedule:")
    said = seatrial("check", "pipeline.yaml")
    assert said.code == 2
    found = {lines[0]: "\n".join(lines) for lines in said.mistakes}
    assert [line for line in found if "'leakage' has an unknown key 'row'" in line]
    assert "nearest: rows" in said.err
    assert "'time' cannot be 'ignored'" in said.err
    assert "nearest: ignore" in said.err
    assert "'uses' must be a whole number above 0" in said.err


def test_other_kinds_of_time_end_the_run_with_their_place(
    founding: Project, seatrial: Program
) -> None:
    for name, day in (("training_data", "2026-01-31"), ("validation_data", "20260201")):
        head, *rows = founding.lines(f"data/{name}.csv")
        lines = [f"day,{head}", *(f"{day},{row}" for row in rows)]
        founding.write(f"data/{name}.csv", "".join(lines))
    declared = "".join(
        f"  {name}: {{path: data/{name}.csv, time: day}}\n"
        for name in ("training_data", "validation_data")
    )
    founding.replace("schedule:", f"datasets:\n{declared}schedule:")
    said = seatrial("run", "pipeline.yaml")
    assert said.code == 2
    assert "the time 'day' of 'validation_data' is a number" in said.err
    assert "fix: write both as dates, or both as numbers" in said.err


def test_the_same_rows_in_another_format_are_refused(founding: Project, seatrial: Program) -> None:
    folder = founding.folder / "data"
    rows = csv.read_csv(folder / "training_data.csv")
    parquet.write_table(rows.slice(100, 400), folder / "other_rows.parquet")
    said = seatrial(
        "run", "pipeline.yaml", "--set", "evaluate_model.integration_tests.dataset=other_rows"
    )
    assert said.code == 1
    assert "400 of 400 rows of 'other_rows' are also in 'training_data'" in said.out
    assert "row 1 is training row 101" in said.out
