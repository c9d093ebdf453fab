"""A run as Markdown: what a reader sees of it, and what texts of others cannot do to it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import seatrial
from seatrial import workspace
from seatrial.errors import StoreError
from seatrial.ledger import runs
from seatrial.ledger.runs import Run, State
from seatrial.outcome import Finding, Measure, Outcome, Verdict, Wait
from seatrial.registry import gateways
from seatrial.registry.gateways import Gateway
from seatrial.registry.project import open_project
from seatrial.report.account import Account, account
from seatrial.report.as_markdown import MOST_BYTES, as_markdown
from seatrial.report.asked import Asked
from seatrial.review import items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from markdown_it.token import Token


def _told(file: Path) -> str:
    """The newest run of the project."""
    project = open_project(workspace.of_file(file))
    try:
        return as_markdown(account(project, runs.latest(project.ledger)[0]))
    finally:
        project.ledger.close()


def test_a_run_that_passed(file: Path) -> None:
    driven = seatrial.run(file, ["checks.check_schema.strict=false"])
    told = _told(file)
    assert told.startswith(
        "## `told`: passed\n\n**Passed: no evidence of harm.** 3 tasks: 3 passed.\n\n"
        "Nothing was in production when it ended.\n"
    )
    assert "| `checks` | `check_schema-2` | pass | a: " in told
    lineage = told.splitlines()[-1]
    assert lineage.startswith(f"run `{driven.document['run']}` · no model registered · ")
    assert "pipeline `pipeline.yaml` · with `checks.check_schema.strict=false` · seed 7" in lineage
    assert f"seatrial {version('seatrial')} · engine embedded · begun 20" in lineage
    assert "Findings" not in told
    assert "In the way" not in told


def test_it_leads_to_the_page_while_there_is_one(file: Path) -> None:
    run = seatrial.run(file).document["run"]
    assert "Its page" not in _told(file)
    project = open_project(workspace.of_file(file))
    home = project.workspace.home
    control = "https://ml.example.com)**"  # nothing of an address is markup
    gateway = Gateway(
        id="one",
        host=workspace.machine(home),
        pid=os.getpid(),
        address="http://127.0.0.1:80",
        workers=1,
        control=control,
    )
    with gateways.hold(home, "one"):
        gateways.enter(project.ledger, gateway)
        assert f"\n\n[Its page](https://ml.example.com%29%2A%2A/runs/{run})\n\n" in _told(file)
    project.ledger.close()


def test_a_run_that_failed_says_why_and_what_to_do(file: Path) -> None:
    seatrial.run(file, ["checks.check_schema-2.expected_columns=[xx]"])
    told = _told(file)
    assert told.startswith("## `told`: failed\n\n**Failed: evidence of harm.** `checks.check_sch")
    assert "| **fail** |" in told
    assert "| `later` | `check_schema` | not reached |  | - |" in told
    assert "### Findings\n\n- `checks.check_schema-2`: " in told
    assert "\\\n  hint: " in told


def test_a_run_in_review_says_what_a_person_can_do(
    file: Path, second_says: Callable[[Callable[[], Outcome | Wait]], None]
) -> None:
    second_says(lambda: Outcome(verdict=Verdict.INCONCLUSIVE, reason="40 rows cannot say"))
    driven = seatrial.run(file)
    (asked,) = driven.asked
    told = _told(file)
    assert "**Inconclusive, in review: the data cannot say.** `checks.check_schema-2`: 40" in told
    assert "Nothing is in production so far." in told
    assert f"Review `{asked.id}` of `told/checks.check_schema-2`, due 20" in told
    assert f"\nseatrial approve {asked.id} --reason '…'\n" in told
    project = open_project(workspace.of_file(file))
    try:
        items.decide(project.ledger, asked.id, "reject", "ada", "too few | rows")
    finally:
        project.ledger.close()
    told = _told(file)
    assert told.startswith("## `told`: inconclusive\n")
    assert "- `told/checks.check_schema-2`: rejected by ada on 20" in told
    assert "UTC: too few \\| rows\n" in told
    assert "Waits for a person" not in told


def test_a_run_that_waits(
    file: Path, second_says: Callable[[Callable[[], Outcome | Wait]], None]
) -> None:
    until = datetime(2099, 1, 2, 3, 4, tzinfo=UTC)
    second_says(lambda: Wait(until=until, reason="gathers traffic"))
    seatrial.run(file)
    told = _told(file)
    assert "**Waiting: it goes on after 2099-01-02 03:04 UTC.** `checks.check_schema-2`: g" in told
    assert "| waiting until 2099-01-02 03:04 UTC | gathers traffic |" in told


def test_a_run_that_something_stopped(
    file: Path, second_says: Callable[[Callable[[], Outcome | Wait]], None]
) -> None:
    def broken() -> Outcome:
        raise StoreError("the store is gone")

    second_says(broken)
    seatrial.run(file)
    told = _told(file)
    said = "**Stopped: something is in the way, which is no verdict.** the store is gone."
    assert said in told
    assert "### In the way\n\n```text\nthe store is gone\n```" in told


def test_data_that_cannot_be_used(file: Path) -> None:
    (file.parent / "data" / "a.csv").write_text("x,y,target\n")
    seatrial.run(file)
    assert "**No verdict: what it reads cannot be used.** " in _told(file)


def test_a_run_that_another_superseded(
    file: Path, second_says: Callable[[Callable[[], Outcome | Wait]], None]
) -> None:
    second_says(lambda: Wait(until=workspace.now() + timedelta(hours=1), reason="gathers traffic"))
    driven = seatrial.run(file)
    seatrial.run(file, ["checks.check_schema.expected_columns=[y]"])
    project = open_project(workspace.of_file(file))
    try:
        told = as_markdown(account(project, runs.get(project.ledger, str(driven.document["run"]))))
    finally:
        project.ledger.close()
    assert "**Superseded: it ended without a verdict.** superseded by run" in told
    assert "When it began, nothing was in production." in told


def test_a_file_that_this_release_cannot_read_costs_only_the_seed(file: Path) -> None:
    seatrial.run(file)
    project = open_project(workspace.of_file(file))
    try:
        run = runs.latest(project.ledger)[0]
        later = f"{run.request['text']}later: true\n"
        told = account(project, replace(run, request={**run.request, "text": later}))
    finally:
        project.ledger.close()
    assert told.seed is None
    assert "seed" not in as_markdown(told)


# what others wrote


def _account(*tasks: Outcome, asked: Sequence[Asked] = (), **changed: Any) -> Account:
    """A run of the stage ``checks`` whose tasks have said this."""
    run = Run(
        id="01M8", pipeline="told", key="k", state=State.FINISHED, verdict=Verdict.FAIL,
        started="2026-11-26T07:05:00+00:00", ended="2026-11-26T07:06:00+00:00", model="told",
        pinned=1, pinned_revision=1, production_after=1, errors=(),
        request={"file": "pipeline.yaml", "changes": [], "by": "ada", "seatrial": "0.1.0"},
    )  # fmt: skip
    run = replace(run, **changed)
    stage = {"name": "checks", "verdict": "fail", "tasks": [*map(_task, tasks)]}
    document = {
        "production": {"before": 1, "after": 1},
        "model": None,
        "errors": list(run.errors),
        "stages": [stage],
    }
    return Account(run=run, document=document, asked=tuple(asked), seed=7)


def _task(outcome: Outcome) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    return {
        "task": "probe", "state": "done", "verdict": outcome.verdict, "reason": outcome.reason,
        "seconds": 0.1, "waiting_until": None,
        "measures": [asdict(measure) for measure in outcome.measures],
        "findings": [asdict(finding) for finding in outcome.findings],
    }  # fmt: skip


def _saying(text: str) -> Account:
    """A run in which everything that others write says this."""
    measure = Measure(
        name=text, value=0.8, low=0.7, high=0.9, limit=0.85, n=9, verdict=Verdict.FAIL
    )
    outcome = Outcome(
        verdict=Verdict.FAIL,
        reason=text,
        measures=(measure, replace(measure, limit=None)),
        findings=(Finding(what=text, where=text, hint=text), Finding(what=text)),
    )
    asked = Asked(
        id="01M9", subject=text, question=text, recommended=text, options=("approve",),
        resolves=text, on_timeout=text, due="2026-11-27T07:05:00+00:00", status="open",
        decided=None, by=None, reason=None,
    )  # fmt: skip
    decided = replace(asked, status="approved", by=text, reason=text, decided="2026-11-26T07:05")
    request = {"file": text, "changes": [text], "by": text, "seatrial": text, "once": text}
    return _account(outcome, asked=[asked, decided], errors=(text,), request=request)


def _tokens(markdown: str) -> list[Token]:
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return [each for top in reader.parse(markdown) for each in (top, *(top.children or ()))]


def _form(markdown: str) -> list[tuple[str, str]]:
    """The form of a page: its elements, its HTML, its headings; without its texts and names."""
    seen = [
        (token.type, token.content if token.type.startswith("html") else token.tag)
        for token in _tokens(markdown)
        if token.type not in {"text", "text_special", "inline", "code_inline", "softbreak"}
    ]
    return [(kind, content.strip()) for kind, content in seen]


HARMLESS = _form(as_markdown(_saying("x")))
HOSTILE = [
    "a | b | c", "a \\| b", "\\", "`", "``` x", "a\n\n# b", "a\n| --- |\n", "<script>x</script>",
    "<!-- x", "</details>", "<b>x</b>", "&lt;b&gt; &#60;b>", "![x](http://x.org/y.png)",
    "[x](javascript:alert(1))", "[x]: http://y", "*x* **x** _x_ __x__ ~~x~~", "<http://x.org>",
    "\u202egnp.exe", "x\u2028y\u0000z\x1b[2J", "- x", "1. x", "> x", "a\\\nb",
    "```\n</details>\n```",
    "\ud800", "\u200b", " ", "",
]  # fmt: skip


@pytest.mark.parametrize("said", HOSTILE, ids=ascii)
def test_what_others_wrote_changes_nothing_but_the_words(said: str) -> None:
    _demand_harmless(said)


@given(st.text(alphabet="|`\\<>[]()*_~&#!-+:.@$ \n\r\tab1\u202e", max_size=30) | st.text())
def test_whatever_they_wrote(said: str) -> None:
    _demand_harmless(said)


def _demand_harmless(said: str) -> None:
    told = as_markdown(_saying(said))
    told.encode()
    elements = {"hardbreak", "hint"}
    form = [each for each in _form(told) if each[0] not in elements]
    assert form == [each for each in HARMLESS if each[0] not in elements]
    assert not set("\u202e\u2028\x1b\0") & set(told)


@pytest.mark.parametrize(
    "said", ["a | b", "a \\| b\\", "x_y __init__ *", "<b> & &lt; `c`", "100 $ ~ 5 [x](y)", "# 1. -"]
)
def test_what_others_wrote_is_shown_as_it_is(said: str) -> None:
    tokens = _tokens(as_markdown(_account(Outcome(verdict=Verdict.FAIL, reason=said))))
    cells = [
        "".join(child.content for child in token.children or ())
        for token in tokens
        if token.type == "inline"
    ]
    assert said in cells


def test_nobody_is_notified_because_a_text_names_them() -> None:
    told = as_markdown(_saying("ask @torvalds of @github/all, or ada@example.org"))
    said = [token.content for token in _tokens(told) if token.type == "text"]  # in code it is none
    assert sum("torvalds" in each for each in said) > 5
    assert not any("@torvalds" in each or "@github" in each for each in said)
    assert any("ada@example.org" in each for each in said)


# how much


@pytest.mark.parametrize("said", ["x", "\U0001f600", "|", "\u202e", "`", "<"])
def test_at_most_60_kilobytes_and_the_rest_is_counted(said: str) -> None:
    text = said * 5000
    measures = tuple(
        Measure(name=f"{i}{text}", value=0.1, limit=0.2, n=i, verdict=Verdict.FAIL)
        for i in range(60)
    )
    findings = tuple(Finding(what=f"{i}{text}", where=text, hint=text) for i in range(60))
    outcome = Outcome(verdict=Verdict.FAIL, reason=text, measures=measures, findings=findings)
    once = _saying(text)
    told = as_markdown(
        replace(
            _account(*[outcome] * 80, asked=once.asked * 30, errors=(text,) * 30),
            run=replace(once.run, request={**once.run.request, "changes": [text] * 40}),
        )
    )
    assert len(told.encode()) <= MOST_BYTES
    assert " more tasks" in told
    assert "more measures" in told
    assert "more findings" in told
    assert "and 26 more: `seatrial reviews`" in told
    assert told.splitlines()[-1].endswith("ended 2026-11-26 07:06 UTC")


def test_many_measures_are_folded_and_the_worst_stand_first() -> None:
    passed = Measure(name="wide", value=0.9, low=0.89, high=0.91, limit=0.5, verdict=Verdict.PASS)
    measures = (
        *(replace(passed, name=f"wide_{i}") for i in range(30)),
        replace(passed, name="narrow", low=0.51),
        replace(passed, name="unsure", low=0.49, verdict=Verdict.INCONCLUSIVE),
        replace(passed, name="failed", low=0.1, high=0.2, verdict=Verdict.FAIL),
        replace(passed, name="reported", limit=None, verdict=Verdict.SKIP),
    )
    told = as_markdown(_account(Outcome(verdict=Verdict.FAIL, reason="bad", measures=measures)))
    names = ["failed", "unsure", "narrow", "wide_0", "21 more that decided", "wide_29", "reported"]
    places = [told.index(name) for name in names]
    assert places == sorted(places)
    assert "| `failed` | 0.9 | 0.1 … 0.2 | at least 0.5 | 0 | **fail** |" in told


def test_one_hint_for_several_findings_is_told_once() -> None:
    findings = [Finding(what=f"column {i}", hint="look at the source") for i in range(3)]
    told = as_markdown(
        _account(Outcome(verdict=Verdict.FAIL, reason="bad", findings=tuple(findings)))
    )
    assert told.count("look at the source") == 1


def test_a_number_never_looks_as_if_it_were_on_the_other_side_of_its_limit() -> None:
    measure = Measure(
        name="m", value=0.819996, low=0.8199, high=0.8199999, limit=0.82, verdict=Verdict.FAIL
    )
    told = as_markdown(_account(Outcome(verdict=Verdict.FAIL, reason="bad", measures=(measure,))))
    assert "| 0.819996 | 0.8199 … 0.8199999 | at least 0.82 |" in told
