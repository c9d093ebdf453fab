"""``seatrial export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from seatrial import workspace
from seatrial.cli._options import file_argument, json_option, print_json
from seatrial.errors import Mistake, UsageError, nearest

if TYPE_CHECKING:
    from seatrial.engines import Exporter


@click.command(epilog="Example: seatrial export airflow pipeline.yaml -o dags/flights.py")
@click.argument("engine")
@file_argument
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where to; else printed.")
@click.option("--python", metavar="PATH", help="The interpreter that has seatrial; else this one.")
@click.option("--image", help="A container image that has seatrial, instead of an interpreter.")
@click.option("--unchecked", is_flag=True, help="The interpreter is on another machine.")
@click.option("--force", is_flag=True, help="Overwrite a file that was edited by hand.")
@json_option
def export(
    engine: str,
    file: Path,
    *,
    output: Path | None,
    python: str | None,
    image: str | None,
    unchecked: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Write the pipeline as a native file of another engine: airflow, prefect, metaflow, github."""
    from seatrial import plan as plans
    from seatrial.engines._call import Call, demand_seatrial
    from seatrial.engines._exported import sealed
    from seatrial.engines._outline import outline
    from seatrial.pipeline.read import read_file

    exporter = _exporter(engine)
    if python and image:
        raise UsageError(Mistake("--python and --image: one of them", fix="leave one out"))
    pipeline = read_file(file)
    where = workspace.of_file(file)
    plans.make(pipeline, where.folder)
    call = Call(where.folder, file.name, python or sys.executable, image)
    warning = None if unchecked else demand_seatrial(call)
    if warning:
        click.echo(f"warning: {warning}", err=True)
    shape = outline(pipeline)
    text = sealed(engine, shape, exporter.export(shape, call))
    if output is not None:
        _write(output, text, force=force)
    if as_json:
        told = {"engine": engine, "file": file.name, "output": str(output) if output else None}
        print_json({**told, "digest": shape.digest, "text": text})
    else:
        click.echo(text if output is None else f"{output} runs {pipeline.name} on {engine}")


def _exporter(engine: str) -> Exporter:
    from seatrial import extend

    engines = {word: extend.load("engines", word) for word in extend.names("engines")}
    known = {word: found for word, found in engines.items() if hasattr(found, "export")}
    if engine not in known:
        raise UsageError(
            Mistake(
                f"there is no file to write for {engine!r}",
                nearest=nearest(engine, known),
                fix=f"one of: {', '.join(known)}",
            )
        )
    return cast("type[Exporter]", known[engine])()


def _write(output: Path, text: str, *, force: bool) -> None:
    """Write aside, then rename: an engine that looks now sees the old file or the new one."""
    from seatrial.engines._exported import edited

    if output.exists() and not force:
        changed = edited(output.read_text(encoding="utf-8", errors="replace"))
        if changed is not False:
            what = "was edited by hand since it was exported" if changed else "is no exported file"
            raise UsageError(
                Mistake(
                    f"{output.name} {what}",
                    where=str(output),
                    fix="move it away, or overwrite it with --force; nothing was changed",
                )
            )
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        aside = output.with_name(f".{output.name}.part")
        aside.write_text(text, encoding="utf-8")
        aside.replace(output)
    except OSError as error:
        raise UsageError(
            Mistake(f"cannot write: {error.strerror}", where=str(output), fix="name another -o")
        ) from error
