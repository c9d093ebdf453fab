"""The DAG file as a text: what stands in it, and what it does where there is no Airflow."""

from __future__ import annotations

import ast
import dataclasses
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from airflow_file import CALL, OUTLINE, exported
from seatrial.engines._call import Call
from seatrial.engines._exported import edited
from seatrial.engines._outline import StageOutline
from seatrial.engines.airflow import HIGHEST, LOWEST
from seatrial.errors import UsageError

LOCKS = Path(__file__).parent / "locks"


def constants(text: str) -> dict[str, Any]:
    """The literals that stand at the top of the file."""
    found = {}
    for line in ast.parse(text).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            try:
                found[line.targets[0].id] = ast.literal_eval(line.value)
            except ValueError:
                continue
    return found


def test_the_file_bears_its_seal_is_always_the_same_and_compiles_without_a_warning() -> None:
    text = exported()
    assert text == exported()
    assert edited(text) is False
    assert edited(text.replace('"retries": 2', '"retries": 9')) is True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(text, "flights_late.py", "exec")
    assert max(len(line) for line in text.splitlines()) <= 100


def test_it_imports_nothing_but_airflow_and_the_standard_library() -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(exported()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == {"airflow"}


def test_without_airflow_it_says_what_to_install(tmp_path: Path) -> None:
    file = tmp_path / "flights_late.py"
    file.write_text(exported())
    run = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("this file needs Airflow: pip install 'apache-airflow>=3.2,<3.4'")
    assert len(run.stderr.splitlines()) == 1
    words = [sys.executable, "-c", "import flights_late"]
    imported = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "ImportError: this file needs Airflow: pip install" in imported.stderr


def test_whatever_a_user_calls_things_stands_in_it_as_it_is() -> None:
    folder, file = """/srv/it's "here" \\ $HOME {user} ü""", "a 'b' \"c\".yaml"
    condition = """!stages.check_data.passed || "$x" == 'y|z' """
    stages = (*OUTLINE.stages, StageOutline("last", condition, ("last.probe",)))
    found = constants(exported(Call(Path(folder), file, "/p y/bin/python"), stages=stages))
    assert (found["FOLDER"], found["FILE"]) == (folder, file)
    assert found["SEATRIAL"] == ["/p y/bin/python", "-m", "seatrial"]
    assert found["STAGES"][-1] == ("last", condition, ["last.probe"])


def test_it_knows_the_stages_and_what_it_was_made_from() -> None:
    found = constants(exported())
    assert [(stage.name, stage.condition, list(stage.addresses)) for stage in OUTLINE.stages] == (
        found["STAGES"]
    )
    assert found["EXPORTED"] == OUTLINE.digest


def test_an_image_takes_the_place_of_the_interpreter() -> None:
    image = dataclasses.replace(CALL, image="registry/seatrial:1")
    words = constants(exported(image))["SEATRIAL"]
    assert words == list(image.words)
    assert words[:2] == ["docker", "run"]


@pytest.mark.parametrize(("overlap", "runs"), [("skip", 16), ("replace", 16), ("queue", 2)])
def test_a_second_run_starts_so_that_it_can_ask(overlap: str, runs: int) -> None:
    assert constants(exported(overlap=overlap))["RUNS_AT_ONCE"] == runs


def test_a_pipeline_without_a_schedule_is_started_by_hand() -> None:
    assert constants(exported(schedule=None))["SCHEDULE"] is None


def test_only_a_zone_whose_clocks_change_is_warned_of() -> None:
    assert "when clocks change" in exported()
    assert "when clocks change" not in exported(timezone="UTC")


@pytest.mark.parametrize("days", ["*/2 * mon", "1 * */2", "*,3 * mon"])
def test_days_that_airflow_would_take_either_of_are_refused(days: str) -> None:
    with pytest.raises(UsageError, match="Airflow takes either, where both must match"):
        exported(schedule=f"0 2 {days}")


def test_the_tested_window_is_what_the_locks_install() -> None:
    highest = f"{HIGHEST[0]}.{HIGHEST[1] + 1}"
    wanted = f"apache-airflow>={'.'.join(map(str, LOWEST))},<{highest}"
    assert wanted in (LOCKS / "airflow.in").read_text()
    assert wanted in exported()
    (pinned,) = [
        line.split("==")[1].split()[0]
        for line in (LOCKS / "airflow.lock").read_text().splitlines()
        if line.startswith("apache-airflow==")
    ]
    assert LOWEST <= tuple(int(number) for number in pinned.split(".")[:2]) <= HIGHEST
