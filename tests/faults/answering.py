"""Answer golden rows on an emulated processor: ``python answering.py FOLDER``.

In each folder within lie a model, its signature, its golden rows and their tolerance. Prints one
JSON object: by folder, how they are answered as they are served, and by a program that sets no
option.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from seatrial.inference import golden
from seatrial.inference.session import SERVED, Model, Settings
from seatrial.inference.signature import Signature
from seatrial.inference.tolerance import Tolerance


def answers(folder: Path) -> dict[str, Any]:
    signature = Signature.from_json(json.loads((folder / "signature.json").read_bytes()))
    content, rows = ((folder / name).read_bytes() for name in ("model.onnx", "golden.json"))
    tolerance = Tolerance(**json.loads((folder / "tolerance.json").read_bytes()))
    told = {}
    for way, settings in {"served": SERVED, "plain": Settings(exact_int8=False)}.items():
        proof = golden.verify(Model.load(content, signature, settings), rows, tolerance)
        told[way] = {**asdict(proof), "ok": proof.ok, "said": proof.said}
    return told


if __name__ == "__main__":
    found = {each.name: answers(each) for each in sorted(Path(sys.argv[1]).iterdir())}
    print(json.dumps(found))  # noqa: T201 - to the test
