"""One comment on a pull request: found again, kept up to date, and what stands in its way."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from github_api import TOKEN, US, GitHub, Refusal, github
from seatrial.errors import FileError, PassingError, SeatrialError, StoreError, UsageError
from seatrial.report.comment.body import body, read
from seatrial.report.comment.github import Written, write
from seatrial.report.comment.place import place, token
from seatrial.report.comment.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NOW_S = 1_800_000_000.0
JOB = {
    "GITHUB_REPOSITORY": "ada/shop",
    "GITHUB_REF": "refs/pull/7/merge",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_RUN_ID": "42",
}


@pytest.fixture
def api() -> Iterator[GitHub]:
    with github() as found:
        yield found


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def say(api: GitHub, waited: list[float]) -> Callable[..., Written]:
    def call(markdown: str = "## all well", pipeline: str = "late", key: str = TOKEN) -> Written:
        where = place({**JOB, "GITHUB_API_URL": api.api})
        wire = Wire(place=where, token=key, pause=waited.append, clock_s=lambda: NOW_S)
        return write(wire, pipeline, markdown)

    return call


def test_it_is_written_once_and_then_kept_up_to_date(
    api: GitHub, say: Callable[..., Written]
) -> None:
    first = say("## first")
    second = say("## second")
    assert (first.done, second.done) == ("created", "updated")
    assert first.id == second.id
    assert second.url == "https://github.com/ada/shop/pull/7#issuecomment-1001"
    (told,) = api.bodies
    assert told.startswith("<!-- seatrial late -->\n## second\n")
    assert "https://github.com/ada/shop/actions/runs/42" in told
    assert "5ea75ea7" in told


def test_each_pipeline_has_its_own(api: GitHub, say: Callable[..., Written]) -> None:
    say("one", "late")
    say("two", "shop")
    say("three", "late")
    assert [text.split("\n")[1] for text in api.bodies] == ["three", "two"]


def test_what_others_wrote_is_never_touched(api: GitHub, say: Callable[..., Written]) -> None:
    """Not even with the mark, which everybody can copy."""
    api.wrote("mallory", "<!-- seatrial late -->\nmine")
    api.wrote("other[bot]", "<!-- seatrial late -->\nmine")
    api.wrote(US, "> <!-- seatrial late -->\nquoted by the same bot")
    api.wrote(US, "a greeting\n<!-- seatrial late -->")
    before = [*api.bodies]
    assert say().done == "created"
    assert say().done == "updated"
    assert api.bodies[:-1] == before


def test_it_is_found_among_many(api: GitHub, say: Callable[..., Written]) -> None:
    for count in range(230):
        api.wrote("ada", f"remark {count}")
    mine = api.wrote(US, "<!-- seatrial late -->\r\nold")
    for count in range(30):
        api.wrote("ada", f"later remark {count}")
    assert say("new").id == mine["id"]
    assert "new" in mine["body"]
    assert sum("comments?" in path for _, path in api.asked) == 3


def test_an_enterprise_server_has_its_api_elsewhere(waited: list[float]) -> None:
    with github("/api/v3") as api:
        where = place({**JOB, "GITHUB_API_URL": f"{api.api}/"})
        assert write(Wire(place=where, token=TOKEN, pause=waited.append), "late", "x").id == 1001
        assert ("POST", "/api/graphql") in api.asked


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        (Refusal(502, "Server Error"), [1]),
        (Refusal(503, "later", {"Retry-After": "7"}), [7]),
        (Refusal(429, "slow down", {"Retry-After": "30"}), [30]),
        (Refusal(403, "You have exceeded a secondary rate limit."), [60]),
        (
            Refusal(
                403,
                "API rate limit exceeded",
                {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW_S) + 25)},
            ),
            [25],
        ),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Refusal) else None,
)
def test_it_waits_as_github_asks(
    api: GitHub,
    say: Callable[..., Written],
    waited: list[float],
    refusal: Refusal,
    waits: list[int],
) -> None:
    api.refuse("GET", refusal)
    assert say().done == "created"
    assert waited == waits


def test_a_comment_whose_answer_was_lost_is_not_written_twice(
    api: GitHub, say: Callable[..., Written]
) -> None:
    api.refuse("POST", Refusal(502, "Bad Gateway", does_it=True), "/issues/7/comments")
    assert say().id == 1001
    assert len(api.comments) == 1


def test_it_does_not_wait_for_ever(
    api: GitHub, say: Callable[..., Written], waited: list[float]
) -> None:
    api.refuse("GET", Refusal(403, "secondary rate limit", {"Retry-After": "3600"}))
    with pytest.raises(PassingError, match="GitHub asks to wait 3600 s"):
        say()
    assert waited == []
    for _ in range(4):
        api.refuse("GET", Refusal(500, "broken"))
    with pytest.raises(PassingError, match="GitHub answers 500: broken"):
        say()
    assert waited == [1, 4, 16]


@pytest.mark.parametrize(
    ("method", "refusal", "says"),
    [
        ("GET", Refusal(404, "Not Found"), "there is no pull request ada/shop#7"),
        ("POST", Refusal(410, "Issues are disabled"), "GitHub answers 410: Issues are disabled"),
        ("GET", Refusal(301, "Moved Permanently", {"Location": "/elsewhere"}), "another name"),
        (
            "POST",
            Refusal(422, "Validation Failed", errors=[{"message": "Body \x1b[2Jis too long"}]),
            r"does not take the comment: Validation Failed; Body \\x1b\[2Jis too long",
        ),
        ("POST", Refusal(403, "Unable to create comment because issue is locked."), "is locked"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Refusal) else None,
)
def test_a_refusal_is_told(
    api: GitHub, say: Callable[..., Written], method: str, refusal: Refusal, says: str
) -> None:
    api.refuse(method, refusal, "" if method == "GET" else "/comments")
    with pytest.raises(StoreError, match=says) as told:
        say()
    _demand_short(told.value)


def test_a_token_that_is_wrong_is_told_and_never_shown(
    api: GitHub, say: Callable[..., Written]
) -> None:
    with pytest.raises(StoreError, match="does not accept the token: Bad credentials") as told:
        say(key="ghs_" + "wrong" * 8)
    _demand_short(told.value)
    api.refuse("GET", Refusal(418, f"I know {TOKEN}"))
    with pytest.raises(StoreError, match=r"I know \*\*\*") as told:
        say()
    assert TOKEN not in str(told.value)
    wire = Wire(place=place({**JOB, "GITHUB_API_URL": api.api}), token=TOKEN)
    assert TOKEN not in repr(wire)


def test_a_job_without_the_permission_is_told_which(
    api: GitHub, say: Callable[..., Written]
) -> None:
    api.may_write = False
    with pytest.raises(StoreError, match="pull-requests: write"):
        say()
    api.head = "mallory/shop"
    with pytest.raises(StoreError, match="from a fork, whose jobs cannot write") as told:
        say()
    _demand_short(told.value)


def test_nobody_answers(waited: list[float]) -> None:
    with github() as api:
        where = place({**JOB, "GITHUB_API_URL": api.api})
    with pytest.raises(PassingError, match="cannot be reached: Connection refused"):
        write(Wire(place=where, token=TOKEN, pause=waited.append), "late", "x")
    assert len(waited) == 3


def test_a_token_is_not_taken_to_another_host(api: GitHub) -> None:
    where = place({**JOB, "GITHUB_API_URL": api.api})
    for count in range(101):
        api.wrote("ada", f"{count}")
    with github() as other:
        api.api = other.api  # where its second page is
        with pytest.raises(PassingError, match="leads to another host"):
            write(Wire(place=where, token=TOKEN), "late", "x")
        assert other.asked == []


def test_a_report_that_holds_the_token_is_not_published(
    api: GitHub, say: Callable[..., Written]
) -> None:
    with pytest.raises(StoreError, match="holds the token") as told:
        say(f"look: {TOKEN}")
    assert TOKEN not in str(told.value)
    assert api.comments == []


def test_a_report_that_is_too_long_is_told(say: Callable[..., Written]) -> None:
    assert say("x" * 65_000).done == "created"
    with pytest.raises(FileError, match="GitHub takes 65536"):
        say("x" * 65_536)
    assert len(body("late", "x", "")) < 40


@pytest.mark.parametrize("name", ["a b", "late -->\n<script>", "", "Late", "../late"])
def test_no_other_name_is_a_pipelines(api: GitHub, say: Callable[..., Written], name: str) -> None:
    with pytest.raises(UsageError, match="no pipeline can be called"):
        say(pipeline=name)
    assert api.asked == []


def test_the_file_is_read_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    file.write_text("## käse\n", encoding="utf-8")
    assert read(file) == "## käse\n"
    link = tmp_path / "link.md"
    link.symlink_to("/proc/self/environ")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "binary.md").write_bytes(b"\xff\xfe")
    for name in ("link.md", "pipe.md", "binary.md", "missing.md", "."):
        with pytest.raises(FileError):
            read(tmp_path / name)


def _event(tmp_path: Path, event: object) -> dict[str, str]:
    file = tmp_path / "event.json"
    file.write_text(event if isinstance(event, str) else json.dumps(event))
    return {"GITHUB_REPOSITORY": "ada/shop", "GITHUB_EVENT_PATH": str(file)}


def test_the_job_says_which_pull_request(tmp_path: Path) -> None:
    assert place(_event(tmp_path, {"pull_request": {"number": 12}})).pull == 12
    assert place(_event(tmp_path, {"issue": {"number": 13, "pull_request": {}}})).pull == 13
    by_hand = place({**JOB, "GITHUB_EVENT_PATH": "/nowhere"}, repository="o/r", pull=3)
    assert (str(by_hand), by_hand.api) == ("o/r#3", "https://api.github.com")
    assert by_hand.job == "https://github.com/ada/shop/actions/runs/42"


@pytest.mark.parametrize(
    "event", [{}, {"issue": {"number": 13}}, [], "no json", {"pull_request": 1}]
)
def test_a_job_of_no_pull_request_is_told(tmp_path: Path, event: object) -> None:
    with pytest.raises(UsageError, match="no pull request") as told:
        place({**_event(tmp_path, event), "GITHUB_REF": "refs/heads/main"})
    _demand_short(told.value)


@pytest.mark.parametrize("name", ["", "shop", "a/b/c", "../..", "a/..", "a b/c", "a/b?c", "a/b\n"])
def test_no_other_text_is_a_repository(name: str) -> None:
    with pytest.raises(UsageError, match="repository"):
        place({"GITHUB_REPOSITORY": name, "GITHUB_REF": "refs/pull/7/merge"})


@pytest.mark.parametrize(
    "api",
    [
        "http://github.example/api/v3",
        "ftp://github.example",
        "https://user:pass@github.example",
        "https://",
        "github.example",
        "https://github.example/?x",
        "https://github example",
    ],
)
def test_a_token_goes_nowhere_else(api: str) -> None:
    with pytest.raises(UsageError):
        place(JOB, api=api)


@pytest.mark.parametrize("given", [{}, {"GITHUB_TOKEN": " "}, {"GITHUB_TOKEN": "a\nHost: b"}])
def test_a_token_must_be_one(given: Mapping[str, str]) -> None:
    with pytest.raises(UsageError, match="GITHUB_TOKEN") as told:
        token(given)
    assert "Host" not in str(told.value)


def _demand_short(error: SeatrialError) -> None:
    assert len(str(error).splitlines()) <= 6
    assert TOKEN not in str(error)
