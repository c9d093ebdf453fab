"""The README of a bundle: what it is, how it is proven, how any program opens the model."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from seatrial.environment.changes import recorded
from seatrial.environment.needs import Needs

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

PROOF = "python -m seatrial.environment verify ."
"""The command that proves a bundle, given in its folder."""

_WIDTH = 96


def text(
    manifest: Mapping[str, Any], model: str, version: int, digest: str, files: Container[str]
) -> str:
    """The README of a version; ``files`` are the names of the files beside it."""
    pickled = "model.pickle" in files
    whole = (
        "This folder holds the model, its golden rows (inputs with the answers that it gave when it"
        " was registered), what it demands of the machine that answers by it, and the code that"
        " checks all that."
    )
    codes = (
        "It says yes or no, and why. Exit code 0: it answers here as it must. 1: it does not. 2: a"
        " wrong command line, or no bundle. 5: it could not be found out."
    )
    parts = (
        f"{model} version {version}\n{digest}",
        whole,
        f"Prove it on this machine, with Python 3.11 or newer and {_packages(pickled=pickled)}:",
        f"    cd HERE && {PROOF}{' --trust-pickle' if pickled else ''}",
        codes,
        _trained(manifest),
        "The files:",
        _listed(files),
        _pickled() if pickled else _example(manifest["signature"]),
    )
    return "\n\n".join(_wrapped(part) for part in parts) + "\n"


def _packages(*, pickled: bool) -> str:
    if pickled:
        return "the very packages that the model was trained with (environment in manifest.json)"
    return "two packages: numpy and onnxruntime"


def _trained(manifest: Mapping[str, Any]) -> str:
    """By which releases it was trained, of the packages that take part in an answer."""
    environment = manifest.get("environment")
    environment = environment if isinstance(environment, dict) else {}
    known = recorded.packages(environment) or {}
    needed = Needs.of_manifest(manifest).packages
    pins = [f"{name}=={known[name]}" for name in needed if name in known]
    python = recorded.text(environment, "python_version") or "of unknown release"
    if not pins:
        return "With which packages it was trained is not recorded."
    return f"It was trained with Python {python} and {' '.join(pins)}."


def _listed(files: Container[str]) -> str:
    about = {
        "bundle.json": "the digests and sizes of all other files",
        "manifest.json": "the version: its signature, training, environment, demands, digests",
        "golden.json": "the golden rows, of values it was trained on, and their answers",
        "model.onnx": "the model, one input a column",
        "matrix.onnx": "the same model, fed one matrix of numbers: input 'features' [n, columns]",
        "model.pickle": "the model; to open it runs the code that it holds",
    }
    lines = [
        f"    {name:<14} {told}"
        for name, told in about.items()
        if name == "bundle.json" or name in files
    ]
    return "\n".join([*lines, f"    {'seatrial/':<14} the code that proves the bundle"])


def _example(signature: Mapping[str, Any]) -> str:
    inputs = signature["inputs"]
    numbers = [each["name"] for each in inputs if each["datatype"] == "FP32"]
    words = [each["name"] for each in inputs if each["datatype"] != "FP32"]
    classes = signature["problem"] == "classes"
    outputs = ["label", "probabilities"] if classes else ["label"]
    lines = [
        'Answer by it, with onnxruntime alone (a missing number is nan, a missing word is ""):',
        "",
        "    import os",
        '    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else onnxruntime reports to its maker',
        "    import numpy as np, onnxruntime as ort",
        "    options = ort.SessionOptions()",
        "    options.intra_op_num_threads = options.inter_op_num_threads = 1",
        '    options.add_session_config_entry("session.x64quantprecision", "1")',
        '    session = ort.InferenceSession("model.onnx", options, ["CPUExecutionProvider"])',
        f"    numbers = {_names(numbers)}",
        f"    words = {_names(words)}",
        "    row = {name: np.array([[np.nan]], np.float32) for name in numbers}",
        '    row |= {name: np.array([[""]], object) for name in words}',
        f"    print(session.run({json.dumps(outputs)}, row))",
    ]
    if classes:
        lines += ["", f"The classes, in the order of the probabilities: {signature['classes']}"]
    return "\n".join(lines)


def _names(names: list[str]) -> str:
    """A list of names as Python has it; names may hold anything."""
    return f"[{', '.join(map(repr, names))}]"


def _pickled() -> str:
    return (
        "Answer by it: `seatrial.inference.pickled.Pickled.open(content, signature)` runs it in a"
        " process of its own, as the proof does, and its `predict(columns)` answers."
    )


def _wrapped(part: str) -> str:
    if part.startswith("    ") or "\n" in part:
        return part
    return textwrap.fill(part, _WIDTH)
