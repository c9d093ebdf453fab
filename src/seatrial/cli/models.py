"""``seatrial models``."""

from __future__ import annotations

import click

from seatrial.cli._options import json_option, minute, print_json, print_table, project
from seatrial.errors import Mistake, UsageError, nearest


@click.command(epilog="Example: seatrial models")
@click.argument("model", required=False)
@json_option
def models(model: str | None, *, as_json: bool) -> None:
    """Versions of every model, or of one."""
    registry = project().registry
    channels = registry.channels()
    found = registry.versions(model)
    known = sorted({version.model for version in registry.versions()})
    if model is not None and not found:
        raise UsageError(
            Mistake(f"no model {model!r}", nearest=nearest(model, known), fix="`seatrial models`")
        )
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
