"""``seatrial reproduce``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, not_empty, print_json, print_table, project

if TYPE_CHECKING:
    from seatrial.cli._reproduced import Found
    from seatrial.evaluation.reproduction import Quality


@click.command(epilog="Example: seatrial reproduce flights_late 1")
@click.argument("model", callback=not_empty)
@click.argument("version", callback=not_empty)
@json_option
def reproduce(model: str, version: str, *, as_json: bool) -> int:
    """Train a version again: is it identical, equal within parity, or different?

    VERSION is its number, or a channel such as production. Nothing is registered or changed.
    """
    from seatrial.cli._reproduced import reproduced
    from seatrial.evaluation.reproduction import Sameness
    from seatrial.registry.opened import named

    opened = project()
    wanted = named(opened.registry, f"{model}@{version}")
    found = reproduced(opened, wanted, lambda line: click.echo(line, err=True))
    if as_json:
        print_json(_document(found))
    else:
        _tell(found)
    return 1 if found.sameness is Sameness.DIFFERENT else 0


def _document(found: Found) -> dict[str, object]:
    """Every key is always present."""
    version = found.version
    return {
        "model": version.model,
        "version": version.version,
        "digest": version.digest,
        "verdict": found.sameness.value,
        "reason": found.reason,
        "trained_here": found.trained_here,
        "dataset": found.dataset,
        "seconds": found.seconds,
        "same_bytes": dict(found.files),
        "answers": [
            {
                "rows": each.name,
                "n": each.parity.rows,
                "exact": each.exact,
                "outside": each.parity.outside,
                "label_flips": each.parity.label_flips,
                "largest_difference": each.parity.largest_difference,
                "row": each.row,
            }
            for each in found.rows
        ],
        "quality": asdict(found.quality) if found.quality else None,
        "changed": [asdict(each) for each in found.changed],
        "unknown": list(found.unknown),
        "notes": list(found.notes),
    }


def _tell(found: Found) -> None:
    """The comparison, what changed meanwhile, and what it comes to in one line."""
    from seatrial.evaluation.reproduction import Sameness

    if found.rows:
        heads = ("compared", "rows", "answered otherwise", "largest difference", "labels flipped")
        print_table(
            heads,
            [
                (
                    each.name,
                    each.parity.rows,
                    each.parity.outside,
                    f"{each.parity.largest_difference:.3g}",
                    str(each.parity.label_flips),
                )
                for each in found.rows
            ],
        )
    if found.quality:
        _quality(found.quality)
    different = found.sameness is Sameness.DIFFERENT
    if found.changed:
        click.echo("likely causes, the likeliest first:" if different else "changed since then:")
        print_table(
            ("what", "then", "now"), [(each.what, each.then, each.now) for each in found.changed]
        )
    elif different:
        click.echo(
            "nothing that is recorded has changed: the training itself does not repeat"
            " (threads, a clock, a draw that the seed does not reach?)"
        )
    for unknown in found.unknown:
        click.echo(f"not known: {unknown}")
    for note in found.notes:
        click.echo(f"note: {note}")
    if not found.trained_here:
        click.echo("note: it was not trained here, but brought as a file, which was read again")
    click.echo(f"{found.version}: {found.sameness.value}: {found.reason}")


def _quality(quality: Quality) -> None:
    """Which of the two is better, with bounds, and what another seed would change."""
    from seatrial.tasks._noise import said

    measure = quality.degradation
    value, low, high = measure.value, measure.low, measure.high
    if quality.then is None or quality.again is None or value is None:
        click.echo(f"{quality.metric} has no value on {measure.n} rows of {quality.dataset}")
        return
    bounds = ""
    if low is not None and high is not None:
        bounds = f"; between {_worse(low)} and {_worse(high)}"
    click.echo(
        f"{quality.metric} on {measure.n} rows of {quality.dataset}: {quality.then:.4f} then,"
        f" {quality.again:.4f} now ({_worse(value)}{bounds})"
    )
    if quality.noise_floor is not None:
        click.echo(said(quality.noise_floor, measure))


def _worse(difference: float) -> str:
    """A difference in words.

    >>> _worse(0.012), _worse(-0.012), _worse(0.0)
    ('0.012 worse', '0.012 better', 'no difference')
    """
    if not difference:
        return "no difference"
    return f"{abs(difference):.3g} {'worse' if difference > 0 else 'better'}"
