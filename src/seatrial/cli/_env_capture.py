"""``seatrial env capture``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seatrial import workspace
from seatrial.cli._options import json_option, print_json
from seatrial.environment.text_file import text_of
from seatrial.errors import Mistake, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMED = 6
"""So many of a list are named, the rest is counted."""


@click.command(epilog="Example: seatrial env capture -o build.json")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write it into this file, as JSON; only another capture is overwritten.",
)
@click.option("--deep", is_flag=True, help="Also verify every installed file of every package.")
@click.option(
    "--requirements", is_flag=True, help="Print the packages as lines of a requirements file."
)
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    help="A lock file that knows their hashes; with --requirements.",
)
@json_option
def capture(
    output: Path | None, *, deep: bool, requirements: bool, lock: Path | None, as_json: bool
) -> None:
    """Say what this machine answers with.

    It is read from this interpreter; nothing secret is in it.
    """
    from seatrial.environment.capture import capture as captured
    from seatrial.environment.document import demand_replaceable, write

    _demand_sense(requirements=requirements, lock=lock, as_json=as_json)
    if output is not None:
        demand_replaceable(output)
    locked = "" if lock is None else text_of(lock, "the lock file")
    at = workspace.now().isoformat(timespec="seconds")
    made = captured(at, deep="all" if deep else None)
    if output is not None:
        write(output, made)
    if as_json:
        print_json(made)
    elif requirements:
        from seatrial.environment.requirements import lines

        click.echo(lines(made, locked).rstrip("\n"))
    elif output is None:
        for name, told in _summary(made):
            click.echo(f"{name:<13}{told}")
    else:
        packages = len(made["dependencies"])
        click.echo(f"{output}: Python {made['python_version']}, {packages} packages")
        click.echo(f"  {made['hash']}")
        if made.get("altered"):
            click.echo(f"  altered: {_altered(made)}")


def _summary(made: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a capture says, line by line; what is odd about its packages only where it is so."""
    yield "python", f"{made['python_version']} ({made['implementation']})"
    system = (made["os_release"] or made["os"], made["kernel"], made["machine"], made["libc"])
    yield "system", ", ".join(filter(None, system))
    yield "processor", _processor(made["cpu"])
    trouble: Mapping[str, str] = made.get("trouble", {})
    yield "onnxruntime", _onnxruntime(made["onnxruntime"], failed="onnxruntime" in trouble)
    yield "libraries", _libraries(made["libraries"], failed="threadpoolctl" in trouble)
    yield "cuda", _cuda(made["cuda"])
    yield "packages", f"{len(made['dependencies'])}"
    for word, several in (
        ("editable", made["editable"]),
        ("hidden", [f"{name} {', '.join(v)}" for name, v in made["hidden"].items()]),
        ("unnamed", made["unnamed"]),
    ):
        if several:
            yield word, _listed(several)
    if "verified" in made:
        yield "altered", _altered(made)
    variables = [f"{name}={value}" for name, value in made["variables"].items()]
    yield "variables", " ".join(variables) or "none that matter"
    yield "locale", f"{made['locale'] or 'not set'}, time zone {made['timezone'] or 'not known'}"
    if made["image"]:
        yield "image", made["image"]
    if trouble:
        yield "trouble", "; ".join(f"{name}: {told}" for name, told in trouble.items())
    yield "hash", made["hash"]


def _processor(cpu: Mapping[str, Any]) -> str:
    cores = cpu["cores"]
    many = "" if cores is None else f", {cores} core{'s' * (cores != 1)}"
    flags = " ".join(cpu["flags"])
    return f"{cpu['model'] or 'not known'}{many}" + (f": {flags}" if flags else "")


def _onnxruntime(found: Mapping[str, Any] | None, *, failed: bool) -> str:
    if found is None:
        return "not known" if failed else "not installed"
    return f"{found['version']}: {', '.join(found['providers'])}"


def _libraries(found: list[Mapping[str, Any]] | None, *, failed: bool) -> str:
    if found is None:
        return "not known" if failed else "not known: threadpoolctl is not installed"
    told = [
        " ".join(
            str(each[key]) for key in ("api", "version", "architecture", "threading") if each[key]
        )
        + f" ({each['threads']} thread{'s' * (each['threads'] != 1)})"
        for each in found
    ]
    return "; ".join(told) or "none loaded"


def _cuda(found: Mapping[str, Any]) -> str:
    if not found["available"]:
        return "none"
    parts = [f"{word} {found[word]}" for word in ("version", "cudnn", "driver") if found[word]]
    return "; ".join([*found["gpus"], *parts])


def _altered(made: Mapping[str, Any]) -> str:
    verified = len(made["verified"])
    if not made["altered"]:
        return f"no file of the {verified} packages that could be verified"
    return "; ".join(f"{name}: {_listed(files)}" for name, files in made["altered"].items())


def _listed(several: list[str]) -> str:
    more = len(several) - _NAMED
    return ", ".join(several[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _demand_sense(*, requirements: bool, lock: Path | None, as_json: bool) -> None:
    if lock is not None and not requirements:
        fix = "add --requirements, or leave --lock out"
        raise UsageError(Mistake("--lock gives hashes to the lines of --requirements", fix=fix))
    if requirements and as_json:
        what = "--requirements prints lines and --json prints the capture: not both"
        raise UsageError(Mistake(what, fix="leave one of them out"))
