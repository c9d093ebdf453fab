"""Save the graph in mlflow's own ONNX flavour. ``mlflow_save.py MODEL FOLDER``."""

import sys

import mlflow.onnx
import onnx

if __name__ == "__main__":
    graph = onnx.load(sys.argv[1])
    options = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
    mlflow.onnx.save_model(graph, sys.argv[2], onnx_session_options=options)
