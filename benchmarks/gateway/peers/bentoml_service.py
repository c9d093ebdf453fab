"""BentoML's way: a service with one typed method; the model is where ``BENCH_MODEL`` says."""

import os
from typing import Annotated, Any

import bentoml
import numpy as np
import onnxruntime as ort
from bentoml.validators import DType, Shape


@bentoml.service(workers=1, traffic={"timeout": 30})
class Onnx:
    """``POST /predict`` with ``{"features": [[…]]}``."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["BENCH_MODEL"], options)

    @bentoml.api
    def predict(
        self, features: Annotated[np.ndarray, Shape((-1, 20)), DType("float32")]
    ) -> dict[str, Any]:
        """Label and probabilities."""
        label, probabilities = self.session.run(["label", "probabilities"], {"features": features})
        return {"label": label.tolist(), "probabilities": probabilities.tolist()}
