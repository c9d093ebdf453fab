"""The steps of the workflow in a real bash: what a check says, and what is kept of the run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from github_api import TOKEN, github
from github_runner import Job, read
from postgres import postgres as postgres  # noqa: PLC0414 - a fixture is known by its import
from scenarios import THIRD_PARTY, Shop
from shared_places import new_bucket, new_schema
from stores import _s3_server as _s3_server  # noqa: PLC0414
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from postgres import Server

pytestmark = pytest.mark.slow

ALONE = "On a ledger of its own, which ends with this job: nothing was delivered."


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setenv("PYTHONPATH", str(THIRD_PARTY))
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    folder = tmp_path / "repository" / "models" / "shop"
    folder.mkdir(parents=True)
    return Shop(folder, "shop")


@pytest.fixture
def check(shop: Shop, tmp_path: Path) -> Callable[..., tuple[bool, Job]]:
    """Run the workflow as GitHub does, each time on a new runner."""
    count = iter(range(100))

    def run(**given: Any) -> tuple[bool, Job]:
        job = Job(tmp_path / "repository", tmp_path / f"runner {next(count)}", **given)
        return job.run(_workflow(shop)), job

    return run


def _workflow(shop: Shop, file: str = "pipeline.yaml") -> dict[str, Any]:
    done = shop.command("export", "github", "--", file)
    assert done.returncode == 0, done.stderr
    return read(done.stdout)


def test_pass(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: pass; pass", "train: pass")
    green, job = check()
    assert green
    assert list(job.artefacts) == ["report.md", "result.json"]
    assert (job.result["verdict"], job.outputs["code"]) == ("pass", "0")
    note, report = job.summary.split("\n\n", 1)
    assert note == f"> {ALONE}"
    assert report == job.artefacts["report.md"]
    assert report.startswith("## `shop`: passed\n")
    assert "check.probe: pass" in job.log
    assert "::error" not in job.log


def test_a_gate_that_fails(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: fail", "train: pass")
    green, job = check()
    assert not green
    assert job.result["verdict"] == "fail"
    assert "**Failed: evidence of harm.** `check.probe`: call 1: fail." in job.summary
    assert "::error title=seatrial::a gate failed" in job.log


def test_the_other_job_comments(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: fail")
    with github() as api:
        for _ in range(2):
            green, job = check(token=TOKEN)
            assert not green
            job.environment |= {
                "GITHUB_API_URL": api.api,
                "GITHUB_REPOSITORY": "ada/shop",
                "GITHUB_REF": "refs/pull/7/merge",
            }
            assert job.comment(_workflow(shop)), job.log
        (body,) = api.bodies
    assert body.startswith(f"<!-- seatrial shop -->\n{job.artefacts['report.md'].strip()}")
    assert "comment updated" in job.log


def test_inconclusive(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: inconclusive")
    green, job = check()
    assert not green
    assert (job.result["state"], job.outputs["code"]) == ("review", "3")
    assert "inconclusive, in review" in job.summary
    assert "::error title=seatrial::inconclusive: the data cannot say" in job.log
    assert "the ledger ends with this job" in job.log


def test_a_wait(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: wait 3600")
    green, job = check()
    assert not green
    assert (job.result["state"], job.outputs["code"]) == ("waiting", "4")
    assert "**Waiting: it goes on after " in job.summary
    assert "::error title=seatrial::no verdict: the pipeline waits" in job.log


def test_something_is_in_the_way(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: store")
    green, job = check()
    assert not green
    assert job.outputs["code"] == "5"
    assert "the disk is full" in job.summary
    assert "::error title=seatrial::no verdict: something is in the way" in job.log


def test_a_broken_file(shop: Shop, tmp_path: Path) -> None:
    shop.write("check: pass")
    workflow = _workflow(shop)
    shop.file.write_text(shop.file.read_text().replace("probe", "prob"))
    job = Job(tmp_path / "repository", tmp_path / "runner")
    assert not job.run(workflow)
    assert (job.result["run"], job.outputs["code"]) == (None, "2")
    assert job.artefacts["report.md"].startswith("## shop: no report\n")
    assert job.summary.endswith(job.artefacts["report.md"])
    assert "\n    unknown task 'prob'\n      where: pipeline.yaml:" in job.summary
    assert "::error title=seatrial::the file, the form of the data or a parameter" in job.log


def test_parameters_by_hand(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: pass", "train: pass")
    settings = ' check.probe.note="two words";train.probe.script=[pass, fail]  ;'
    green, job = check(event="workflow_dispatch", inputs={"set": settings})
    assert green
    assert '`check.probe.note="two words"`, `train.probe.script=[pass, fail]`' in job.summary
    green, job = check(event="workflow_dispatch", inputs={"set": "train.probe.script=[fail]"})
    assert (green, job.outputs["code"]) == (False, "1")
    green, job = check(event="workflow_dispatch", inputs={"set": "train.probe.scrpt=[fail]"})
    assert (green, job.outputs["code"]) == (False, "2")
    assert "scrpt" in job.summary


def test_a_parameter_is_no_way_in(shop: Shop, check: Callable[..., tuple[bool, Job]]) -> None:
    shop.write("check: pass")
    for settings in ("$(touch in)", "`touch in`", "x; touch in", '"; touch in; "', "--json", "-h"):
        _, job = check(event="workflow_dispatch", inputs={"set": settings})
        assert job.outputs["code"] == "2"
    assert not [*shop.folder.parents[2].rglob("in")]


def test_a_ledger_that_was_committed_judges_nothing(
    shop: Shop, check: Callable[..., tuple[bool, Job]]
) -> None:
    """``git add --all`` takes it along when nobody told git to leave it out."""
    shop.write("check: wait 3600")
    mine = json.loads(shop.command("run", "--json", "pipeline.yaml").stdout)
    assert (shop.folder / ".seatrial" / "ledger.db").exists()
    _, job = check()
    assert (job.result["state"], mine["state"]) == ("waiting", "waiting")
    assert job.result["run"] != mine["run"]


def test_a_file_whose_name_looks_like_an_option(shop: Shop, tmp_path: Path) -> None:
    shop.write("check: pass")
    strange = shop.folder / "--json $(x).yaml"
    shop.file.rename(strange)
    job = Job(tmp_path / "repository", tmp_path / "runner")
    assert job.run(_workflow(shop, strange.name)), job.log
    assert "## `shop`: passed\n" in job.summary


def test_a_kept_ledger_lets_a_run_go_on(
    shop: Shop,
    check: Callable[..., tuple[bool, Job]],
    postgres: Server,
    s3: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Inconclusive on one runner; approved elsewhere; it goes on on the next."""
    secrets = {
        "SEATRIAL_DATABASE": new_schema(postgres),
        "SEATRIAL_BLOBS": f"{new_bucket(s3)}/shop",
        "AWS_ACCESS_KEY_ID": "harbour",
        "AWS_SECRET_ACCESS_KEY": "master",
    }
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    given = {"event": "schedule", "secrets": secrets, "variables": {"AWS_ENDPOINT_URL": s3}}
    shop.write("check: inconclusive", "train: pass")
    green, first = check(**given)
    assert not green
    assert "a person is asked (seatrial reviews); when it is approved" in first.log
    assert ALONE not in first.summary
    for name, value in (*secrets.items(), ("AWS_ENDPOINT_URL", s3)):
        monkeypatch.setenv(name, value)
    (asked,) = json.loads(shop.command("reviews", "--json").stdout)
    shop.command("approve", asked["id"], "--reason", "looked at it")
    assert not (shop.folder / ".seatrial" / "ledger.db").exists()
    for name in (*secrets, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    green, second = check(**given)
    assert green
    assert second.result["run"] == first.result["run"]
    green, alone = check(event="pull_request", secrets=secrets)
    assert not green
    assert alone.result["run"] != first.result["run"]
    assert ALONE in alone.summary
    assert "SEATRIAL_DATABASE" not in alone.environment


def test_half_of_a_kept_ledger_is_refused(
    shop: Shop, check: Callable[..., tuple[bool, Job]]
) -> None:
    shop.write("check: pass")
    green, job = check(event="schedule", secrets={"SEATRIAL_DATABASE": "postgresql://x/y"})
    assert not green
    assert "::error::set both secrets, SEATRIAL_DATABASE and SEATRIAL_BLOBS, or neither" in job.log
    assert "code" not in job.outputs


@pytest.mark.parametrize(
    ("code", "kept", "says"),
    [
        ("3", "x", "a person is asked"),
        ("3", "", "the ledger ends with this job"),
        ("4", "x", "a wait is under way until the time in the summary"),
        ("4", "", "set the secrets SEATRIAL_DATABASE and SEATRIAL_BLOBS"),
        ("70", "", "seatrial itself failed"),
    ],
)
def test_every_exit_code_is_explained(
    shop: Shop, tmp_path: Path, code: str, kept: str, says: str
) -> None:
    shop.write("check: pass")
    workflow = _workflow(shop)
    steps = workflow["jobs"]["seatrial"]["steps"]
    steps[:] = [step for step in steps if "uses" in step or step["name"] == "Say the verdict"]
    job = Job(tmp_path / "repository", tmp_path / "runner", outputs={"code": code})
    job.environment["SEATRIAL_DATABASE"] = kept
    assert not job.run(workflow)
    assert says in job.log
