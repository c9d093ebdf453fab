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

    registry = project().registry
    channels = registry.channels()
    found = registry.versions(model)
    known = sorted({version.model for version in registry.versions()})
    if model is not None and not found:
        raise UsageError(
            Mistake(f"no model {model!r}", nearest=nearest(model, known), fix="`seatrial models`")
        )
    uses = {name: holdouts.uses(registry.ledger, name) for name in known}
    served = {
        v: [c.channel for c in channels if (c.model, c.version) == (v.model, v.version)]
        for v in found
    }
    if as_json:
        print_json(
            [
                {
                    "name": v.model,
                    "version": v.version,
                    "digest": v.digest,
                    "created": v.created,
                    "channels": served[v],
                    "judged_on": [
                        {"dataset": use.dataset, "fingerprint": use.fingerprint}
                        for use in uses[v.model]
                        if use.version == v.version
                    ],
                }
                for v in found
            ]
        )
        return
    print_table(
        ("model", "version", "created", "channels", "label", "digest"),
        [
            (v.model, v.version, minute(v.created), ", ".join(served[v]) or None, v.label, v.digest)
            for v in found
        ],
    )
    for each in _worn(uses[model]) if model is not None else []:
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
