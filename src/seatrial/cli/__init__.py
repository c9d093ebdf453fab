"""The command line: one file a command, found by its name and imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from seatrial.cli._nearest import Nearest
from seatrial.errors import Mistake, SeatrialError, UsageError

ORDER = (
    "init", "check", "plan", "run", "demo", "status", "runs", "models", "history", "promote",
    "rollback", "reviews", "approve", "reject", "label", "cancel", "gc", "serve", "token",
    "schedules", "profile", "validate", "compare", "reproduce", "bundle", "env", "report",
    "comment", "schema", "export", "begin", "step", "migrate",
)  # fmt: skip
"""How ``--help`` lists them: as one meets them."""


class _Commands(Nearest):
    """Commands are files of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        found = {f.stem for f in Path(__file__).parent.glob("*.py") if not f.stem.startswith("_")}
        return [name for name in ORDER if name in found] + sorted(found - set(ORDER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = getattr(import_module(f"seatrial.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="seatrial")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def root(*, debug: bool) -> None:
    """Put machine-learning models through sea trials before they are delivered."""
    del debug


def _demand_text(given: list[str]) -> None:
    """What is no text can be kept nowhere: neither as a reason nor as the name of a file."""
    for word in given:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                Mistake(
                    f"an argument is not valid UTF-8: {word!a}",
                    fix="write it in UTF-8, or rename the file that it names",
                )
            ) from error


def main() -> None:
    """Run the command line; every error becomes a few lines and an exit code."""
    debug = "--debug" in sys.argv
    given = [word for word in sys.argv[1:] if word != "--debug"]
    try:
        _demand_text(given)
        words = ["--debug", *given] if debug else given
        # as people type it, whatever the program's file is called
        code = root.main(words, prog_name="seatrial", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped; nothing is lost: the same command goes on from here", err=True)
        sys.exit(5)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except SeatrialError as error:
        if debug:
            raise
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        # The last line of defence: a fault of ours must still say what to do.
        if debug:
            raise
        click.echo(f"seatrial failed: {type(error).__name__}: {error}", err=True)
        click.echo(
            "  fix: please report it, with what the same command prints under --debug", err=True
        )
        sys.exit(70)
    sys.exit(code if isinstance(code, int) else 0)
