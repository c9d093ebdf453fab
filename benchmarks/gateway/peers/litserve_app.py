"""LitServe's way: an API of four methods. ``litserve_app.py MODEL PORT``."""

import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime as ort


class Onnx(litserve.LitAPI):
    """``POST /predict`` with a V2 request."""

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model

    def setup(self, device: str) -> None:
        """Open the model, in the worker."""
        del device
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(self.model, options)

    def decode_request(self, request: dict[str, Any]) -> np.ndarray:
        """The matrix."""
        tensor = request["inputs"][0]
        return np.array(tensor["data"], np.float32).reshape(tensor["shape"])

    def predict(self, features: np.ndarray) -> Any:
        """Label and probabilities."""
        return self.session.run(["label", "probabilities"], {"features": features})

    def encode_response(self, output: Any) -> dict[str, Any]:
        """As JSON."""
        return {"label": output[0].tolist(), "probabilities": output[1].tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(
        Onnx(sys.argv[1]), accelerator="cpu", workers_per_device=1, timeout=30
    )
    server.run(
        port=int(sys.argv[2]), num_api_servers=1, log_level="warning", generate_client_file=False
    )
