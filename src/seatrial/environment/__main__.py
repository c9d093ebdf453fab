"""``python -m seatrial.environment``: what a device needs, where only Python is installed.

To prove a version it takes numpy and onnxruntime, too.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if sys.version_info < (3, 11):  # noqa: UP036 - a device may have an older one
    # Before anything is imported that an older Python cannot read.
    print(  # noqa: T201
        "this needs Python 3.11 or newer, and this is ",
        ".".join(map(str, sys.version_info[:3])),
        "\n  fix: make the virtual environment with a newer one: python3.11 -m venv model",
        file=sys.stderr,
        sep="",
    )
    sys.exit(5)

from seatrial.errors import SeatrialError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from seatrial.environment.difference import Difference

EXIT_CODES = (
    "Exit codes: 0 yes; 1 no: the model does not answer here as it must, or the environment"
    " differs in what forbids it; 2 a wrong command line, or no such file or bundle; 5 it could"
    " not be found out, for something is in the way."
)

STOPPED = 130
"""The exit code of what was ended by Ctrl-C, as every shell knows it."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; every error of ours becomes a few lines and its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may lack some letters
    chosen = _commands().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        code = run(chosen)
        sys.stdout.flush()
    except SeatrialError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line
        return error.exit_code
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # Whoever reads has read enough; else Python complains of it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return StoreError.exit_code
    return code


def _commands() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m seatrial.environment",
        description="Say what this machine is, compare machines, prove a bundled model here.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    capture = commands.add_parser("capture", help="what could change a model's answers, as JSON")
    capture.add_argument("--deep", action="store_true", help="verify every installed file")
    capture.add_argument("-o", dest="file", type=Path, metavar="FILE", help="write it there")
    capture.set_defaults(run=_capture)

    compare = commands.add_parser("compare", help="captures: the others against the first")
    compare.add_argument("first", type=Path, metavar="A")
    compare.add_argument("others", type=Path, metavar="B", nargs="+")
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(run=_compare)

    verify = commands.add_parser(
        "verify", help="does a bundled model answer here as it must?", epilog=EXIT_CODES
    )
    verify.add_argument("place", type=Path, metavar="DIR|ARCHIVE")
    verify.add_argument(
        "--digest", type=_digest, metavar="sha256:…", help="the version that it must be"
    )
    verify.add_argument(
        "--plain", action="store_true", help="by onnxruntime's own settings, not by ours"
    )
    verify.add_argument(
        "--rows-at-once", type=_count, metavar="N", help="how many rows are asked together; 0: all"
    )
    verify.add_argument("--timeout-s", type=_seconds, metavar="N", help="end the model after that")
    verify.add_argument(
        "--trust-pickle", action="store_true", help="run the code that a pickled model holds"
    )
    verify.add_argument("--json", action="store_true", help="print JSON")
    verify.set_defaults(run=_verify)
    return parser


def _capture(chosen: argparse.Namespace) -> int:
    from seatrial.environment.capture import capture  # noqa: PLC0415 - only what is asked for
    from seatrial.environment.document import demand_replaceable, write  # noqa: PLC0415
    from seatrial.workspace import now  # noqa: PLC0415

    if chosen.file is not None:
        demand_replaceable(chosen.file)
    at = now().isoformat(timespec="seconds")
    found = capture(at, deep="all" if chosen.deep else None)
    if chosen.file is None:
        print(_json(found))  # noqa: T201
    else:
        write(chosen.file, found)
    return 0


def _compare(chosen: argparse.Namespace) -> int:
    from seatrial.environment import document  # noqa: PLC0415
    from seatrial.environment.compare import compare  # noqa: PLC0415
    from seatrial.environment.gathered import gathered  # noqa: PLC0415

    first = document.read(chosen.first)
    found = {str(file): compare(first, document.read(file)) for file in chosen.others}
    if chosen.json:
        told = {name: [each.to_json() for each in some] for name, some in found.items()}
        print(_json({"first": str(chosen.first), "others": told}))  # noqa: T201
        return _forbids(found.values())
    for name, differences in found.items():
        differ = "differs from" if differences else "is as"
        print(f"{name} {differ} {chosen.first}")  # noqa: T201
        for each in gathered(differences):
            print(f"  {each}")  # noqa: T201
    return _forbids(found.values())


def _forbids(found: Iterable[Iterable[Difference]]) -> int:
    return int(any(each.level == "error" for some in found for each in some))


def _verify(chosen: argparse.Namespace) -> int:
    from seatrial.environment.proof import proving  # noqa: PLC0415 - only what is asked for
    from seatrial.environment.proof.verdict import lines  # noqa: PLC0415

    proven = proving.prove(
        chosen.place,
        digest=chosen.digest,
        plain=chosen.plain,
        rows_at_once=chosen.rows_at_once,
        timeout_s=chosen.timeout_s or proving.TIMEOUT_S,
        trust_pickle=chosen.trust_pickle,
    )
    if chosen.json:
        print(_json(proven.to_json()))  # noqa: T201
    else:
        print(*lines(proven), sep="\n")  # noqa: T201
    return proven.exit_code


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


def _digest(word: str) -> str:
    """A digest, in whatever case some tool printed it; argparse tells of the error."""
    if not re.fullmatch("sha256:[0-9a-f]{64}", word.lower()):
        raise ValueError
    return word.lower()


def _count(word: str) -> int:
    """A whole number not below 0; argparse tells of the error."""
    number = int(word)
    if number < 0:
        raise ValueError
    return number


def _seconds(word: str) -> float:
    number = float(word)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
