"""`seatrial compare`: two versions side by side on rows, with or without a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cli.conftest import MODEL, Project, write_rows

if TYPE_CHECKING:
    from tests.cli.conftest import Program

KEYS = {
    *("first", "second", "dataset", "place", "rows", "verdict", "metrics", "slices"),
    *("disagreement", "noise_floor", "speed", "findings"),
}


@pytest.fixture(autouse=True)
def _project(third: Project) -> None:
    """Version 2 is in production; version 3 is staged."""


def test_two_versions_by_channel_and_number(seatrial: Program) -> None:
    said = seatrial("compare", f"{MODEL}@staging", "2", "--metric", "roc_auc", "--no-speed")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"{MODEL} version 3 beside {MODEL} version 2, on 400 rows of validation_data"
    assert lines[2].split() == ["version", "3", "version", "2", "difference"]
    assert lines[3].startswith("accuracy")
    assert lines[4].startswith("roc_auc")
    assert "of the rows get two different answers" in said.out


def test_a_version_beside_itself_is_the_same(seatrial: Program) -> None:
    told = seatrial("compare", "3", "3", "--margin", "0.05", "--no-speed", "--json").json
    assert set(told) == KEYS
    (accuracy,) = told["metrics"]
    assert accuracy["first"] == accuracy["second"]
    assert accuracy["degradation"]["value"] == 0
    assert (told["verdict"], told["rows"], told["speed"]) == ("pass", 400, [])
    assert told["disagreement"]["share"]["value"] == 0
    assert told["disagreement"]["examples"] == []


def test_a_margin_gives_a_verdict_and_the_exit_code(seatrial: Program) -> None:
    rows = Path("data/validation_data.csv").read_text().splitlines()
    # the first version is right where the second is wrong, and never the other way round
    found = seatrial("compare", "3", "1", "--no-speed", "--json").json["disagreement"]
    assert found["only_first"] + found["only_second"] <= 400
    said = seatrial("compare", "3", "1", "--margin", "0.2", "--no-speed")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("pass: ")
    Path("data/few.csv").write_text("\n".join(rows[:12]) + "\n")
    said = seatrial("compare", "3", "1", "--on", "data/few.csv", "--margin", "0.01", "--no-speed")
    assert said.code == 3
    assert said.out.splitlines()[-1].startswith("inconclusive: ")


def test_a_worse_model_fails(seatrial: Program, third: Project) -> None:
    third.replace("n_estimators: 30", "n_estimators: 1", "config/hyperparameters.yaml")
    assert seatrial("run", "pipeline.yaml").code in {0, 1, 3}
    rows = Path("data/many.csv")
    write_rows(rows, np.random.default_rng(9), 4000)
    said = seatrial("compare", "4", "2", "--on", "data/many.csv", "--margin", "0.01", "--no-speed")
    assert said.code == 1
    assert said.out.splitlines()[-1].startswith("fail: ")
    assert "worse" in said.out.splitlines()[-1]


def test_slices_and_speed(seatrial: Program) -> None:
    rows = Path("data/validation_data.csv").read_text().splitlines()
    sided = [f"{rows[0]},side", *(f"{row},{'lr'[n % 2]}" for n, row in enumerate(rows[1:]))]
    Path("data/sided.csv").write_text("\n".join(sided) + "\n")
    told = seatrial(
        "compare", "3", "2", "--on", "data/sided.csv", "--slices", "side", "--json"
    ).json
    assert [(each["name"], each["rows"]) for each in told["slices"]] == [
        ("side = l", 200),
        ("side = r", 200),
    ]
    measured = {each["name"]: each for each in told["speed"]}
    for name in ("latency_ms.p95", "memory_mb", "size_mb"):
        assert measured[name]["value"] > 0
        assert measured[f"{name}.second"]["value"] > 0
    assert "latency_ratio.p95" in measured
    assert all(each["limit"] is None for each in measured.values())


def _times(seatrial: Program) -> dict[str, str]:
    """The lines of a comparison that tell how fast the versions are, by what they tell."""
    lines = seatrial("compare", "3", "2").out.splitlines()
    heads = ["version", "3", "version", "2"]
    head = next(n for n, line in enumerate(lines) if line.split() == heads)
    return {line.partition("  ")[0]: line for line in lines[head + 1 :]}


def test_the_times_of_both_stand_side_by_side(seatrial: Program) -> None:
    # a machine that is busy with something else may answer too few requests for an interval
    tries = (_times(seatrial) for _ in range(4))
    spoken = next(told for told in tries if "(" in told["latency_ms.p95"])
    assert spoken["latency_ms.p95"].count(" to ") == 2
    assert spoken["latency_ratio.p95"].count(" to ") == 1
    assert len(spoken["size_mb"].split()) == 3
    assert "e+" not in spoken["throughput.rows_per_s"]


def test_a_version_is_not_set_against_itself(seatrial: Program) -> None:
    said = seatrial("compare", "3", "3", "--no-speed").out
    assert "both are the same version" in said
    assert "alone is right" not in said


def test_a_file_of_its_own_is_read_as_the_rows_that_usually_judge(
    seatrial: Program, third: Project
) -> None:
    for name in ("training_data", "validation_data"):
        rows = third.folder / "data" / f"{name}.csv"
        rows.write_text(rows.read_text().replace("target", "late", 1))
    declared = "{path: data/%s.csv, target: late}"
    words = [f"  {name}: {declared % name}" for name in ("training_data", "validation_data")]
    third.replace("stages:", "\n".join(["datasets:", *words, "stages:"]))
    baseline = ("data/training_data.csv", "-o", "baseline_distribution.json")
    assert seatrial("profile", *baseline).code == 0
    assert seatrial("run", "pipeline.yaml").code == 0
    Path("later.csv").write_bytes(Path("data/validation_data.csv").read_bytes())
    said = seatrial("compare", "4", "4", "--on", "later.csv", "--no-speed")
    assert said.code == 0, said.err
    assert "on 400 rows of later" in said.out


def test_rows_that_trained_it_are_told(seatrial: Program) -> None:
    said = seatrial("compare", "3", "2", "--on", "training_data", "--no-speed")
    assert said.code == 0
    assert f"! {MODEL} version 3 was trained on these very rows" in said.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("3", "9"), "has no version 9"),
        (("3", "prod"), "has no channel 'prod'"),
        (("3", f"{MODEL[:-1]}@2"), f"nearest: {MODEL}"),
        (("3", "2", "--metric", "roc_acu"), "nearest: roc_auc"),
        (("3", "2", "--metric", "r2"), "r2 is for numbers"),
        (("3", "2", "--slices", "feature_9"), "nearest: feature_"),
        (("3", "2", "--on", "validaton_data"), "validaton_data"),
    ],
)
def test_what_is_misspelt_is_told(seatrial: Program, words: tuple[str, ...], said: str) -> None:
    told = seatrial("compare", *words, "--no-speed")
    assert told.code == 2
    assert said in told.err
    assert all(len(lines) <= 6 for lines in told.mistakes)
