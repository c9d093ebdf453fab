"""What one would write without seatrial: read, fit, export, open, score. The floor of the pipeline.

Runs in a copy of examples/flights: plain_flights.py [THREADS], else as many as LightGBM likes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import onnxruntime
import pyarrow.compute as pc
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from pyarrow import csv
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET = "late"
CATEGORIES = ("carrier", "origin", "dest")


def main(threads: int | None = None) -> None:
    """The whole script."""
    training = csv.read_csv("data/training_data.csv.gz")
    validation = csv.read_csv("data/validation_data.csv.gz")
    codes = {name: sorted(pc.unique(training[name]).to_pylist()) for name in CATEGORIES}
    rows, truth = _matrix(training, codes)
    held_out, answers = _matrix(validation, codes)
    model = lightgbm.LGBMClassifier(
        **YAML(typ="safe").load(Path("config/hyperparameters.yaml")),
        random_state=20130101,
        deterministic=True,
        force_row_wise=True,
        n_jobs=threads,
        verbose=-1,
    )
    names = [name for name in training.column_names if name != TARGET]
    model.fit(rows, truth, categorical_feature=[names.index(name) for name in CATEGORIES])
    exported = convert_lightgbm(
        model.booster_,
        initial_types=[("features", FloatTensorType([None, len(names)]))],
        zipmap=False,
    )
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    label = session.run(None, {"features": held_out})[0]
    print(f"accuracy {np.mean(label.ravel() == answers):.4f} on {len(answers)} rows")


def _matrix(table: Any, codes: dict[str, list[str]]) -> tuple[NDArray[np.float32], NDArray[Any]]:
    columns = []
    for name in table.column_names:
        if name == TARGET:
            continue
        if name in codes:
            known = {value: number for number, value in enumerate(codes[name])}
            column = np.array([known.get(value, -1) for value in table[name].to_pylist()])
        else:
            column = table[name].to_numpy().astype(np.float32)
        columns.append(column.astype(np.float32))
    return np.column_stack(columns), table[TARGET].to_numpy()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
