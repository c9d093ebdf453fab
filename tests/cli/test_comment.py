"""``seatrial comment``: a run of the project, or a report that another job left."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from github_api import TOKEN, GitHub, github

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Program

PIPELINE = """name: late
stages:
  - name: checks
    tasks:
      - check_schema: {dataset: a, expected_columns: [COLUMN]}
"""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with github() as found:
        monkeypatch.setenv("GITHUB_API_URL", found.api)
        monkeypatch.setenv("GITHUB_REPOSITORY", "ada/shop")
        monkeypatch.setenv("GITHUB_REF", "refs/pull/7/merge")
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.delenv("GITHUB_EVENT_PATH", raising=False)
        yield found


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x,y,target\n1,2,0\n3,4,1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _run(project: Path, seatrial: Program, column: str) -> str:
    (project / "pipeline.yaml").write_text(PIPELINE.replace("COLUMN", column))
    run: str = seatrial("run", "--json", "pipeline.yaml").json["run"]
    return run


def test_a_run_is_told_and_then_the_next(api: GitHub, project: Path, seatrial: Program) -> None:
    first = _run(project, seatrial, "x")
    said = seatrial("comment", "--github")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("ada/shop#7: comment created: https://github.com/ada/shop/pull/7#")
    assert api.bodies[0].startswith("<!-- seatrial late -->\n## `late`: passed\n")
    _run(project, seatrial, "missing")
    told = seatrial("comment", "--github", "--json").json
    assert told == {
        "repository": "ada/shop",
        "pull": 7,
        "pipeline": "late",
        "comment": 1001,
        "url": "https://github.com/ada/shop/pull/7#issuecomment-1001",
        "done": "updated",
    }
    (body,) = api.bodies
    assert "## `late`: failed\n" in body
    assert seatrial("comment", "--github", first[:20]).code == 0
    assert f"run `{first}`" in api.bodies[0]


def test_a_report_of_another_job(api: GitHub, project: Path, seatrial: Program) -> None:
    (project / "report.md").write_text("## `late`: passed\n")
    words = ("comment", "--github", "--from", "report.md", "--pipeline", "late")
    assert seatrial(*words).code == 0
    assert api.bodies == ["<!-- seatrial late -->\n## `late`: passed\n\n<sub>of commit "
        + "5ea7" * 10 + "</sub>\n"]  # fmt: skip
    assert not (project / ".seatrial").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "where is the comment to go?"),
        (["--github"], "no run in this project yet"),
        (["--github", "--from", "report.md"], "belong together"),
        (["--github", "--pipeline", "late"], "belong together"),
        (["--github", "01M8", "--from", "report.md", "--pipeline", "late"], "both"),
        (["--github", "--from", "report.md", "--pipeline", "late"], "cannot be read"),
        (["--github", "--pull", "0"], "0 is not in the range"),
        (["--github", "--repository", "shop"], "'shop' is no repository"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_wrong_is_told_before_anybody_is_asked(
    api: GitHub, seatrial: Program, words: list[str], says: str
) -> None:
    said = seatrial("comment", *words)
    assert (said.code, says in said.err) == (2, True), said.err
    assert len(said.err.splitlines()) <= 6
    assert api.asked == []


@pytest.mark.usefixtures("project")
def test_a_refusal_is_no_verdict(
    api: GitHub, seatrial: Program, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    (project / "report.md").write_text("well\n")
    words = ("comment", "--github", "--from", "report.md", "--pipeline", "late")
    api.may_write = False
    said = seatrial(*words)
    assert (said.code, "pull-requests: write" in said.err) == (5, True)
    monkeypatch.delenv("GITHUB_TOKEN")
    said = seatrial(*words)
    assert (said.code, "$GITHUB_TOKEN is not set" in said.err) == (2, True)


def test_the_job_that_comments_needs_nothing_but_click(api: GitHub, project: Path) -> None:
    """It holds a token that writes, so that every package less is one less to trust."""
    (project / "report.md").write_text("well\n")
    script = (
        "import sys\n"
        "before = {m.partition('.')[0] for m in sys.modules}\n"
        "from seatrial.cli import main\n"
        "try: main()\n"
        "finally:\n"
        "    loaded = {m.partition('.')[0] for m in sys.modules} - before\n"
        "    print(*(loaded - sys.stdlib_module_names))\n"
    )
    words = ("comment", "--github", "--from", "report.md", "--pipeline", "late")
    done = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.splitlines()[-1]
    assert set(loaded.split()) == {"click", "seatrial"}
    assert len(api.bodies) == 1
