"""Another instruction set: golden rows find bytes that overflow, and floats stay equal.

The processors are emulated by qemu (Debian: qemu-user). Haswell has AVX2 but no VNNI; Nehalem has
neither, and OpenBLAS takes another kernel there as well.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnxruntime.quantization import QuantFormat, QuantType

import quantised
from seatrial.inference import golden
from seatrial.inference.calibration import calibrate
from seatrial.inference.parity import TOLERANCE
from seatrial.inference.session import Model
from seatrial.models import Training, get

if TYPE_CHECKING:
    from seatrial.inference.signature import Signature

QEMU = shutil.which("qemu-x86_64")
CHILD = Path(__file__).with_name("answering.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        QEMU is None or platform.machine() != "x86_64",
        reason="no qemu-x86_64 here (Debian: apt-get install qemu-user)",
    ),
]


def trees() -> tuple[bytes, Signature, dict[str, np.ndarray]]:
    features = quantised.rows()
    late = np.where(features["x0"] + features["x1"] * features["x2"] > 0, "late", "on time")
    classes = ("late", "on time")
    training = Training(features, late.astype(object), "classes", classes, {"num_leaves": 15}, 1)
    fitted = get("gradient_boosted").fit(training)
    return fitted.to_onnx(), fitted.signature, features


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each model, with the golden rows that it answers on this machine."""
    scratch, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("versions")
    signed = QuantType.QInt8
    networks = {
        "floats": quantised.network(),
        "dynamic": quantised.dynamic(scratch),
        "static": quantised.static(scratch),
        "signed": quantised.static(scratch, activations=signed, weights=signed),
        "operators": quantised.static(scratch, QuantFormat.QOperator),
        "steps": quantised.static(scratch, operators=None),
        "reduced": quantised.static(scratch, reduce_range=True),
        "unsigned": quantised.static(scratch, weights=QuantType.QUInt8),
    }
    made = {n: (content, quantised.SIGNATURE, quantised.rows()) for n, content in networks.items()}
    made["cancelling"] = (quantised.cancelling(), quantised.NUMBERS, quantised.rows())
    for name, (content, signature, features) in {**made, "trees": trees()}.items():
        (folder / name).mkdir()
        (folder / name / "model.onnx").write_bytes(content)
        (folder / name / "signature.json").write_text(json.dumps(signature.to_json()))
        model = Model.load(content, signature)
        rows = golden.make(model, features, seed=1)
        (folder / name / "golden.json").write_bytes(rows)
        tolerance = calibrate(model, rows, partial(Model.load, content, signature)).tolerance
        (folder / name / "tolerance.json").write_text(json.dumps(tolerance.to_json()))
    return folder


def answered(versions: Path, processor: str, **variables: str) -> Any:
    assert QEMU is not None
    done = subprocess.run(
        [QEMU, "-cpu", processor, sys.executable, str(CHILD), str(versions)],
        capture_output=True,
        check=True,
        env={**os.environ, **variables},
        timeout=300,
    )
    return json.loads(done.stdout)


def test_overflowing_bytes_are_found_and_are_exact_as_served(versions: Path) -> None:
    found = answered(versions, "Haswell")
    for name in ("dynamic", "static", "signed", "operators", "steps"):
        plain = found[name]["plain"]
        assert not plain["ok"], name
        assert plain["outside"] > 10, name
        assert plain["largest_difference"] > 0.01, name
        assert plain["worst"][0]["expected"] != plain["worst"][0]["got"], name
        assert found[name]["served"]["ok"], (name, found[name]["served"]["said"])
    for name in ("floats", "trees", "reduced", "unsigned", "cancelling"):
        for way in ("plain", "served"):
            assert found[name][way]["ok"], (name, way, found[name][way]["said"])


def test_a_processor_without_avx_and_another_blas_answer_equally(versions: Path) -> None:
    # numpy's OpenBLAS dies of an instruction that this emulation lacks, unless told its kernel
    found = answered(versions, "Nehalem", OPENBLAS_CORETYPE="Nehalem")
    dynamic = found.pop("dynamic")
    assert found["cancelling"]["served"]["largest_difference"] > TOLERANCE  # it was calibrated
    for name, told in found.items():
        for way in ("plain", "served"):
            assert told[way]["ok"], (name, way, told[way]["said"])
    # a scale that is taken over a missing value may depend on how a processor compares NaN
    assert {each["kind"] for each in dynamic["served"]["worst"]} <= {"missing"}
