"""A run as Markdown, as GitHub, Prefect and Metaflow show it: verdict, tasks, numbers, what to do.

At most 60 kB, because whoever shows it has limits of their own: what matters most comes first and
takes what it needs, and what was left out is counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seatrial.ledger.runs import State
from seatrial.report._markdown_lists import folded, listed, size, table
from seatrial.report._markdown_text import block, code, text
from seatrial.report._number import number
from seatrial.report.deciding import decided, interval, limit, reported
from seatrial.report.found import found
from seatrial.report.headline import headline, minute, production

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.report.account import Account
    from seatrial.report.asked import Asked
    from seatrial.report.deciding import Measured

MOST_BYTES = 60_000
_HEADINGS = 1000
"""The bytes of our own words between the parts."""
_SENTENCE, _CELL, _ERRORS, _NAME = 1000, 300, 3000, 80
"""The most characters of what others wrote: a sentence, a cell, the errors, a name."""
_SHOWN = 12
"""So many measures and findings are shown at once; more are folded."""
_ASKED = 4
"""So many questions are told in full; more are counted."""
_TASKS = ("stage", "task", "verdict", "reason", "seconds")
_MEASURES = ("task", "measure", "value", "low … high", "limit", "n", "verdict")


def as_markdown(account: Account) -> str:
    """The report; ends with a newline."""
    first = [*_head(account), *_errors(account), *_people(account)]
    last = [_lineage(account)]
    left = MOST_BYTES - _HEADINGS - size([*first, *last])
    tasks = [*_tasks(account, left // 2)]
    left -= size(tasks)
    measures = [*_measures(account, left // 2)]
    findings = [*_findings(account, left - size(measures))]
    return "\n\n".join([*first, *tasks, *measures, *findings, *last]) + "\n"


def _head(account: Account) -> Iterator[str]:
    told = headline(account)
    yield f"## {code(account.run.pipeline)}: {told.state}"
    about = f" {code(told.about)}" if told.about else ""
    why = f" {text(told.why, _SENTENCE)}." if told.why else ""
    yield f"**{told.state.capitalize()}: {told.meaning}.**{about}{':' * bool(about and why)}{why}"
    yield production(account)
    if account.page is not None:
        yield f"[Its page]({quote(account.page, safe=':/[]')})"


def _errors(account: Account) -> Iterator[str]:
    """What stopped or ended it; of a run that somebody ended, the headline has said it."""
    state, errors = account.run.state, account.document["errors"]
    if errors and state not in {State.CANCELLED, State.SUPERSEDED}:
        yield "### How it ended" if account.run.verdict else "### In the way"
        yield block("\n".join(errors), _ERRORS)


def _people(account: Account) -> Iterator[str]:
    """What waits for a person, and what people have decided."""
    waiting = [each for each in account.asked if each.status == "open"]
    if waiting:
        yield "### Waits for a person"
        yield from map(_open, waiting[:_ASKED])
    if waiting[_ASKED:]:
        yield f"… and {len(waiting) - _ASKED} more: `seatrial reviews`"
    decided = [each for each in account.asked if each.by is not None]
    if decided:
        yield "### Decided by people"
        yield listed(decided, _decided, MOST_BYTES // 10, "decisions")


def _open(asked: Asked) -> str:
    until = f"due {minute(asked.due)} UTC, else: {text(asked.on_timeout, _NAME)}"
    commands = [f"seatrial {choice} {asked.id} --reason '…'" for choice in asked.options]
    settled = f"What would settle it: {text(asked.resolves, _CELL)}."
    lines = [
        f"Review {code(asked.id)} of {code(asked.subject)}, {until}.",
        f"Question: {text(asked.question, _CELL)}",
        f"Recommended: {text(asked.recommended, _NAME)}. {settled}",
        block("\n".join([f"seatrial reviews {asked.id}", *commands]), _CELL),
    ]
    return "\n\n".join(lines)


def _decided(asked: Asked) -> str:
    who, why = text(asked.by or "", _NAME), text(asked.reason or "", _CELL)
    return f"{code(asked.subject)}: {asked.status} by {who} on {minute(asked.decided)} UTC: {why}"


def _tasks(account: Account, most: int) -> Iterator[str]:
    yield "### Tasks"
    yield table(_TASKS, [*account.tasks], _task, most, "tasks")


def _task(of: tuple[str, Mapping[str, Any]]) -> tuple[str, ...]:
    address, task = of
    return (
        code(address.partition(".")[0], _NAME),
        code(task["task"], _NAME),
        _standing(task),
        text(task["reason"] or "", _CELL),
        number(task["seconds"]),
    )


def _standing(task: Mapping[str, Any]) -> str:
    if task["waiting_until"]:
        return f"waiting until {minute(task['waiting_until'])} UTC"
    return _verdict(task["verdict"]) or str(task["state"]).replace("_", " ")


def _verdict(verdict: str | None) -> str:
    return f"**{verdict}**" if verdict in {"fail", "inconclusive"} else verdict or ""


def _measures(account: Account, most: int) -> Iterator[str]:
    """What was held against a limit, the worst and the narrowest first; the rest is folded."""
    first, others = decided(account), reported(account)
    if first:
        yield "### Measures that decided"
        yield _measured(first[:_SHOWN], most)
    if rest := first[_SHOWN:]:
        yield folded(f"{len(rest)} more that decided", _measured(rest, most // 3))
    if others:
        summary = f"{len(others)} measures that were only reported"
        yield folded(summary, _measured(others, most // 3))


def _measured(measures: Sequence[Measured], most: int) -> str:
    return table(_MEASURES, measures, _measure, most, "measures")


def _measure(of: Measured) -> tuple[str, ...]:
    address, measure = of
    return (
        code(address, _NAME),
        code(measure["name"], _NAME),
        number(measure["value"], measure["limit"]),
        interval(measure),
        limit(measure),
        number(measure["n"]),
        _verdict(measure["verdict"]),
    )


def _findings(account: Account, most: int) -> Iterator[str]:
    every = [*found(account)]
    if every:
        yield "### Findings"
        yield listed(every[:_SHOWN], _finding, most // 2, "findings")
    if rest := every[_SHOWN:]:
        yield folded(f"{len(rest)} more findings", listed(rest, _finding, most // 3, "findings"))


def _finding(of: tuple[str, Mapping[str, str], str]) -> str:
    address, finding, hint = of
    where = f" ({text(finding['where'], _CELL)})" if finding["where"] else ""
    line = f"{code(address, _NAME)}: {text(finding['what'], _SENTENCE)}{where}"
    return f"{line}\\\n  hint: {text(hint, _SENTENCE)}" if hint else line


def _lineage(account: Account) -> str:
    """What the run was made of, in one line."""
    run, request, model = account.run, account.run.request, account.document["model"]
    changes = account.changes
    version = (
        f"model {code(model['name'])} version {model['version']} ({code(model['digest'])})"
        if model
        else "no model registered"
    )
    with_changes = f"with {', '.join(code(each, _NAME) for each in changes[:_SHOWN])}"
    more = f" and {len(changes) - _SHOWN} more" if changes[_SHOWN:] else ""
    by = f" by {text(str(request['by']), _NAME)}" if "by" in request else ""
    driver = f"{run.engine} {request.get('once') or ''}".strip()
    parts = (
        f"run {code(run.id)}",
        version,
        f"pipeline {code(Path(str(request['file'])).name)}",
        f"{with_changes}{more}" if changes else "",
        "" if account.seed is None else f"seed {account.seed}",
        f"seatrial {text(str(request.get('seatrial', 'unknown')), _NAME)}",
        f"engine {text(driver, _CELL)}",
        f"begun {minute(run.started)} UTC{by}",
        f"ended {minute(run.ended)} UTC" if run.ended else "not ended",
    )
    return " · ".join(filter(None, parts))
