"""Estimators of LightGBM and XGBoost: skl2onnx learns them where onnxmltools is installed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = {
    "lightgbm": ("LGBMClassifier", "LGBMRegressor"),
    "xgboost": ("XGBClassifier", "XGBRegressor"),
}
OUTSIDE = ("lightgbm.", "xgboost.", "catboost.")
"""How the types of estimators begin that skl2onnx itself cannot convert."""

_CONVERTERS = {
    "lightgbm": ("onnxmltools.convert.lightgbm.operator_converters.LightGbm", "convert_lightgbm"),
    "xgboost": ("onnxmltools.convert.xgboost.operator_converters.XGBoost", "convert_xgboost"),
}


def know_boosters() -> None:
    """Register the converters of each library that is installed beside onnxmltools.

    https://onnx.ai/sklearn-onnx/auto_tutorial/plot_gexternal_lightgbm.html is the way to do it.
    """
    for library, (module, function) in _CONVERTERS.items():
        if all(map(importlib.util.find_spec, ("onnxmltools", library))):
            convert = _without_names(getattr(importlib.import_module(module), function))
            kinds = importlib.import_module(library)
            for name in _NAMES[library]:
                _register(getattr(kinds, name), name, convert)


def _without_names(convert: Any) -> Callable[[Any, Any, Any], None]:
    """The converter, shown no names of columns: XGBoost's knows them by their number only."""

    def converted(scope: Any, operator: Any, container: Any) -> None:
        if not hasattr(operator.raw_operator, "get_booster"):
            convert(scope, operator, container)
            return
        booster = operator.raw_operator.get_booster()
        names = booster.feature_names
        booster.feature_names = None
        try:
            convert(scope, operator, container)
        finally:
            booster.feature_names = names

    return converted


def _register(kind: type, name: str, convert: object) -> None:
    from skl2onnx import update_registered_converter  # noqa: PLC0415
    from skl2onnx.common import shape_calculator as shapes  # noqa: PLC0415

    classifies = name.endswith("Classifier")
    shape = (
        shapes.calculate_linear_classifier_output_shapes
        if classifies
        else shapes.calculate_linear_regressor_output_shapes
    )
    options = {"zipmap": [True, False, "columns"], "nocl": [True, False]} if classifies else None
    update_registered_converter(kind, f"Seatrial{name}", shape, convert, options=options)
