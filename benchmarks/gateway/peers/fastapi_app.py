"""How teams write it: FastAPI, pydantic and onnxruntime. ``fastapi_app.py MODEL PORT HOW``.

HOW is ``def``, FastAPI's advice for calls that block (it runs them in a thread), or ``async``,
which is faster while the model is small and nothing else has to be answered meanwhile.
"""

import sys
from typing import Any

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Tensor(BaseModel):
    """One input or output."""

    name: str
    shape: list[int]
    datatype: str
    data: list[float]


class Asked(BaseModel):
    """A V2 request."""

    id: str | None = None
    inputs: list[Tensor]


class Told(BaseModel):
    """A V2 answer."""

    model_name: str
    model_version: str
    outputs: list[Tensor]


def application(model: str, how: str) -> FastAPI:
    """One route."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options)
    app = FastAPI()

    def infer(asked: Asked) -> Told:
        tensor = asked.inputs[0]
        features = np.array(tensor.data, dtype=np.float32).reshape(tensor.shape)
        label, probabilities = session.run(["label", "probabilities"], {"features": features})
        return Told(
            model_name="matrix",
            model_version="1",
            outputs=[
                _tensor("label", "INT64", label),
                _tensor("probabilities", "FP32", probabilities),
            ],
        )

    async def at_once(asked: Asked) -> Told:
        return infer(asked)

    app.post("/v2/models/matrix/infer")(infer if how == "def" else at_once)
    return app


def _tensor(name: str, datatype: str, values: Any) -> Tensor:
    data = values.ravel().tolist()
    return Tensor(name=name, shape=list(values.shape), datatype=datatype, data=data)


if __name__ == "__main__":
    _, given, port, how = sys.argv
    uvicorn.run(application(given, how), port=int(port), log_level="warning", access_log=False)
