"""The process for code that is not ours: its limits, its end, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper

from seatrial.errors import FileError, FormError
from seatrial.models import Training
from seatrial.models._entry import request
from seatrial.models._entry.artifact import Artifact
from seatrial.models._entry.packed import Packed, pack, unpack
from seatrial.models._entry.trainer import EntryPoint

if TYPE_CHECKING:
    from pathlib import Path

TRAINING = Training(
    features={"x": np.array([1.0, np.nan], np.float32), "c": np.array(["é", ""], object)},
    target=np.array(["no", "yes"], object),
    problem="classes",
    classes=("no", "yes"),
    hyperparameters={"a": [1, {"b": None}]},
    seed=3,
)

ANSWERS = """
import threading, time, os, sys
import numpy as np
class Fair:
    def predict(self, features): return ["no"] * len(features["x"])
    def predict_proba(self, features): return np.full((len(features["x"]), 2), 0.5)
"""


def entry(folder: Path, code: str, timeout_s: float = 60.0) -> EntryPoint:
    (folder / "fits.py").write_text(code)
    return EntryPoint("fits:build", folder, timeout_s)


def test_it_is_given_what_it_asks_for_by_name(tmp_path: Path) -> None:
    code = (
        ANSWERS
        + """
def build(seed, /, features, target, classes, *, problem, hyperparameters, training, x=5, **rest):
    assert features["x"].dtype == np.float32 and np.isnan(features["x"][1])
    assert features["c"].tolist() == ["é", ""]
    assert target.tolist() == list(classes) == ["no", "yes"]
    assert (problem, seed, x, training.seed) == ("classes", 3, 5, 3)
    assert hyperparameters == {"a": [1, {"b": None}]} and not rest
    assert os.listdir() == [] and os.environ["PYTHONHASHSEED"] == "0"
    features["x"][:] = 7
    return Fair()
"""
    )
    fitted = entry(tmp_path, code).fit(TRAINING)
    assert fitted.made == "Fair"
    assert TRAINING.features["x"][0] == 1.0
    assert fitted.witness is not None
    assert not np.any(fitted.witness.rows["x"] == 7)
    assert not list(tmp_path.rglob("__pycache__"))


def test_what_takes_anything_is_given_everything(tmp_path: Path) -> None:
    code = ANSWERS + "def build(**given):\n    print(sorted(given))\n    os._exit(1)\n"
    with pytest.raises(FileError) as raised:
        entry(tmp_path, code).fit(TRAINING)
    names = ["classes", "features", "hyperparameters", "problem", "seed", "target"]
    assert f"it printed last: {names}" in str(raised.value)


def test_a_thread_that_never_ends_does_not_hold_the_model_back(tmp_path: Path) -> None:
    code = ANSWERS + "def build():\n"
    code += "    threading.Thread(target=time.sleep, args=(600,)).start()\n    return Fair()\n"
    assert entry(tmp_path, code).fit(TRAINING).made == "Fair"


def leaving(pid_file: Path) -> str:
    """Lines that start a process which leaves the session, and write its number and their own."""
    return (
        "    import os, pathlib, subprocess\n"
        "    left = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"    pathlib.Path({str(pid_file)!r}).write_text(f'{{os.getpid()}} {{left.pid}}')\n"
    )


def test_what_left_its_session_ends_with_the_training(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = ANSWERS + "def build():\n" + leaving(pid_file) + "    return Fair()\n"
    assert entry(tmp_path, code).fit(TRAINING).made == "Fair"
    assert not any(map(_runs, map(int, pid_file.read_text().split())))


def test_one_that_kills_its_parent_kills_itself(tmp_path: Path) -> None:
    code = ANSWERS + "def build():\n    os.kill(os.getppid(), 9)\n    time.sleep(600)\n"
    with pytest.raises(FileError, match="was ended by the system"):
        entry(tmp_path, code).fit(TRAINING)


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Also when that is killed, and while foreign code holds the interpreter."""
    pid_file = tmp_path / "pid"
    (tmp_path / "fits.py").write_text(
        "import re\n"
        "def build():\n"
        + leaving(pid_file)
        + "    re.match(r'(a+)+$', 'a' * 60 + 'b')\n"  # holds the interpreter for years
    )
    code = (
        "import numpy as np; from pathlib import Path; from seatrial.models import Training\n"
        "from seatrial.models._entry.trainer import EntryPoint\n"
        "training = Training({'x': np.ones(2, 'f4')}, np.arange(2), 'classes', (0, 1), {}, 1)\n"
        f"EntryPoint('fits:build', Path({str(tmp_path)!r}), 600).fit(training)"
    )
    parent = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            code,
        ]
    )
    until_s = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < until_s:
        time.sleep(0.05)
    started = [*map(int, pid_file.read_text().split())]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while any(map(_runs, started)) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not any(map(_runs, started))


def endless(path: Path) -> None:
    """A graph that counts for ever, and answers 0 after that."""
    inner = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in ("go_on", "sum")],
        "count",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["n", 1]),
        ],
        [
            helper.make_tensor_value_info("go_on_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_out", TensorProto.FLOAT, ["n", 1]),
        ],
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "true", "x"], ["y"], body=inner)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor("true", TensorProto.BOOL, [], [True])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    path.write_bytes(model.SerializeToString())


@pytest.mark.slow
def test_a_finished_file_that_never_answers_is_ended(tmp_path: Path) -> None:
    endless(tmp_path / "model.onnx")
    numbers = {"x": np.arange(9, dtype=np.float32)}
    training = Training(numbers, np.arange(9) * 0.5, "numbers", (), {}, 1)
    with pytest.raises(FileError) as raised:
        Artifact(tmp_path / "model.onnx", "models/model.onnx", 3.0).fit(training)
    told = raised.value.mistakes[0]
    assert told.what.startswith("the trial of models/model.onnx was not done after 3 s")
    assert (told.where, told.fix.startswith("look for an endless loop")) == (
        "models/model.onnx",
        True,
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return not shown.stdout.strip().startswith(b"Z")


def test_a_request_comes_back_as_it_was(tmp_path: Path) -> None:
    ask = request.Request(TRAINING, "fits:build", tmp_path, "fits.py:1", 5, trusts_pickle=True)
    back = request.read(ask.written())
    assert back.training.features["c"].tolist() == ["é", ""]
    assert back.training.target.tolist() == ["no", "yes"]
    assert (back.signature, back.memory_mb, back.trusts_pickle) == (ask.signature, 5, True)
    ready = replace(ask, ready=b"\x08\0")
    assert (back.ready, request.read(ready.written()).ready) == (None, b"\x08\0")


@given(
    st.dictionaries(st.text(), st.lists(st.text(), max_size=4), max_size=3),
    arrays.arrays(np.float32, st.integers(0, 5)),
)
def test_what_is_packed_comes_back_and_is_the_same_file(
    words: dict[str, list[str]], numbers: np.ndarray
) -> None:
    texts = {f"w/{name}": np.array(values, object) for name, values in words.items()}
    packed = Packed({"n": [1, None, "é"]}, {**texts, "x": numbers}, {"f/g": b"\0\1"})
    written = pack(packed)
    back = unpack(written)
    assert written == pack(packed)
    assert back.document == packed.document
    assert back.files == packed.files
    assert [*back.arrays] == [*packed.arrays]
    assert np.array_equal(back.arrays["x"], numbers, equal_nan=True)
    assert {name: values.tolist() for name, values in back.part("w/").items()} == words


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"{}", pack(Packed({}))[:-30]])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(FormError, match="no model that a project brought"):
        unpack(content)
