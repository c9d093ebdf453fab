"""The flow file for Metaflow: what stands in it, and what it says where Metaflow is missing."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial.engines._call import CARRIED, Call
from seatrial.engines._exported import edited, sealed
from seatrial.engines._outline import Outline, StageOutline
from seatrial.engines.metaflow import TESTED_BELOW, TESTED_FROM, Metaflow

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCKS = Path(__file__).parent / "locks"
CHECK = StageOutline("check", None, ("check.probe", "check.probe-2"))


def shape(*stages: StageOutline, name: str = "shop", file: str = "pipeline.yaml") -> Outline:
    return Outline(
        name=name,
        file=file,
        stages=stages or (CHECK,),
        schedule=None,
        timezone="UTC",
        overlap="skip",
        catch_up="skip",
    )


def exported(outline: Outline, call: Call | None = None) -> str:
    asked = call or Call(Path("/srv/shop"), outline.file, "/opt/python")
    return sealed("metaflow", outline, Metaflow().export(outline, asked))


def constants(text: str) -> Mapping[str, object]:
    """What the capital names of the file stand for."""
    return {
        target.id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def steps(text: str) -> list[str]:
    (flow,) = (
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Flow")
    )
    return [node.name for node in flow.body if isinstance(node, ast.FunctionDef)]


def test_each_task_is_a_step_and_the_last_ones_show_the_report_and_judge() -> None:
    text = exported(shape(CHECK, StageOutline("train", None, ("train.probe",))))
    expected = ["check__probe", "check__probe_2", "train__probe"]
    assert steps(text) == ["start", *expected, "report", "end"]
    assert "class ShopFlow(FlowSpec):" in text


def test_it_compiles_without_a_warning_and_bears_its_seal() -> None:
    text = exported(shape())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(text, "flow.py", "exec")
    assert edited(text) is False
    assert edited(text.replace("RETRIES = 2", "RETRIES = 5")) is True
    assert max(map(len, text.splitlines())) <= 100


def test_texts_of_the_user_stay_what_they_are() -> None:
    folder, file = Path('/srv/it\'s "ours" $HOME\\n'), 'a "b".yaml'
    condition = "stages.check.passed == false || 'x' == \"y\\\\\""
    outline = shape(CHECK, StageOutline("after", condition, ("after.probe",)), file=file)
    found = constants(exported(outline, Call(folder, file, "/opt/my python/bin/python")))
    assert found["FOLDER"] == str(folder)
    assert found["FILE"] == file
    assert found["SEATRIAL"] == ["/opt/my python/bin/python", "-m", "seatrial"]
    assert found["STAGES"] == {"check": None, "after": condition}
    assert found["EXPORTED"] == outline.digest


def test_an_image_is_called_as_whoever_runs_the_flow_and_no_secret_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in CARRIED:
        monkeypatch.setenv(name, "do-not-tell")
    text = exported(shape(), Call(Path("/srv/shop"), "pipeline.yaml", "python", "ours:1"))
    words = constants(text)["SEATRIAL"]
    assert isinstance(words, list)
    assert words[:2] == ["docker", "run"]
    assert "{user}" in words
    assert "do-not-tell" not in text


@pytest.mark.parametrize(
    ("pipeline", "flow"),
    [("flights_late", "FlightsLateFlow"), ("_2nd", "Flow2nd"), ("flow", "FlowFlow"), ("_", "Flow")],
)
def test_the_flow_is_called_after_the_pipeline(pipeline: str, flow: str) -> None:
    assert f"class {flow}(FlowSpec):" in exported(shape(name=pipeline))


def test_no_two_steps_have_the_same_name() -> None:
    stages = (
        StageOutline("a", None, ("a.b__c", "a.b-2", "a.b_2")),
        StageOutline("a__b", None, ("a__b.c",)),
        StageOutline("__a", None, ("__a.b",)),
    )
    names = steps(exported(shape(*stages)))
    expected = ["a__b__c", "a__b_2", "a__b_2_", "a__b__c_", "stage__a__b"]
    assert names == ["start", *expected, "report", "end"]


def test_the_schedule_is_there_for_those_who_deploy_the_flow() -> None:
    plain = shape()
    assert "@schedule" not in exported(plain)
    cron = Outline(
        name="shop",
        file="pipeline.yaml",
        stages=(CHECK,),
        schedule="0 2 * * *",
        timezone="Europe/Berlin",
        overlap="skip",
        catch_up="skip",
    )
    text = exported(cron)
    assert '@schedule(cron="0 2 * * *", timezone="Europe/Berlin")\nclass ShopFlow' in text
    assert "retry, schedule, step" in text


def test_the_tested_window_is_that_of_the_lock() -> None:
    assert (LOCKS / "metaflow.in").read_text() == f"metaflow>={TESTED_FROM},<{TESTED_BELOW}\n"
    assert constants(exported(shape()))["TESTED"] == (TESTED_FROM, TESTED_BELOW)
    (locked,) = (
        line.split("==")[1].split()[0]
        for line in (LOCKS / "metaflow.lock").read_text().splitlines()
        if line.startswith("metaflow==")
    )
    assert locked.startswith(f"{TESTED_FROM}.")


def test_without_metaflow_it_says_what_to_install(tmp_path: Path) -> None:
    file = tmp_path / "flow.py"
    file.write_text(exported(shape()))
    done = subprocess.run(
        [sys.executable, str(file), "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"flow.py needs Metaflow: {sys.executable} -m pip install" in done.stderr
    assert f"'metaflow>={TESTED_FROM},<{TESTED_BELOW}'" in done.stderr
    spec = importlib.util.spec_from_file_location("flow", file)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ImportError, match=r"flow\.py needs Metaflow"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
