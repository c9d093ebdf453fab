"""`seatrial --help` answers at once: it loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"numpy", "pyarrow", "duckdb", "sklearn", "lightgbm", "onnx", "onnxruntime", "sqlalchemy"}

PROGRAM = """
import json, sys
from seatrial.cli import main
sys.argv = ["seatrial", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    code = ended.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print("\\n" + json.dumps([code, loaded]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["env", "--help"],
        *(["env", word, "--help"] for word in ("capture", "compare", "verify")),
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True
    )
    code, loaded = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0
    assert ended.stdout.strip()
    assert not HEAVY & set(loaded)


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = "import sys, seatrial; print(*{n.partition('.')[0] for n in sys.modules})"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(ended.stdout.split())
