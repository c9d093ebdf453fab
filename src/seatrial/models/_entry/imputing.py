"""scikit-learn's SimpleImputer for numbers in ONNX, in float32 and in float64.

The operator that skl2onnx writes for it exists in onnxruntime for float32 only, and what a
pipeline computes after it in float64 has then no form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from seatrial.models import NotExportable

if TYPE_CHECKING:
    from collections.abc import Callable


def converters() -> dict[type, Callable[[Any, Any, Any], None]]:
    """By estimator type, as skl2onnx's ``custom_conversion_functions`` wants them."""
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - only who converts has it loaded

    return {SimpleImputer: _imputed}


def _imputed(scope: Any, operator: Any, container: Any) -> None:
    """``Where(IsNaN(x), statistics, x)``; skl2onnx's own converter for all but plain numbers."""
    from skl2onnx.common import data_types as kinds  # noqa: PLC0415
    from skl2onnx.common._registration import get_converter  # noqa: PLC0415
    from skl2onnx.operator_converters.common import concatenate_variables  # noqa: PLC0415

    model = operator.raw_operator
    given = operator.inputs[0].type
    types = {kinds.FloatTensorType: TensorProto.FLOAT, kinds.DoubleTensorType: TensorProto.DOUBLE}
    if type(given) not in types or not _is_nan(model.missing_values):
        get_converter("SklearnSimpleImputer")(scope, operator, container)
        return
    statistics = np.asarray(model.statistics_, np.float64)
    if model.add_indicator or np.isnan(statistics).any():
        # the number of columns changes, which skl2onnx has no shape for
        raise NotExportable("SimpleImputer has no form in ONNX where it adds or drops columns")
    fill, missing = (
        scope.get_unique_variable_name("fill"),
        scope.get_unique_variable_name("missing"),
    )
    joined = concatenate_variables(scope, operator.inputs, container)
    container.add_initializer(fill, types[type(given)], [1, len(statistics)], statistics.tolist())
    container.add_node(
        "IsNaN", joined, missing, name=scope.get_unique_operator_name("IsNaN"), op_version=13
    )
    container.add_node(
        "Where",
        [missing, fill, joined],
        operator.outputs[0].full_name,
        name=scope.get_unique_operator_name("Where"),
        op_version=9,
    )


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)
