"""``seatrial env compare``."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, print_json
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from seatrial.cli._env_side import Side
    from seatrial.environment.difference import Difference
    from seatrial.environment.needs import Needs
    from seatrial.environment.policy import Policy
    from seatrial.environment.table import Table

_ANSWERED = {
    True: "proven: {} answered the golden rows as it must",
    False: "refuted: {} did not answer the golden rows as it must; its proof says why",
}
_TWO = 2


@click.command(epilog="Example: seatrial env compare flights_late@production here")
@click.argument("environments", nargs=-1, required=True, metavar="A B [C]...")
@click.option(
    "--for",
    "wanted",
    metavar="MODEL@production",
    help="What this version needs decides how grave a difference is; a bundle will do.",
)
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    metavar="FILE.yaml",
    help="How grave: `RULE: error`, warn, info or ignore, one a line.",
)
@click.option(
    "--all", "everything", is_flag=True, help="A table, also with what is the same everywhere."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.html",
    help="Also as a page: all of them side by side.",
)
@json_option
def compare(
    environments: tuple[str, ...],
    *,
    wanted: str | None,
    policy_file: Path | None,
    everything: bool,
    output: Path | None,
    as_json: bool,
) -> int:
    """Say in what environments differ, and whether that matters.

    All are held against the first. Each is a capture file, a requirements or lock file (.txt,
    .lock), what `seatrial bundle` wrote, a version (MODEL@production: what it was trained in), or
    `here`. Exit 1 when a difference is an error.
    """
    from seatrial.report.ending import ending_of

    if output is not None:
        ending_of(output, [".html"])
    judge = _judge(environments, wanted, policy_file)
    if output is not None:
        _write(_beside(judge, everything=everything), output)
    if len(environments) > _TWO or everything:
        return _many(judge, everything=everything, as_json=as_json)
    return _two(judge, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What is compared, and by what it is judged: ``whose`` are the demands that count."""

    sides: Sequence[Side]
    whose: Side | None
    needs: Needs
    policy: Policy

    @property
    def model(self) -> str | None:
        """The version that it is judged for."""
        return None if self.whose is None else self.whose.name

    @property
    def ending(self) -> str:
        """Of the last line: for whom, where that is none of the sides."""
        if self.model is None or self.model in {side.name for side in self.sides}:
            return ""
        return f", for {self.model}"

    def proven(self, side: Side) -> bool | None:
        """Whether a machine answers this very version as it must; None: it brought no proof."""
        if self.whose is None or side.digest != self.whose.digest:
            return None
        return side.answers


def _judge(texts: Sequence[str], wanted: str | None, policy_file: Path | None) -> _Judge:
    """The environments, and the needs of the version that is named, else of the first among them.

    UsageError when there is nothing to compare.
    """
    from seatrial.cli._env_policy import read_policy
    from seatrial.cli._env_side import demanding, sides
    from seatrial.environment.needs import Needs
    from seatrial.environment.policy import Policy

    if len(texts) < _TWO:
        fix = f"name another one, such as: seatrial env compare {_example(texts[0])}"
        raise UsageError(Mistake("there is nothing to compare it with", fix=fix))
    own = Policy() if policy_file is None else read_policy(policy_file)
    whose = demanding(wanted, texts)
    demands = None if whose is None else whose.demands
    needs = demands.needs if demands else Needs()
    stated = demands.policy.levels if demands else {}
    return _Judge(
        sides=sides(texts, needs.packages),
        whose=whose,
        needs=needs,
        policy=Policy({**stated, **own.levels}),
    )


def _example(text: str) -> str:
    from seatrial.cli._env_side import HERE

    return f"MODEL@production {HERE}" if text == HERE else f"{text} {HERE}"


def _two(judge: _Judge, *, as_json: bool) -> int:
    from seatrial.environment.compare import compare as compared
    from seatrial.environment.difference import settled
    from seatrial.environment.gathered import gathered

    expected, got = judge.sides
    differences = compared(expected.environment, got.environment, judge.needs, judge.policy)
    proven = judge.proven(got)
    found = settled(differences, proven=proven is True)
    verdict = "fail" if proven is False or any(e.level == "error" for e in found) else "pass"
    if as_json:
        print_json(
            {
                "expected": expected.name,
                "got": got.name,
                "for": judge.model,
                "proven": proven,
                "verdict": verdict,
                "differences": [each.to_json() for each in found],
            }
        )
        return int(verdict == "fail")
    for each in gathered(found):
        click.echo(str(each))
    if proven is not None:
        click.echo(_ANSWERED[proven].format(got.name))
    click.echo(f"{verdict}: {_said(found, expected.name, got.name)}{judge.ending}")
    if any(each.level == "error" and each.proven != "error" for each in found):
        click.echo(_provable(judge, got.name))
    _tell_why_all_counts(judge, verdict)
    return int(verdict == "fail")


def _said(found: Sequence[Difference], expected: str, got: str) -> str:
    """The differences counted, in one sentence."""
    if not found:
        return f"{got} does not differ from {expected}"
    return f"{got} differs from {expected}: {_counted([each.level for each in found])}"


def _counted(levels: Sequence[str]) -> str:
    """How many there are of each level.

    >>> _counted(["error", "info", "info"])
    '1 error, 2 infos'
    """
    words = {"error": "error", "warn": "warning", "info": "info"}
    counts = {word: levels.count(level) for level, word in words.items()}
    told = (f"{many} {word}{'s' * (many != 1)}" for word, many in counts.items() if many)
    return ", ".join(told)


def _provable(judge: _Judge, got: str) -> str:
    """What would settle it: predictions do."""
    from seatrial.cli._env_side import HERE

    whose = "MODEL@production" if judge.model is None else judge.model.replace(" version ", "@")
    if got == HERE:
        return f"hint: what the model answers here settles it: seatrial env verify {whose}"
    return (
        f"hint: what the model answers there settles it: seatrial bundle {whose} -o DIR,"
        " and on that machine: python -m seatrial.environment verify DIR"
    )


def _tell_why_all_counts(judge: _Judge, verdict: str) -> None:
    if judge.whose is None and verdict == "fail":
        click.echo("hint: no model is named, so all of it counts: --for MODEL@production")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """All of them side by side; ``proofs`` says of each whether it answers as it must."""

    table: Table
    proofs: Mapping[str, bool | None]
    verdict: str
    said: str

    @property
    def answers(self) -> Iterator[str]:
        """What those that brought a proof have shown, in a sentence each way."""
        for answers, words in _ANSWERED.items():
            names = [name for name, shown in self.proofs.items() if shown is answers]
            if names:
                yield words.format(", ".join(names))


def _beside(judge: _Judge, *, everything: bool) -> _Beside:
    from seatrial.environment.table import table

    captures = {side.name: side.environment for side in judge.sides}
    proofs = {side.name: judge.proven(side) for side in judge.sides}
    proven = [name for name, answers in proofs.items() if answers]
    found = table(captures, judge.needs, judge.policy, proven=proven, everything=everything)
    wrong = False in proofs.values() or any(row.level == "error" for row in found.rows)
    said = f"{_of_all(found)}{judge.ending}"
    return _Beside(table=found, proofs=proofs, verdict="fail" if wrong else "pass", said=said)


def _many(judge: _Judge, *, everything: bool, as_json: bool) -> int:
    from seatrial.cli._env_table import lines

    found = _beside(judge, everything=everything)
    code = int(found.verdict == "fail")
    if as_json:
        judged = {"for": judge.model, "verdict": found.verdict, "proven": found.proofs}
        print_json({**judged, **found.table.to_json()})
        return code
    for line in lines(found.table, shutil.get_terminal_size().columns):
        click.echo(line)
    for answer in found.answers:
        click.echo(answer)
    click.echo(f"{found.verdict}: {found.said}")
    _tell_why_all_counts(judge, found.verdict)
    return code


def _write(found: _Beside, output: Path) -> None:
    from importlib.metadata import version

    from seatrial.data import whole_file
    from seatrial.report.section import Badge
    from seatrial.report.sections.environment import of_machines
    from seatrial.report.sized import sized

    page = sized(
        title=", ".join(found.table.names),
        badge=Badge(found.verdict),
        lead=[f"{each[:1].upper()}{each[1:]}." for each in (found.said, *found.answers)],
        sections=[of_machines(found.table, "what differs from the first")],
        foot=f"seatrial {version('seatrial')}",
    )
    whole_file.replace(output, page.encode(), "the page")


def _of_all(found: Table) -> str:
    """How many differ from the first, and in what they do."""
    first, others = found.names[0], len(found.names) - 1
    differ = sum(map(any, zip(*(row.differs for row in found.rows), strict=True)))
    counts = _counted([row.level for row in found.rows])
    if not differ:
        return f"none of the {others} others differs from {first} ({found.equal} fields)"
    return f"{differ} of {others} differ from {first}: {counts} ({found.equal} fields are equal)"
