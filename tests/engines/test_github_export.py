"""The workflow of GitHub Actions that we write: its form, its schedule, what it installs."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from github_runner import read
from seatrial.cli import root
from seatrial.engines._call import Call
from seatrial.engines._outline import Outline
from seatrial.engines.github import Github
from seatrial.errors import SeatrialError
from seatrial.pipeline.schedule import fields

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPELINE = """name: shop
stages:
  - name: check
    tasks:
      - check_schema: {dataset: rows}
"""
RELEASE = version("seatrial")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


def _project(repository: Path, folder: str = "", **settings: str) -> Path:
    place = repository / folder
    (place / "data").mkdir(parents=True, exist_ok=True)
    (place / "data" / "rows.csv").write_text("x,target\n1,0\n2,1\n")
    file = place / "pipeline.yaml"
    file.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()) + PIPELINE)
    return file


def _export(*words: str) -> Result:
    return CliRunner().invoke(root, ["export", "github", *words], standalone_mode=False)


def _written(file: Path) -> dict[str, Any]:
    done = _export(str(file))
    assert done.exception is None, done.exception
    return read(done.output)


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    """The schema that schemastore.org publishes for workflows, as a package carries it."""
    found = importlib.util.find_spec("check_jsonschema")
    assert found is not None, "the package check-jsonschema is not installed"
    assert found.origin is not None
    carried = Path(found.origin).parent / "builtin_schemas" / "vendor" / "github-workflows.json"
    return jsonschema.Draft7Validator(json.loads(carried.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"schedule": '"0 2 * * *"'},
        {"schedule": '"0 2 * * *"', "timezone": "Europe/Berlin", "overlap": "replace"},
    ],
    ids=str,
)
def test_it_is_valid_by_the_published_schema(
    repository: Path, schema: jsonschema.Draft7Validator, settings: dict[str, str]
) -> None:
    workflow = _written(_project(repository, "models/flights", **settings))
    assert [error.message for error in schema.iter_errors(workflow)] == []
    workflow["jobs"]["seatrial"]["step"] = []
    assert [error.message for error in schema.iter_errors(workflow)]  # it does look


def test_a_pull_request_starts_it_and_people_do(repository: Path) -> None:
    workflow = _written(_project(repository))
    assert list(workflow["on"]) == ["pull_request", "workflow_dispatch"]
    assert list(workflow["on"]["workflow_dispatch"]["inputs"]) == ["set"]
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["name"] == "shop"


def test_the_schedule_is_the_pipelines(repository: Path) -> None:
    workflow = _written(_project(repository, schedule='"0 2 * * *"'))
    assert workflow["on"]["schedule"] == [{"cron": "0 2 * * *"}]
    workflow = _written(
        _project(repository, schedule='"5 2 * jan-mar fri-7"', timezone="Europe/Berlin")
    )
    assert workflow["on"]["schedule"] == [
        {"cron": "5 2 * JAN-MAR 0,5,6", "timezone": "Europe/Berlin"}
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*/15 8-18/2 1,15 * mon-fri", "*/15 8-18/2 1,15 * MON-FRI"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * 5-7/2", "0 0 * * 0,5"),
        ("7 7 7 7 */7", "7 7 7 7 */7"),
        ("0 0 * * 1", "0 0 * * 1"),
    ],
)
def test_sunday_has_only_one_number_at_github(repository: Path, text: str, said: str) -> None:
    (found,) = _written(_project(repository, schedule=f'"{text}"'))["on"]["schedule"]
    assert found == {"cron": said}
    assert fields(said) == fields(text)


@pytest.mark.parametrize(
    ("overlap", "replaced"),
    [
        ("skip", "${{ github.event_name == 'pull_request' }}"),
        ("queue", "${{ github.event_name == 'pull_request' }}"),
        ("replace", True),
    ],
)
def test_a_run_is_cancelled_by_the_next_where_the_pipeline_says_so(
    repository: Path, overlap: str, replaced: object
) -> None:
    workflow = _written(_project(repository, schedule='"0 2 * * *"', overlap=overlap))
    assert workflow["concurrency"]["cancel-in-progress"] == replaced
    assert workflow["concurrency"]["group"].startswith("seatrial-shop-${{ ")


def test_it_runs_in_the_projects_folder_of_the_repository(repository: Path) -> None:
    workflow = _written(_project(repository, "models/flights"))
    assert _working_directory(workflow) == "models/flights"
    assert _working_directory(_written(_project(repository))) == "."


def test_a_folder_that_is_no_repository_is_taken_as_its_root(tmp_path: Path) -> None:
    assert _working_directory(_written(_project(tmp_path, "alone"))) == "."


def _working_directory(workflow: dict[str, Any]) -> str:
    found: str = workflow["jobs"]["seatrial"]["defaults"]["run"]["working-directory"]
    return found


OURS = f'python -m pip install "seatrial[postgres,s3]=={RELEASE}"'
THEIRS = "python -m pip install --requirement requirements.txt"


@pytest.mark.parametrize(
    ("requirements", "installs"),
    [
        (None, [OURS]),
        ("pandas==2.3.0\n", [THEIRS, OURS]),
        ("pandas\nseatrial==0.0.9\n", [THEIRS]),
        ("Seatrial [s3] >= 0.0.9 # ours\n", [THEIRS]),
        ("seatrial-plugins==1\n# seatrial\n", [THEIRS, OURS]),
    ],
)
def test_it_installs_this_release_unless_the_project_names_another(
    repository: Path, requirements: str | None, installs: list[str]
) -> None:
    file = _project(repository)
    if requirements is not None:
        (file.parent / "requirements.txt").write_text(requirements)
    steps = _written(file)["jobs"]["seatrial"]["steps"]
    (found,) = [step["run"] for step in steps if step.get("name") == "Install seatrial"]
    assert found.splitlines() == installs
    (python,) = [step["with"] for step in steps if "setup-python" in step.get("uses", "")]
    assert python == {"python-version": f"{sys.version_info.major}.{sys.version_info.minor}"}


def test_it_can_be_read(repository: Path) -> None:
    file = _project(repository, "models/flights", schedule='"0 2 * * *"', timezone="Europe/Berlin")
    head, *lines = _export(str(file)).output.split("\n\n", 1)
    assert head.startswith("# Sealed: ")
    assert lines[0].startswith("# Judges models/flights/pipeline.yaml\n# on every pull request")
    assert lines[0].count("\n") < 180
    assert max(map(len, lines[0].splitlines())) <= 100


def test_nothing_that_others_write_is_put_into_a_script(repository: Path) -> None:
    """What GitHub evaluates inside a script is a way in."""
    workflow = _written(_project(repository, schedule='"0 2 * * *"'))
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_the_token_that_writes_is_in_a_job_without_the_repository(repository: Path) -> None:
    """What a pull request brings is run by the other job, which may only read."""
    (repository / "requirements.txt").write_text("whatever\n")
    workflow = _written(_project(repository))
    judged, told = (workflow["jobs"][name] for name in ("seatrial", "comment"))
    assert "permissions" not in judged
    assert "github.token" not in json.dumps(judged)
    assert told["permissions"] == {"pull-requests": "write"}
    assert "secrets." not in json.dumps(told)
    actions = [step["uses"].partition("@")[0] for step in told["steps"] if "uses" in step]
    assert actions == ["actions/setup-python", "actions/download-artifact"]
    installs, comments = [step["run"] for step in told["steps"] if "run" in step]
    assert installs == (
        "python -m pip install --no-deps --only-binary :all:"
        f' "seatrial=={RELEASE}" "click=={version("click")}"'
    )
    assert "python -I -m seatrial comment --github" in comments
    assert [step["name"] for step in told["steps"] if "env" in step] == [
        "Comment on the pull request"
    ]


def test_a_fork_is_not_commented_for_its_jobs_cannot(repository: Path) -> None:
    told = _written(_project(repository))["jobs"]["comment"]
    assert told["needs"] == "seatrial"
    assert told["if"].split(" && ") == [
        "!cancelled()",
        "github.event_name == 'pull_request'",
        "github.event.pull_request.head.repo.full_name == github.repository",
        "needs.seatrial.outputs.code != ''",
    ]


def test_both_jobs_mean_the_same_artefact(repository: Path) -> None:
    workflow = _written(_project(repository))
    (kept,) = _using(workflow["jobs"]["seatrial"], "actions/upload-artifact")
    (read_,) = _using(workflow["jobs"]["comment"], "actions/download-artifact")
    assert kept == read_


def _using(job: dict[str, Any], action: str) -> list[dict[str, Any]]:
    return [step["with"] for step in job["steps"] if step.get("uses", "").startswith(f"{action}@")]


def test_a_pull_request_gets_no_secret(repository: Path) -> None:
    workflow = _written(_project(repository))
    for step in workflow["jobs"]["seatrial"]["steps"]:
        if "secrets." in json.dumps(step):
            assert step["if"] == "github.event_name != 'pull_request'"
    assert "secrets." not in json.dumps(workflow["jobs"]["seatrial"].get("env", {}))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_name_of_a_file_comes_through(name: str) -> None:
    _demand_literal(name)


@pytest.mark.parametrize(
    "name",
    ["${{ github.token }}", 'a"b\\', "$NAME $(x) `y`", "null", "käse \U0001f600.yaml", "a: b # c"],
)
def test_a_name_that_means_something_to_yaml_or_github(name: str) -> None:
    _demand_literal(name)


def _demand_literal(name: str) -> None:
    text = Github().export(_outline(name), Call(Path("/nowhere/to/be/found"), name, sys.executable))
    workflow = read(text)
    steps = workflow["jobs"]["seatrial"]["steps"]
    (found,) = [step["env"]["FILE"] for step in steps if "FILE" in step.get("env", {})]
    assert re.sub(r"\$\{\{ '\$\{\{' \}\}", "${{", found) == name
    assert all(each == "'${{'" for each in _evaluated(found))


def _evaluated(text: str) -> Iterator[str]:
    yield from (found[1] for found in re.finditer(r"\$\{\{ (.*?) \}\}", text))


def _outline(file: str) -> Outline:
    return Outline(
        name="shop",
        file=file,
        stages=(),
        schedule=None,
        timezone="UTC",
        overlap="skip",
        catch_up="skip",
    )


@pytest.mark.parametrize("words", [("--python", "/usr/bin/python3"), ("--image", "ours:1")])
def test_an_interpreter_or_an_image_is_refused(repository: Path, words: tuple[str, str]) -> None:
    error = _export(str(_project(repository)), *words).exception
    assert isinstance(error, SeatrialError)
    assert error.exit_code == 2
    assert "do not apply to github: its file installs seatrial itself" in str(error)
