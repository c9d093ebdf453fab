"""``seatrial bundle``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from seatrial.cli._options import existing_project, json_option, print_json
from seatrial.cli._version import version_of

if TYPE_CHECKING:
    from seatrial.environment.bundles.bundle import Bundle

KILOBYTE = 1000

ABOUT = {"golden.json": "  values of rows that it was trained on: whoever has them can read them"}


@click.command(epilog="Example: seatrial bundle flights_late@production -o flights_late.tar.gz")
@click.argument("version", metavar="VERSION")
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A new folder, or a file that ends with .tar.gz, .tgz or .zip.",
)
@json_option
def bundle(version: str, *, target: Path, as_json: bool) -> None:
    """A version as a folder for a device: MODEL@CHANNEL, MODEL@NUMBER, or NUMBER alone.

    It holds the model, its golden rows, what it demands of the machine, and the code that proves
    it there with nothing but Python, numpy and onnxruntime.
    """
    from seatrial.registry.opened import bundled

    opened = existing_project()
    written = bundled(opened.registry, version_of(opened, version), target)
    if as_json:
        print_json(_document(written))
    else:
        _tell(written)


def _document(written: Bundle) -> dict[str, object]:
    known = written.listing
    return {
        "model": known.model,
        "version": known.version,
        "digest": known.digest,
        "place": str(written.place),
        "bytes": written.size,
        "files": {name: each.size for name, each in known.files.items()},
        "prove": _proof(written),
    }


def _tell(written: Bundle) -> None:
    known = written.listing
    click.echo(f"{known.model} version {known.version} is in {written.place}")
    click.echo(f"  {_size(written.size)}; {known.digest}")
    code = [each.size for name, each in known.files.items() if "/" in name]
    for name, each in sorted(known.files.items()):
        if "/" not in name:
            click.echo(f"  {name:<14} {_size(each.size):>9}{ABOUT.get(name, '')}")
    click.echo(f"  {'seatrial/':<14} {_size(sum(code)):>9}  the code that proves it")
    click.echo(f"prove it on the device: {_proof(written)}")


def _proof(written: Bundle) -> str:
    """The command for a device that has neither this program nor the package."""
    from seatrial.environment.bundles.archive import TAR, ZIP
    from seatrial.environment.bundles.readme import PROOF

    trust = " --trust-pickle" if "model.pickle" in written.listing.files else ""
    command = f"{PROOF}{trust} --digest {written.listing.digest}"
    name = written.place.name
    if written.place.is_dir():
        return f"cd {shlex.quote(name)} && {command}"
    ending = next(each for each in TAR + ZIP if name.lower().endswith(each))
    module = "zipfile" if ending in ZIP else "tarfile"
    archive, folder = shlex.quote(name), shlex.quote(name[: -len(ending)] or "bundle")
    return f"python -m {module} -e {archive} {folder} && cd {folder} && {command}"


def _size(size: int) -> str:
    """A size for people.

    >>> _size(640), _size(12_345), _size(7_654_321)
    ('640 B', '12.3 kB', '7.7 MB')
    """
    if size < KILOBYTE:
        return f"{size} B"
    if size < KILOBYTE**2:
        return f"{size / KILOBYTE:.1f} kB"
    return f"{size / KILOBYTE**2:.1f} MB"
