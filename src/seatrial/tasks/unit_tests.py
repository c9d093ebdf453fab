"""Fast tests that catch the obvious: a smoke run on a few rows, and the project's own tests."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from seatrial.evidence import power
from seatrial.evidence.absolute import absolute
from seatrial.evidence.gate import gate
from seatrial.evidence.smoke import smoke
from seatrial.outcome import Finding, Measure, Outcome, Verdict, combine
from seatrial.tasks import Context, Input, Scope, Task, check_dataset
from seatrial.tasks._bounds import check_threshold, provable
from seatrial.tasks._candidate import candidate, demand_register, labelled, predictions
from seatrial.tasks._held_out import demanded, refusal, seen, use, worn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.errors import Mistake


JUNIT = "junit.xml"


class UnitTests(Task, frozen=True, kw_only=True):
    """Parameters of ``unit_tests``: rows of the smoke run, and a folder of pytest tests."""

    judges_on_dataset: ClassVar[bool] = True
    runs: Annotated[int, Meta(ge=1)] = 50
    performance_threshold: float | None = None
    dataset: str = "validation_data"
    metric: str | None = None
    tests: str | None = None
    timeout_s: Annotated[float, Meta(gt=0)] = 600

    def inputs(self, scope: Scope) -> Iterable[Input | Path]:
        """The rows of the smoke run and the folder of tests."""
        if self.performance_threshold is not None:
            yield Input(self.dataset, labelled=True)
        if self.tests:
            yield scope.path(self.tests)

    def check(self, scope: Scope) -> Iterable[Mistake]:
        """There is something to test, and something to test it with."""
        yield from demand_register(scope)
        if self.performance_threshold is None and self.tests is None:
            yield scope.mistake(
                "unit_tests has nothing to test",
                "runs",
                fix="add `performance_threshold: 0.85` or `tests: tests/`",
            )
        if self.performance_threshold is not None:
            yield from check_dataset(scope, self.dataset, "dataset")
            yield from check_threshold(scope, self.performance_threshold, self.metric)
        if self.tests:
            if not scope.path(self.tests).exists():
                yield scope.mistake(
                    f"there is no folder {self.tests}", "tests", fix="correct the path"
                )
            if importlib.util.find_spec("pytest") is None:
                yield scope.mistake(
                    "`tests` needs pytest, which is not installed here",
                    "tests",
                    fix="pip install pytest",
                )

    def demands(self, scope: Scope) -> Iterable[str]:
        """The rule for few rows, said plainly."""
        if self.tests:
            yield f"every test in {self.tests} passes within {self.timeout_s:g} s"
        if self.performance_threshold is None:
            return
        if self._is_smoke(scope):
            yield (
                f"smoke run on {self.runs} rows of {self.dataset}: fails only when the metric is"
                f" certainly below {self.performance_threshold:g}; integration_tests decides"
            )
        else:
            yield f"metric at least {self.performance_threshold:g} on {self.runs} rows"
            yield from provable(scope, self.metric, self.performance_threshold, self.runs)
            yield from demanded(scope, self.dataset)

    def run(self, context: Context) -> Outcome:
        """Both kinds of test; everything is reported."""
        parts = [
            part
            for part in (self._smoke_run(context), self._own_tests(context))
            if part is not None
        ]
        return Outcome(
            verdict=combine(part.verdict for part in parts),
            reason="; ".join(part.reason for part in parts),
            measures=tuple(m for part in parts for m in part.measures),
            findings=tuple(f for part in parts for f in part.findings),
            facts={key: fact for part in parts for key, fact in part.facts.items()},
        )

    def _is_smoke(self, scope: Scope) -> bool:
        """Whether an ``integration_tests`` of the file bounds the same metric."""
        return any(
            type(task).__name__ == "IntegrationTests"
            and getattr(task, "performance_threshold", None) is not None
            and getattr(task, "metric", None) == self.metric
            for task in scope.tasks.values()
        )

    def _smoke_run(self, context: Context) -> Outcome | None:
        limit = self.performance_threshold
        if limit is None:
            return None
        is_smoke = self._is_smoke(context.scope)
        known = () if is_smoke else seen(context, self.dataset)
        refused = refusal(known)
        if refused is not None:
            return refused
        facts = use(context, self.dataset)
        seed = context.scope.pipeline.seed
        rows = labelled(context, self.dataset, self.metric).drawn(self.runs, seed)
        answers = predictions(context, candidate(context), rows)
        if is_smoke:
            result = smoke(rows.metric, rows.labels, answers, limit, seed=seed)
            return Outcome(
                verdict=result.measure.verdict,
                reason=f"smoke run: {result.reason}",
                measures=(result.measure,),
                facts=facts,
            )
        measure = absolute(rows.metric, rows.labels, answers, limit, seed=seed, groups=rows.groups)
        said = _said(measure, gate([measure]).verdict, power.settles(measure))
        told = (*(each.finding for each in known), *worn(context, self.dataset, measure))
        return replace(said, findings=told, facts=facts)

    def _own_tests(self, context: Context) -> Outcome | None:
        if self.tests is None:
            return None
        with tempfile.TemporaryDirectory() as scratch:
            code, said = _pytest(self.tests, context.scope.folder, Path(scratch), self.timeout_s)
            report = Path(scratch) / JUNIT
            cases = list(ET.parse(report).iter("testcase")) if report.is_file() else []  # noqa: S314
        if code is None:
            return Outcome(
                verdict=Verdict.FAIL,
                reason=f"{self.tests} did not end within {self.timeout_s:g} s",
            )
        if code == 0:
            return Outcome(verdict=Verdict.PASS, reason=f"{len(cases)} tests of {self.tests} pass")
        findings = tuple(_failures(cases))
        if not findings:
            last = said.strip().splitlines()[-1:]
            findings = (Finding(what=" ".join(last) or "pytest failed", where=self.tests),)
        return Outcome(
            verdict=Verdict.FAIL,
            reason=f"{len(findings)} of {len(cases)} tests of {self.tests} fail"
            if cases
            else f"no test of {self.tests} ran",
            findings=findings,
        )


def _pytest(tests: str, folder: Path, scratch: Path, timeout_s: float) -> tuple[int | None, str]:
    """Exit status and output of the project's tests; no status when the time was up.

    They leave nothing in the project folder, and nothing that they started outlives them.
    """
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={scratch / JUNIT}"]
    output = scratch / "output.txt"
    with (
        output.open("wb") as written,
        subprocess.Popen(  # noqa: S603 - the project's own tests, on purpose
            [sys.executable, "-m", "pytest", tests, *options],
            cwd=folder,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as started,
    ):
        try:
            code: int | None = started.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
    return code, output.read_text(errors="replace")


def _said(measure: Measure, verdict: Verdict, reason: str) -> Outcome:
    said = f"{measure.name} {measure.value:.3f} on {measure.n} rows"
    if measure.low is not None and measure.high is not None:
        said += f" (between {measure.low:.3f} and {measure.high:.3f}, limit {measure.limit:g})"
    return Outcome(
        verdict=verdict,
        reason=f"{said}: {reason}" if reason else said,
        measures=(measure,),
    )


def _failures(cases: Iterable[ET.Element]) -> Iterable[Finding]:
    for case in cases:
        for kind in ("failure", "error"):
            problem = case.find(kind)
            if problem is not None:
                where = "::".join(filter(None, (case.get("classname"), case.get("name"))))
                yield Finding(what=_what(problem), where=where)


def _what(problem: ET.Element) -> str:
    """The line that pytest marks as the error; its message may only say that there was one."""
    marked = re.search(r"^E +(\S.*)$", problem.text or "", re.MULTILINE)
    return marked[1] if marked else (problem.get("message") or problem.tag).strip().split("\n")[0]
