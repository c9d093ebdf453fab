"""No engine: ``begin``, one ``step`` after the other, ``report``. ``loop.py PYTHON ADDRESS …``."""

from __future__ import annotations

import json
import subprocess
import sys


def main(python: str, addresses: list[str]) -> None:
    """Call them in this folder; CalledProcessError when one of them does not pass."""

    def told(*words: str) -> dict[str, str]:
        command = [python, "-m", "seatrial", *words, "--json"]
        answer: dict[str, str] = json.loads(subprocess.check_output(command))
        return answer

    run = told("begin", "pipeline.yaml", "--engine", "loop")["run"]
    for address in addresses:
        told("step", run, address)
    told("report", run)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
