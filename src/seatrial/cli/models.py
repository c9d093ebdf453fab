"""``seatrial models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatrial.registry.holdouts import Use


@click.command(epilog="Example: seatrial models")
@click.argument("model", required=False)
@json_option
def models(model: str | None, *, as_json: bool) -> None:
    """Versions of every model, or of one."""
    from seatrial.registry import holdouts
    from seatrial.report.version_list import version_list

    opened = project()
    known = sorted({version.model for version in opened.registry.versions()})
    if model is not None and model not in known:
        raise UsageError(
            Mistake(f"no model {model!r}", nearest=nearest(model, known), fix="`seatrial models`")
        )
    listed = version_list(opened, model)
    if as_json:
        print_json(listed)
        return
    labels = {(v.model, v.version): v.label for v in opened.registry.versions(model)}
    print_table(
        ("model", "version", "created", "channels", "label", "digest"),
        [
            (
                *(each["name"], each["version"], minute(each["created"])),
                ", ".join(each["channels"]) or None,
                labels[each["name"], each["version"]],
                each["digest"],
            )
            for each in listed
        ],
    )
    for each in _worn(holdouts.uses(opened.ledger, model)) if model is not None else []:
        click.echo(each)


def _worn(uses: Sequence[Use]) -> Iterator[str]:
    """Each set of rows on which versions were judged, with how many it judged."""
    for fingerprint in dict.fromkeys(use.fingerprint for use in uses):
        same = [use for use in uses if use.fingerprint == fingerprint]
        many = f"{len(same)} candidate{'' if len(same) == 1 else 's'}"
        yield (
            f"{same[-1].dataset} ({fingerprint[:19]}…) has judged {many},"
            f" last on {minute(same[-1].at)} UTC"
        )
