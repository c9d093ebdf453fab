"""The flow file for Prefect: what stands in it, and what it says where Prefect is missing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scenarios import Shop
from seatrial.engines import prefect
from seatrial.engines._call import Call
from seatrial.engines._outline import outline
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from collections.abc import Mapping

LOCKS = Path(__file__).parent / "locks"
PIPELINE = """\
name: flights_late
{settings}
stages:
  - name: check
    tasks:
      - check_schema: {{dataset: data}}
      - check_schema: {{dataset: data}}
  - name: undo
    condition: '!stages.check.passed && "it''s $x" != ""'
    tasks:
      - check_schema: {{dataset: data}}
"""


def exported(settings: str = "", folder: str = "/srv/flights", image: str | None = None) -> str:
    shape = outline(read(PIPELINE.format(settings=settings), "it's a pipeline.yaml"))
    return prefect.Prefect().export(shape, Call(Path(folder), shape.file, "/opt/a b/python", image))


def constants(text: str) -> Mapping[str, object]:
    """What is a plain value at the top of the file."""
    found: dict[str, object] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


@pytest.mark.parametrize("image", [None, "ghcr.io/team/it's:1"])
def test_the_file_is_plain_python_that_fits_a_page(image: str | None) -> None:
    text = exported('schedule: "0 2 * * *"', image=image)
    compile(text, "flow.py", "exec")  # a warning would be an error
    assert max(map(len, text.splitlines())) <= 100
    assert len(text.splitlines()) < 450


def test_the_pipeline_stands_in_it_as_values() -> None:
    said = constants(exported(folder="/srv/it's $HOME\\"))
    assert said["STAGES"] == [
        ("check", None, ["check.check_schema", "check.check_schema-2"]),
        ("undo", '!stages.check.passed && "it\'s $x" != ""', ["undo.check_schema"]),
    ]
    assert said["SEATRIAL"] == ["/opt/a b/python", "-m", "seatrial"]
    assert (said["FOLDER"], said["FILE"]) == ("/srv/it's $HOME\\", "it's a pipeline.yaml")
    assert (said["NAME"], said["SCHEDULE"], said["CATCH_UP"]) == ("flights_late", None, "skip")


def test_many_steps_stand_one_a_line() -> None:
    tasks = "      - check_schema: {dataset: data}\n" * 9
    text = f"name: p\nstages:\n  - name: a_stage_of_many_tasks\n    tasks:\n{tasks}"
    shape = outline(read(text, "pipeline.yaml"))
    said = prefect.Prefect().export(shape, Call(Path("/srv"), shape.file, "python"))
    assert '\n            "a_stage_of_many_tasks.check_schema-9",\n        ],\n    ),\n]\n' in said
    assert constants(said)["STAGES"] == [("a_stage_of_many_tasks", None, list(shape.addresses))]


@pytest.mark.parametrize(
    ("schedule", "written"),
    [
        ('"0 2 * * *"', 'Cron("0 2 * * *", timezone="Europe/Berlin", day_or=False)'),
        ('"0 2 1 * mon"', 'Cron("0 2 1 * mon", timezone="Europe/Berlin")'),
        ('"0 2 */2 * mon"', 'Cron("0 2 */2 * mon", timezone="Europe/Berlin", day_or=False)'),
    ],
)
def test_the_schedule_keeps_its_timezone_and_how_its_days_combine(
    schedule: str, written: str
) -> None:
    text = exported(f"schedule: {schedule}\ntimezone: Europe/Berlin\ncatch_up: once")
    assert f'SCHEDULE = {written}\nCATCH_UP = "once"\n' in text


def test_the_window_that_it_names_is_the_one_that_is_tested() -> None:
    asked = (LOCKS / "prefect.in").read_text()
    assert f"prefect>={prefect.TESTED_FROM},<{prefect.TESTED_BELOW}\n" in asked
    assert f"fastapi<{prefect.FASTAPI_BELOW}\n" in asked
    text = exported()
    assert f'TESTED = ("{prefect.TESTED_FROM}", "{prefect.TESTED_BELOW}")' in text
    locked = re.findall(r"^prefect==(\S+)", (LOCKS / "prefect.lock").read_text(), re.MULTILINE)
    assert [release.rpartition(".")[0] for release in locked] == [prefect.TESTED_FROM]


def flow_without_prefect(tmp_path: Path) -> Path:
    file = tmp_path / "flow.py"
    file.write_text(exported())
    return file


def test_without_prefect_it_says_what_to_install(tmp_path: Path) -> None:
    file = flow_without_prefect(tmp_path)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"flow.py needs Prefect: {sys.executable} -m pip install"
        " 'prefect>=3.8,<3.9' 'fastapi<0.151' (No module named 'prefect')\n"
    )


def test_a_scheduler_that_imports_it_is_told_the_same(tmp_path: Path) -> None:
    file = flow_without_prefect(tmp_path)
    broken = tmp_path / "prefect"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise TypeError('no min_items')")
    code = f"import runpy; runpy.run_path({str(file)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.stderr.splitlines()[-1].startswith("ImportError: flow.py needs Prefect:")
    assert done.stderr.endswith("'prefect>=3.8,<3.9' 'fastapi<0.151' (no min_items)\n")


def test_the_command_writes_it_and_sees_later_that_it_was_edited(tmp_path: Path) -> None:
    shop = Shop(tmp_path, "shop")
    shop.write("check: pass")
    file = shop.export("prefect", tmp_path / "flows" / "shop.py")
    assert "# Written by `seatrial export prefect pipeline.yaml`" in file.read_text()
    shop.export("prefect", file)
    file.write_text(file.read_text().replace("RETRIES = 2", "RETRIES = 9"))
    again = shop.command("export", "prefect", "pipeline.yaml", "-o", str(file))
    assert again.returncode == 2
    assert "shop.py was edited by hand since it was exported" in again.stderr
