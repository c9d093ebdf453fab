"""What a manifest says that a model needs, in any state."""

from __future__ import annotations

from typing import Any

import pytest

from seatrial.environment.needs import Needs
from seatrial.errors import StoreError

TOLD = Needs(
    form="onnx", packages=("numpy",), providers=("CPUExecutionProvider",), int8="static",
    saturates=True,
)  # fmt: skip


def test_what_is_written_is_read_back() -> None:
    assert Needs.of_manifest({"needs": TOLD.to_json()}) == TOLD


def test_an_older_manifest_is_known_by_its_form() -> None:
    assert Needs.of_manifest({"files": {"model.pickle": "sha256:0"}}) == Needs(form="pickle")
    assert Needs.of_manifest({"files": {"model.onnx": "sha256:0"}}).form == "onnx"


@pytest.mark.parametrize(
    "wrong",
    [
        {}, [], "onnx", 3, {**TOLD.to_json(), "form": "tensor"}, {**TOLD.to_json(), "int8": "new"},
        {**TOLD.to_json(), "packages": None}, {**TOLD.to_json(), "form": ["onnx"]},
    ],
)  # fmt: skip
def test_needs_of_a_form_that_is_not_known_are_refused_in_words(wrong: Any) -> None:
    with pytest.raises(StoreError) as caught:
        Needs.of_manifest({"needs": wrong})
    assert len(str(caught.value).splitlines()) <= 6
    assert "not known here" in str(caught.value)
