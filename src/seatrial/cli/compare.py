"""``seatrial compare``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from seatrial.cli._dataset import dataset_of
from seatrial.cli._options import json_option, print_json, print_table, project
from seatrial.cli._version import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.evaluation.comparison import Beside
    from seatrial.evaluation.side_by_side import SideBySide
    from seatrial.outcome import Measure

_CODES = {"pass": 0, "skip": 0, "fail": 1, "inconclusive": 3}


@click.command(epilog="Example: seatrial compare flights_late@staging flights_late@production")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--on", "data", metavar="DATA", help="A dataset of the project, a path or an address."
)
@click.option("--metric", "words", multiple=True, help="Also by this metric; repeatable.")
@click.option(
    "--slices",
    "columns",
    multiple=True,
    metavar="COLUMN",
    help="Also on the rows of each of its values; repeatable.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    help="How much worse A may be by the primary metric: gives a verdict, and the exit code.",
)
@click.option("--speed/--no-speed", default=True, help="Also time both, and weigh them.")
@json_option
def compare(
    first: str,
    second: str,
    *,
    data: str | None,
    words: tuple[str, ...],
    columns: tuple[str, ...],
    margin: float | None,
    speed: bool,
    as_json: bool,
) -> int:
    """Two versions side by side on the same rows: MODEL@CHANNEL, MODEL@NUMBER, or NUMBER alone."""
    from seatrial.evaluation.side_by_side import side_by_side

    opened = project()
    told = side_by_side(
        opened,
        version_of(opened, first),
        version_of(opened, second),
        given=None if data is None else partial(dataset_of, data),
        words=words,
        slices=columns,
        margin=margin,
        speed=speed,
    )
    if as_json:
        print_json(told.document())
    else:
        _tell(told)
    return _CODES[told.found.verdict]


def _tell(told: SideBySide) -> None:
    from seatrial.evaluation import beside_in_words

    rows, found = told.rows, told.found
    heads = beside_in_words.heads(told.first, told.second)
    click.echo(f"{told.first} beside {told.second}, on {rows.rows} rows of {rows.dataset}")
    click.echo()
    print_table(("", *heads, "difference"), [_line(each) for each in found.metrics])
    if found.slices:
        click.echo()
        print_table((f"{rows.metric.name} on", "rows", *heads, "difference"), [
            (each.name, each.rows, *_line(each)[1:]) for each in found.slices
        ])  # fmt: skip
    click.echo()
    _tell_disagreement(told)
    if told.speed:
        click.echo()
        print_table(("", *heads), _speed_lines(told.speed))
    for finding in told.findings:
        click.echo(f"! {finding.what}")
        if finding.hint:
            click.echo(f"  {finding.hint}")
    verdict = beside_in_words.verdict(told)
    if verdict is not None:
        click.echo()
        click.echo(verdict)


def _line(each: Beside) -> tuple[object, ...]:
    from seatrial.evaluation.beside_in_words import difference, value

    apart = "cannot be said" if each.degradation is None else difference(each.degradation)
    return each.name, value(each.first), value(each.second), apart


def _tell_disagreement(told: SideBySide) -> None:
    from seatrial.evaluation import beside_in_words

    click.echo(beside_in_words.disagreement(told))
    examples = told.found.disagreement.examples
    if examples:
        print_table(
            ("row", "truth", *beside_in_words.heads(told.first, told.second)),
            [(each.row, each.truth, _shown(each.first), _shown(each.second)) for each in examples],
        )
    floor = beside_in_words.noise_floor(told)
    if floor is not None:
        click.echo(floor)


def _shown(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value


def _speed_lines(timed: Sequence[Measure]) -> Iterator[tuple[object, ...]]:
    """A line for each measure: of the first version, and of the second where it has one."""
    from seatrial.evaluation.beside_in_words import span

    named = {each.name: each for each in timed}
    for name, first in named.items():
        if not name.endswith(".second"):
            second = named.get(f"{name}.second")
            yield name, span(first), "" if second is None else span(second)
