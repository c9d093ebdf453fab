"""``seatrial gc``."""

from __future__ import annotations

from datetime import timedelta

import click

from seatrial.cli._options import json_option, print_json, project

DAYS = 30
MEBIBYTE = 2**20


@click.command(epilog="Example: seatrial gc --keep-days 7")
@click.option("--keep-days", type=click.FloatRange(min=0), default=DAYS, show_default=True)
@json_option
def gc(keep_days: float, *, as_json: bool) -> None:
    """Drop what nothing needs; never a served, staged or retained version."""
    from seatrial.registry.collect import collect

    dropped = collect(project().registry, timedelta(days=keep_days))
    told = {
        "versions": [[version.model, version.version] for version in dropped.versions],
        "blobs": dropped.blobs,
        "bytes": dropped.bytes,
    }
    if as_json:
        print_json(told)
        return
    for version in dropped.versions:
        click.echo(f"dropped the files of {version}")
    click.echo(f"{dropped.blobs} files, {dropped.bytes / MEBIBYTE:.1f} MiB")
