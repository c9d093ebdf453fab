"""`seatrial validate`: one dataset against a baseline, without a pipeline or a ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Program

ROWS = 3000
RANDOM = np.random.default_rng(2)
DELAY = np.round(RANDOM.gamma(2, 12, ROWS), 1)
CARRIER = RANDOM.choice(["AA", "B6", "DL"], ROWS)
KEYS = {"dataset", "place", "rows", "fingerprint", "verdict", "checks", "distribution"}


def _write(file: str, delay: np.ndarray, rows: int = ROWS) -> None:
    lines = [f"{d},{c}" for d, c in zip(delay[:rows], CARRIER[:rows], strict=True)]
    Path(file).write_text("\n".join(["delay,carrier", *lines, ""]))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seatrial: Program) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    _write("data/march.csv", DELAY)
    assert seatrial("profile", "data/march.csv", "-o", "baseline.json").code == 0


def test_as_before(seatrial: Program) -> None:
    said = seatrial("validate", "data/march.csv", "--against", "baseline.json")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("pass: march: 2 columns as in baseline.json")
    assert not Path(".seatrial").exists()


def test_moved(seatrial: Program) -> None:
    _write("data/april.csv", DELAY * 60)
    said = seatrial("validate", "data/april.csv", "--against", "baseline.json")
    assert said.code == 1
    head, first, second, change, hint, *_ = said.out.splitlines()
    assert head.split() == ["column", "nats", "at", "least", "at", "most", "limit", "verdict"]
    assert first.split()[0] == "delay"
    assert first.endswith("0.1    fail")
    assert second.split()[0] == "carrier"
    assert second.endswith("pass")
    assert change.startswith("delay: `delay > ")
    assert "is it in another unit?" in hint
    assert said.out.splitlines()[-1].startswith("fail: april: 1 of 2 columns moved, most delay")


def test_options_narrow_it(seatrial: Program) -> None:
    _write("data/april.csv", DELAY * 60)
    words = ["validate", "data/april.csv", "--against", "baseline.json"]
    assert seatrial(*words, "--exclude", "delay").code == 0
    assert seatrial(*words, "--columns", "carrier").code == 0
    assert seatrial(*words, "--threshold", "50").code == 0
    said = seatrial(*words, "--measure", "total_variation")
    assert said.code == 1
    assert "total_variation" in said.out


def test_json_holds_the_bins(seatrial: Program) -> None:
    _write("data/april.csv", DELAY * 60)
    said = seatrial("validate", "data/april.csv", "--against", "baseline.json", "--json")
    assert said.code == 1
    told = said.json
    assert set(told) == KEYS
    (check,) = told["checks"]
    assert (told["verdict"], check["check"], check["verdict"]) == (
        "fail",
        "check_distribution",
        "fail",
    )
    delay, carrier = told["distribution"]["columns"]
    assert len(delay["names"]) == len(delay["current"]["counts"]) == len(delay["edges"]) + 1
    assert sum(carrier["current"]["counts"]) == sum(carrier["reference"]["counts"]) == ROWS
    assert carrier["values"] == sorted(carrier["values"], key=lambda v: -int((v == CARRIER).sum()))


def test_a_schema_too(seatrial: Program) -> None:
    drafted = seatrial("profile", "data/march.csv", "-o", "b.json", "--schema", "schema.yaml")
    assert drafted.code == 0
    assert seatrial("validate", "data/march.csv", "--schema", "schema.yaml").code == 0
    _write("data/april.csv", -1 - DELAY * 60)
    words = ["validate", "data/april.csv", "--schema", "schema.yaml"]
    alone = seatrial(*words)
    assert alone.code == 1
    assert "rows" in alone.out
    assert alone.out.splitlines()[-1].startswith("fail: april: ")
    both = seatrial(*words, "--against", "baseline.json", "--exclude", "delay", "--json")
    assert both.code == 1
    told = {check["check"]: check["verdict"] for check in both.json["checks"]}
    assert told == {"check_schema": "fail", "check_distribution": "pass"}
    assert seatrial(*words, "--json").json["distribution"] is None


def test_too_few_rows(seatrial: Program) -> None:
    _write("data/april.csv", DELAY[::-1] + 5, rows=40)
    said = seatrial("validate", "data/april.csv", "--against", "baseline.json")
    assert said.code == 3
    assert "more rows would settle" in said.out


def test_a_dataset_of_the_project(seatrial: Program) -> None:
    Path("pipeline.yaml").write_text(
        "name: p\ndatasets: {flights: {path: data/april.csv, exclude: [delay]}}\n"
        "stages:\n  - name: s\n    tasks:\n      - check_schema: {dataset: flights}\n"
    )
    _write("data/april.csv", DELAY * 60)
    assert seatrial("validate", "flights", "--against", "baseline.json").code == 0
    assert seatrial("validate", "april", "--against", "baseline.json").code == 1


@pytest.mark.parametrize(
    "words", [["--against", "nope.json"], ["--against", "baseline.json", "--slices", "carrier"], []]
)
def test_no_advice_makes_the_baseline_of_what_is_tested(
    seatrial: Program, words: list[str]
) -> None:
    found = seatrial("validate", "data/march.csv", *words)
    assert found.code == 2
    assert "seatrial profile" in found.err
    assert "profile data/march.csv" not in found.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data/nope.csv", "--against", "baseline.json"], "does not exist"),
        (["nope", "--against", "baseline.json"], "dataset 'nope' was not found"),
        (["data/march.csv", "--against", "nope.json"], "the profile 'nope.json' does not exist"),
        (["data/march.csv", "--against", "data/march.csv"], "is not a profile"),
        (["data/march.csv", "--against", "baseline.json", "--columns", "dely"], "no column 'dely'"),
        (["data/march.csv", "--against", "baseline.json", "--measure", "kll"], "unknown drift"),
        (["data/march.csv", "--against", "baseline.json", "--slices", "carrier"], "no slices by"),
        (["data/march.csv", "--against", "baseline.json", "--threshold", "0"], "0"),
        (["data/march.csv", "--against", "baseline.json", "--threshold", "nan"], "nan is no limit"),
        (["data/march.csv", "--against", "baseline.json", "--threshold", "inf"], "inf is no limit"),
        (["sqlite:///a.db", "--against", "baseline.json"], "declare it under `datasets:`"),
        (["data/march.csv"], "add `--against baseline.json`"),
        (["data/march.csv", "--schema", "nope.yaml"], "there is no schema file nope.yaml"),
    ],
)  # fmt: skip
def test_what_is_wrong(seatrial: Program, words: list[str], said: str) -> None:
    found = seatrial("validate", *words)
    assert found.code == 2
    assert said in found.err
    assert all(len(lines) <= 6 for lines in found.mistakes)
    assert not found.out


def test_as_a_page(seatrial: Program) -> None:
    _write("data/april.csv", DELAY * 60)
    words = ["validate", "data/april.csv", "--against", "baseline.json"]
    said = seatrial(*words, "-o", "pages/april.html")
    assert (said.code, said.out.splitlines()[-1]) == (1, "the page: pages/april.html")
    page = Path("pages/april.html").read_text()
    assert "<title>april: 3000 rows</title>" in page
    assert page.count("<svg") == 1
    assert "is it in another unit?" in page
    assert seatrial(*words, "-o", "april.html", "--json").json.keys() == KEYS
    wrong = seatrial(*words, "-o", "april.htm")
    assert wrong.code == 2
    assert "nearest: .html" in wrong.err


def test_a_schema_as_a_page(seatrial: Program) -> None:
    seatrial("profile", "data/march.csv", "-o", "profile.json", "--schema", "schema.yaml")
    _write("data/april.csv", DELAY - 100)
    words = ["validate", "data/april.csv", "--schema", "schema.yaml"]
    assert seatrial(*words, "-o", "april.html").code == 1
    page = Path("april.html").read_text()
    assert 'id="findings"' in page
    assert "check_schema: april: " in page
