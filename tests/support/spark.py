"""A real Spark in this process, with a Spark Connect server where its packages are installed."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket

from seatrial.data.dataset import Dataset
from seatrial.data.spark.session import session_of

MASTER = "local[2]"

HAS_JAVA = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
HAS_CONNECT = all(
    importlib.util.find_spec(name) for name in ("grpc", "grpc_status", "pandas", "zstandard")
)


def spark() -> str:
    """Start the Spark that datasets with ``master: local[2]`` then use; the address it gives.

    It is started by seatrial itself. The options, which a user would write in Spark's own
    configuration, let other sessions in this process reach it as a remote one.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known = "org.apache.spark.sql.connect.SparkConnectPlugin"
    options = "--conf spark.connect.grpc.binding.address=127.0.0.1 "
    options += f"--conf spark.connect.grpc.binding.port={port} "
    options += f"--conf spark.plugins={known} "
    before = os.environ.get("PYSPARK_SUBMIT_ARGS")
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{options}pyspark-shell"
    try:
        session_of(Dataset("any", table="any", engine="spark", master=MASTER))
    finally:
        if before is None:
            del os.environ["PYSPARK_SUBMIT_ARGS"]
        else:
            os.environ["PYSPARK_SUBMIT_ARGS"] = before
    return f"sc://127.0.0.1:{port}"
