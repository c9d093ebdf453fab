"""``seatrial validate``."""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._dataset import dataset_of
from seatrial.cli._options import json_option, print_json, print_table
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.data import Rows
    from seatrial.data.drift.judging import Drift
    from seatrial.data.drift.limits import Limits
    from seatrial.data.profiles.profile import Profile
    from seatrial.outcome import Finding, Measure, Verdict

_SHOWN = 20
"""So many columns have a line of their own."""

_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


@click.command(
    epilog="Example: seatrial validate data/april.csv --against baseline_distribution.json"
)
@click.argument("data")
@click.option(
    "--against", type=click.Path(path_type=Path), help="A baseline that `seatrial profile` wrote."
)
@click.option(
    "--schema", type=click.Path(path_type=Path), help="A schema that `profile --schema` drafted."
)
@click.option("--measure", default="kl", show_default=True, help="How far apart is measured.")
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, min_open=True),
    help="The most that a column may have moved; the measure's own unless given.",
)
@click.option("--columns", multiple=True, metavar="COLUMN", help="Only this one; repeatable.")
@click.option("--exclude", multiple=True, metavar="COLUMN", help="Not this one; repeatable.")
@click.option(
    "--slices",
    multiple=True,
    metavar="COLUMN",
    help="Also on the rows of each of its values; repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Also as a page: what moved, drawn over the baseline.",
)
@json_option
def validate(  # noqa: PLR0913 - the options of the command line
    data: str,
    *,
    against: Path | None,
    schema: Path | None,
    measure: str,
    threshold: float | None,
    columns: tuple[str, ...],
    exclude: tuple[str, ...],
    slices: tuple[str, ...],
    output: Path | None,
    as_json: bool,
) -> int:
    """Is a dataset as it should be, and distributed as it was? Without a pipeline."""
    from seatrial.data.drift.limits import Limits
    from seatrial.data.opening import open_rows
    from seatrial.outcome import combine
    from seatrial.report.ending import ending_of

    if output is not None:
        ending_of(output, [".html"])
    limits = Limits(
        measure=measure, threshold=threshold, columns=columns, exclude=exclude, slices=slices
    )
    _ = limits.divergence  # an unknown measure is told before anything is read
    _demand_one(against, schema)
    baseline = _Baseline.read(against) if against else None
    rows = open_rows(dataset_of(data))
    checks = [_schema(rows, schema)] if schema else []
    drift = baseline.compare(rows, limits) if baseline else None
    if baseline and drift:
        checks.append(baseline.said(drift))
    verdict = combine(check.verdict for check in checks)
    told = {
        "dataset": rows.dataset.name,
        "place": rows.dataset.place,
        "rows": rows.rows,
        "fingerprint": rows.fingerprint,
        "verdict": verdict,
        "checks": [asdict(check) for check in checks],
        "distribution": baseline.document(drift, rows) if baseline and drift else None,
    }
    if output is not None:
        _write(output, told)
    if as_json:
        print_json(told)
    else:
        _tell(checks, drift)
        if output is not None:
            click.echo(f"the page: {output}")
    return _CODES[verdict]


@dataclass(frozen=True, slots=True)
class _Check:
    """What one check said; the keys are those of ``--json``."""

    check: str
    verdict: Verdict
    reason: str
    measures: tuple[Measure, ...]
    findings: tuple[Finding, ...]


def _demand_one(against: Path | None, schema: Path | None) -> None:
    if against is None and schema is None:
        raise UsageError(
            Mistake(
                "there is nothing to hold the data against",
                fix="add `--against baseline.json`, or `--schema schema.yaml`;"
                " `seatrial profile` makes both, from data that you trust",
            )
        )


def _schema(rows: Rows, file: Path) -> _Check:
    from seatrial import workspace
    from seatrial.data.schema import checking as schema
    from seatrial.tasks._schema_file import read_schema

    found = schema.check(rows, read_schema(file), workspace.now())
    why = f"{rows.rows} rows are as {file.name} demands"
    if found.broken:
        more = len(found.broken) - 1
        why = found.broken[0].what + (f", and {more} more" if more else "")
    why = f"{rows.dataset.name}: {why}"
    return _Check("check_schema", found.verdict, why, found.measures, found.findings)


@dataclass(frozen=True, slots=True)
class _Baseline:
    """What the data are compared with."""

    file: Path
    profile: Profile

    @classmethod
    def read(cls, file: Path) -> _Baseline:
        from seatrial.data.profiles import profile

        return cls(file, profile.read(file, "DATA"))

    def compare(self, rows: Rows, limits: Limits) -> Drift:
        from seatrial.data.drift.judging import compare

        # Never from the data that are tested: these would always be like themselves.
        return compare(self.profile, rows, limits, f"seatrial profile DATA -o {self.file}")

    def said(self, drift: Drift) -> _Check:
        from seatrial.data.drift.words import reason

        why = reason(drift, self.file.name)
        word = "check_distribution"
        return _Check(word, drift.verdict, why, drift.measures, drift.findings)

    def document(self, drift: Drift, rows: Rows) -> dict[str, object]:
        from seatrial.data.drift.document import document

        return document(drift, self.profile, rows)


def _write(output: Path, told: Mapping[str, object]) -> None:
    from importlib.metadata import version

    from seatrial.data import whole_file
    from seatrial.report.validated import validated

    page = validated(told, f"seatrial {version('seatrial')}")
    whole_file.replace(output, page.encode(), "the page")


def _tell(checks: list[_Check], drift: Drift | None) -> None:
    """What each check found, what to do, and what it said in one line."""
    for check in checks:
        if check.check == "check_distribution" and drift is not None:
            _table(drift)
            _changes(drift)
            _findings((*drift.faults, *drift.notes))
        else:
            _findings(check.findings)
        click.echo(f"{check.verdict}: {check.reason}")


def _findings(findings: tuple[Finding, ...]) -> None:
    """What was found, and what to do; one hint for several only after the last of them."""
    hints = pairwise([*(finding.hint for finding in findings), ""])
    for finding, (hint, following) in zip(findings, hints, strict=True):
        click.echo(finding.what)
        if hint and hint != following:
            click.echo(f"  hint: {hint}")


def _table(drift: Drift) -> None:
    """A line for each column that moved or is not settled, and for the one that comes next."""
    from seatrial.data.drift.findings import by_column

    moved, unsettled = by_column(drift.compared)
    lines = [_numbers(parts[0].measure) for parts in (*moved, *unsettled)]
    passed = [each for each in drift.compared if each.measure.verdict == "pass"]
    next_one = sorted(passed, key=lambda each: -each.reach)[:1]
    lines = [*lines[:_SHOWN], *(_numbers(each.measure) for each in next_one)]
    if lines:
        heads = ("column", drift.divergence.unit or drift.divergence.word, "at least", "at most")
        print_table((*heads, "limit", "verdict"), lines)
    worse = len(moved) + len(unsettled) - _SHOWN
    if worse > 0:
        click.echo(f"and {worse} more columns that moved or are not settled")
    if len(passed) > 1:
        click.echo(f"and {len(passed) - 1} more that passed")


def _changes(drift: Drift) -> None:
    """What changed most in each of these columns, and what to do about it."""
    from seatrial.data.column import listed
    from seatrial.data.drift.findings import AGAIN, by_column, other_unit, what_changed
    from seatrial.data.drift.words import settles

    moved, unsettled = by_column(drift.compared)
    for parts in (*moved, *unsettled)[:_SHOWN]:
        first = parts[0]
        if changed := what_changed(parts):
            click.echo(_wrapped(f"{first.name}: {changed}"))
        if parts in moved and (hint := other_unit(first.pair)):
            click.echo(f"  hint: {hint}")
    if not all(other_unit(parts[0].pair) for parts in moved):
        click.echo(f"hint: {AGAIN}")
    if moved and unsettled:  # else the verdict says it
        every = [each for parts in unsettled for each in parts]
        click.echo(f"not settled: {listed([each.name for each in every], 6)}")
        click.echo(f"  hint: {settles(every, drift.rows)}")


def _wrapped(text: str) -> str:
    """Between words at the end of a terminal's line; a file keeps one line for each column."""
    if not sys.stdout.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False))


def _numbers(measure: Measure) -> tuple[str, ...]:
    numbers = (measure.value, measure.low, measure.high, measure.limit)
    told = ("-" if number is None else f"{number:.3g}" for number in numbers)
    return (measure.name.partition(".")[2], *told, str(measure.verdict))
