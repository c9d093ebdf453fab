"""A run as JUnit XML, which continuous integration shows beside its tests: a gate is a test.

A stage is a suite and a task a case. GitLab, Jenkins and the reporters of GitHub know three words
for a case that is not green, and show them apart: ``failure`` is a fail; ``error`` is what could
not be found out, which is an inconclusive (``type="inconclusive"``) and a run that was stopped;
``skipped`` is a task that did not apply, was not reached, or waits. So no run is green there that
may not be delivered: a job that ends with an error, or without a verdict, has a case for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from seatrial.environment.printable import printable
from seatrial.report._number import number
from seatrial.report.deciding import interval, limit
from seatrial.report.found import of_task
from seatrial.report.headline import headline, minute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.report.account import Account

_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def as_junit(account: Account) -> str:
    """The report; ends with a newline."""
    run = account.run
    root = _element("testsuites", name=f"{run.pipeline} {run.id}")
    if account.document["errors"]:
        root.append(_errors(account))
    root.extend(_stage(account, stage) for stage in account.document["stages"])
    root.attrib.update(_totals(root.iter("testcase")))
    for suite in root:
        suite.attrib.update(_totals(suite.iter("testcase")))
    ET.indent(root)
    told = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}\n'


def _stage(account: Account, stage: Mapping[str, Any]) -> ET.Element:
    run, name = account.run, stage["name"]
    suite = _element("testsuite", name=name, timestamp=_moment(run.started))
    suite.append(_properties(account))
    suite.extend(_case(f"{run.pipeline}.{name}", task) for task in stage["tasks"])
    return suite


def _errors(account: Account) -> ET.Element:
    """That the run was stopped, or ended without a verdict."""
    run, told = account.run, headline(account)
    suite = _element("testsuite", name="run", timestamp=_moment(run.started))
    suite.append(_properties(account))
    case = _element("testcase", name=told.state, classname=run.pipeline, time="0")
    errors: Sequence[str] = account.document["errors"]
    message = f"{told.meaning}: {errors[0].partition(chr(10))[0]}"
    case.append(_element("error", "\n".join(errors), type=run.state.value, message=message))
    suite.append(case)
    return suite


def _properties(account: Account) -> ET.Element:
    """Which run it is, and what it means for production."""
    document, model = account.document, account.document["model"]
    known = {
        "run": account.run.id,
        "verdict": document["verdict"],
        "state": document["state"],
        "model": None if model is None else f"{model['name']} version {model['version']}",
        "production before": document["production"]["before"],
        "production after": document["production"]["after"],
    }
    properties = _element("properties")
    properties.extend(
        _element("property", name=name, value=str(value))
        for name, value in known.items()
        if value is not None
    )
    return properties


def _case(classname: str, task: Mapping[str, Any]) -> ET.Element:
    seconds = task["seconds"] or 0.0
    case = _element("testcase", name=task["task"], classname=classname, time=f"{seconds:.3f}")
    case.extend(_outcome(task))
    if measured := "\n".join(map(_measure, task["measures"])):
        case.append(_element("system-out", measured))
    return case


def _outcome(task: Mapping[str, Any]) -> Iterator[ET.Element]:
    """What is not green about it."""
    verdict, reason = task["verdict"], task["reason"] or ""
    if verdict in {"fail", "inconclusive"}:
        kind = "failure" if verdict == "fail" else "error"
        yield _element(kind, "\n".join(_told(task)), type=verdict, message=reason)
    elif verdict == "skip":
        yield _element("skipped", message=reason)
    elif task["waiting_until"]:
        yield _element("skipped", message=f"waits until {minute(task['waiting_until'])} UTC")
    elif verdict is None:
        yield _element("skipped", message=reason or "not reached")


def _told(task: Mapping[str, Any]) -> Iterator[str]:
    """The reason, then everything that was found, with what to do about it."""
    yield task["reason"] or ""
    for finding, hint in of_task(task["findings"]):
        where = f" ({finding['where']})" if finding["where"] else ""
        yield f"- {finding['what']}{where}"
        if hint:
            yield f"  hint: {hint}"


def _measure(measure: Mapping[str, Any]) -> str:
    """``accuracy 0.876 (0.8646 … 0.8867), limit at least 0.82, n 2500: pass``."""
    value = f"{measure['name']} {number(measure['value'], measure['limit'])} ({interval(measure)})"
    bound = "" if measure["limit"] is None else f", limit {limit(measure)}"
    return f"{value}{bound}, n {number(measure['n'])}: {measure['verdict']}"


def _totals(cases: Iterator[ET.Element]) -> dict[str, str]:
    """How many there are of each kind, and the seconds that they took."""
    every = [*cases]
    counts = {
        name: str(sum(case.find(kind) is not None for case in every))
        for name, kind in _COUNTED.items()
    }
    seconds = sum(float(case.attrib["time"]) for case in every)
    return {"tests": str(len(every)), **counts, "time": f"{seconds:.3f}"}


def _element(tag: str, content: str | None = None, **attributes: str) -> ET.Element:
    element = ET.Element(tag, {name: _text(value) for name, value in attributes.items()})
    element.text = None if content is None else _text(content)
    return element


def _text(said: str) -> str:
    r"""A text of others; what XML cannot hold is spelt out, as all that cannot be seen is.

    >>> print(_text("a\x00b\ufffec"))
    a\x00b\ufffec
    """
    return "\n".join(map(printable, said.splitlines()))


def _moment(at: str) -> str:
    """A time of the ledger as the schema wants it: UTC, to the second, without a zone."""
    return at[:19]
