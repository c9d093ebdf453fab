"""Which packages a pickled model needs, found without running any of it."""

from __future__ import annotations

import builtins
import pickle
import sys
from typing import TYPE_CHECKING, Any

import cloudpickle
import lightgbm
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seatrial.environment.packages_of_pickle import modules, packages_of_pickle
from seatrial.errors import FormError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MATRIX = b'{"features": "matrix"}\n'


def _fitted() -> Any:
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(np.arange(20.0).reshape(10, 2), np.arange(10) % 2)


class Own:
    """Uses a library by its name alone."""

    def predict(self, rows: object) -> object:
        return lightgbm.Dataset(rows)


class Evil:
    """Would write a file where it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return builtins.open, (str(self.path), "w")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_model_needs_its_library_and_what_that_requires(protocol: int) -> None:
    found = packages_of_pickle(MATRIX + pickle.dumps(_fitted(), protocol=protocol))
    assert {"numpy", "scikit-learn", "scipy", "joblib", "threadpoolctl"} <= {*found}
    assert not {"lightgbm", "onnxruntime", "click", "pytest", "seatrial"} & {*found}
    assert list(found) == sorted(found)


def test_a_module_that_a_function_loads_by_name_counts() -> None:
    cloudpickle.register_pickle_by_value(sys.modules[Own.__module__])
    try:
        content = MATRIX + cloudpickle.dumps(Own())
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[Own.__module__])
    assert {"lightgbm", "cloudpickle"} <= {*packages_of_pickle(content)}


def test_what_feeds_it_counts() -> None:
    assert packages_of_pickle(MATRIX + pickle.dumps(1)) == ("numpy",)
    assert "pandas" in packages_of_pickle(b'{"features": "pandas"}\n' + pickle.dumps(1))


def test_an_editable_package_is_known_by_its_name() -> None:
    assert "seatrial" in packages_of_pickle(MATRIX + pickle.dumps(FormError))


def test_modules_of_nobody_and_of_python_itself_are_left_out() -> None:
    own = pickle.dumps(Own())
    assert Own.__module__ in modules(own)
    assert packages_of_pickle(MATRIX + own) == ("numpy",)


def test_nothing_is_executed(tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    content = pickle.dumps(Evil(planted))
    assert packages_of_pickle(MATRIX + content) == ("numpy",)
    assert not planted.exists()
    pickle.loads(content).close()  # noqa: S301 - the fault is real: opened, it does harm
    assert planted.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}\n",
        b'{"features": "matrix"}',
        b'{"features": "matrix"}\n',
        b'{"features": "rows"}\n' + pickle.dumps(1),
        b"[1]\n" + pickle.dumps(1),
        pickle.dumps(1),
        MATRIX + b"\x80\x04\x93.",
        MATRIX + b"\xff\xff",
        MATRIX + b"cnumpy\n",
        MATRIX + b"(inumpy\nx\n",
        MATRIX + b"I" + b"9" * 6000 + b"\n.",
        MATRIX + b"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\xff.",
    ],
)
def test_a_damaged_file_is_refused(content: bytes) -> None:
    with pytest.raises(FormError) as caught:
        packages_of_pickle(content)
    assert len(str(caught.value).splitlines()) <= 6


def test_a_file_cut_anywhere_is_refused() -> None:
    content = pickle.dumps(_fitted())
    for length in range(0, len(content) - 1, 7):
        with pytest.raises(FormError):
            packages_of_pickle(MATRIX + content[:length])
