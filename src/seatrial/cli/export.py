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
    from seatrial.engines._call import Call, demand_names, demand_seatrial
    from seatrial.engines._exported import sealed
    from seatrial.engines._outline import outline
    from seatrial.pipeline.read import read_file

    exporter = _exporter(engine)
    installs = getattr(exporter, "installs_seatrial", False)
    if installs and (python or image):
        raise UsageError(
            Mistake(
                f"--python and --image do not apply to {engine}: its file installs seatrial itself",
                fix="leave them out",
            )
        )
    if python and image:
        raise UsageError(Mistake("--python and --image: one of them", fix="leave one out"))
    pipeline = read_file(file)
    where = workspace.of_file(file)
    plans.make(pipeline, where.folder)
    call = Call(where.folder, _named(file), _interpreter(python, unchecked=unchecked), image)
    demand_names(call)
    warning = None if unchecked or installs else demand_seatrial(call)
    if warning:
        click.echo(f"warning: {warning}", err=True)
    shape = outline(pipeline)
    text = sealed(engine, shape, exporter.export(shape, call))
    if output is not None:
        _demand_another(output, file)
        _write(output, text, force=force)
    if as_json:
        told = {"engine": engine, "file": file.name, "output": str(output) if output else None}
        print_json({**told, "digest": shape.digest, "text": text})
    elif output is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"{output} runs {pipeline.name} on {engine}")


def _named(file: Path) -> str:
    """The file, as the command in its folder has it."""
    return f"./{file.name}" if file.name.startswith("-") else file.name


def _interpreter(python: str | None, *, unchecked: bool) -> str:
    """Its path, which holds in every folder; a name alone is looked up where it is called."""
    if python is None or unchecked or "/" not in python:
        return python or sys.executable
    return str(Path(python).absolute())


def _exporter(engine: str) -> Exporter:
    from seatrial import extend

    # only the one that is asked for is loaded, unless somebody must be told which there are
    found = extend.load("engines", engine) if engine in extend.names("engines") else None
    if _writes(found):
        return cast("type[Exporter]", found)()
    known = [word for word in extend.names("engines") if _writes(extend.load("engines", word))]
    raise UsageError(
        Mistake(
            f"there is no file to write for {engine!r}",
            nearest=nearest(engine, known),
            fix=f"one of: {', '.join(known)}",
        )
    )


def _writes(engine: object) -> bool:
    return hasattr(engine, "export")


def _demand_another(output: Path, file: Path) -> None:
    """No force writes over the pipeline that is exported."""
    if output.exists() and output.samefile(file):
        mistake = Mistake(
            f"{output.name} is the pipeline file itself", where=str(output), fix="name another -o"
        )
        raise UsageError(mistake)


def _write(output: Path, text: str, *, force: bool) -> None:
    """Refuse what is no sealed file; an engine that looks now sees the old one or the new one."""
    from seatrial.data import whole_file
    from seatrial.engines._exported import edited

    if output.exists() and not output.is_file():
        mistake = Mistake(f"{output.name} is no file", where=str(output), fix="name another -o")
        raise UsageError(mistake)
    if output.exists() and not force:
        changed = edited(_read(output))
        if changed is not False:
            what = "was edited by hand since it was exported" if changed else "is no exported file"
            raise UsageError(
                Mistake(
                    f"{output.name} {what}",
                    where=str(output),
                    fix="move it away, or overwrite it with --force; nothing was changed",
                )
            )
    whole_file.replace(output, text.encode(), "the exported file")


def _read(output: Path) -> str:
    try:
        return output.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        mistake = Mistake(
            f"cannot see whether it was edited: {error.strerror}",
            where=str(output),
            fix="name another -o",
        )
        raise UsageError(mistake) from error
