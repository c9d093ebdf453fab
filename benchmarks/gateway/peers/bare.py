"""The least that can be done: granian and onnxruntime, nothing checked. ``bare.py MODEL PORT``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime as ort
import orjson
from granian.constants import Interfaces
from granian.server import Server

if TYPE_CHECKING:
    from granian.rsgi import HTTPProtocol, Scope

_JSON = [("content-type", "application/json")]
_OUTPUTS = ["label", "probabilities"]


class App:
    """Whatever is asked is taken for a V2 request with one matrix."""

    def __init__(self, model: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(model.read_bytes(), options)

    async def __rsgi__(self, _scope: Scope, protocol: HTTPProtocol) -> None:
        """Read, predict, answer."""
        asked = orjson.loads(await protocol())["inputs"][0]
        features = np.array(asked["data"], np.float32).reshape(asked["shape"])
        label, probabilities = self.session.run(_OUTPUTS, {"features": features})
        outputs = [
            {"name": "label", "datatype": "INT64", "shape": label.shape, "data": label},
            {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": probabilities.shape,
                "data": probabilities.ravel(),
            },
        ]
        told = {"model_name": "matrix", "model_version": "1", "outputs": outputs}
        reply = orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)
        protocol.response_bytes(200, _JSON, reply)


def load() -> App:
    """The application; called in the worker."""
    return App(Path(sys.argv[1]))


if __name__ == "__main__":
    Server(
        "bare",
        port=int(sys.argv[2]),
        interface=Interfaces.RSGI,
        log_enabled=False,
    ).serve(target_loader=load, wrap_loader=False)
