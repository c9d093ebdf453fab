"""Lines of a run as it goes: coloured on a terminal, plain otherwise."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

COLOURS = {"pass": "green", "skip": "cyan", "fail": "red", "inconclusive": "yellow"}


def narrator(*, to_stderr: bool) -> Callable[[str], None]:
    """A function that shows one line; stdout stays clean when JSON is printed there."""
    stream = sys.stderr if to_stderr else sys.stdout
    if not stream.isatty():
        return lambda line: click.echo(line, file=stream)
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, highlight=False)

    def show(line: str) -> None:
        text = Text(line)
        for verdict, colour in COLOURS.items():
            text.highlight_regex(rf"(?<=: ){verdict}(?= ·)", f"bold {colour}")
        console.print(text, soft_wrap=True)

    return show
