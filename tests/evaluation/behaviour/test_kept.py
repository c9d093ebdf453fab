"""A version's files: a copy in another process answers the same, and parity was recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import pytest

from behaving import (
    FILLED,
    SCORE,
    TWO_CLASSES,
    Plain,
    graph,
    of_text,
    rows,
    scored,
    signature_of,
    two_classes,
)
from seatrial.errors import StoreError
from seatrial.evaluation.behaviour import check
from seatrial.evaluation.behaviour.asking import Refusal, ask
from seatrial.evaluation.behaviour.exported import exported
from seatrial.evaluation.behaviour.save_and_load import Kept, reopening
from seatrial.inference.opening import open_model
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from seatrial.evaluation.behaviour.found import Found
    from seatrial.inference.opening import Answers

ONNX = {"model.onnx": "sha256:ab"}


def reopened(content: bytes, model: Answers, features: Any, **how: Any) -> Found:
    kept = Kept(how.pop("files", ONNX), lambda _digest: content, "m version 1", **how)
    with reopening(kept, model, features) as compared:
        return compared()


def two_graph() -> bytes:
    return graph([*FILLED, *SCORE, *TWO_CLASSES])


def test_a_copy_answers_the_same() -> None:
    found = reopened(two_graph(), two_classes(), rows())
    assert found.ok
    (measure,) = found.measures
    assert (measure.name, measure.value, measure.n) == ("behaviour.save_and_load", 0, 100)


def test_missing_values_strings_and_what_is_no_number_go_along() -> None:
    features = rows(20)
    features["a"][3], features["b"][4] = np.nan, np.inf
    model = two_classes()
    assert reopened(two_graph(), model, features).measures[0].n == 20
    odd = {"colour": np.array(["", "red", '\N{SNOWMAN} "quoted"\n'], object)}
    text = of_text(0)
    kept = text.session._model_bytes
    assert reopened(kept, text, odd).ok


def test_a_model_that_answers_otherwise_than_its_file_is_found() -> None:
    """The opened one has learned something that was not kept."""
    found = reopened(two_graph(), scored(lambda f: np.full(len(f["a"]), 0.9)), rows())
    assert found.measures[0].verdict is Verdict.FAIL
    assert "a copy that another process opened answers" in str(found)
    assert "labels flipped" in str(found)


def test_a_file_that_cannot_be_opened_elsewhere_is_found() -> None:
    found = reopened(b"no model", two_classes(), rows())
    assert found.measures[0].value == 100
    assert "does not answer: onnxruntime cannot open the model" in str(found)


def test_the_modules_of_the_folder_at_hand_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "types.py").write_text("raise ImportError('a file of the project')\n")
    monkeypatch.chdir(tmp_path)
    assert reopened(two_graph(), two_classes(), rows()).ok


def test_a_damaged_blob_is_no_behaviour() -> None:
    def damaged(_digest: str) -> bytes:
        raise StoreError("a blob no longer matches its digest")

    kept = Kept(ONNX, damaged, "m version 1")
    with (
        pytest.raises(StoreError, match="no longer matches"),
        reopening(kept, two_classes(), rows()),
    ):
        pass


def test_rows_that_are_no_numbers_are_left_to_other_checks() -> None:
    nothing = scored(lambda f: np.full(len(f["a"]), np.nan))
    assert reopened(two_graph(), nothing, rows()).measures[0].verdict is Verdict.SKIP


def test_what_happens_beside_it_ends_the_process() -> None:
    kept = Kept(ONNX, lambda _digest: two_graph(), "m version 1")
    with pytest.raises(KeyError), reopening(kept, two_classes(), rows()):
        raise KeyError


class _Counts:
    """A model that a value kills, as a segmentation fault would."""

    def predict(self, features: Any) -> Any:
        return (self.predict_proba(features)[:, 1] > 0.5).astype(int)

    def predict_proba(self, features: Any) -> Any:
        import os  # noqa: PLC0415

        if any(text.endswith("never seen") for text in features["colour"]):
            os._exit(3)
        high = np.where(features["colour"] == "red", 0.9, 0.1)
        return np.column_stack([1 - high, high])


@pytest.mark.slow
def test_a_pickled_model_is_asked_in_its_own_process_and_may_die_there() -> None:
    cloudpickle.register_pickle_by_value(__import__(__name__, fromlist=["_Counts"]))
    content = json.dumps({"features": "columns"}).encode() + b"\n" + cloudpickle.dumps(_Counts())
    signature = signature_of(numbers=(), texts=("colour",))
    files = {"model.pickle": "sha256:cd"}
    model = open_model(files, lambda _digest: content, signature, "m version 1", trust="pickle")
    features = rows(30, numbers=(), texts=("colour",))
    assert reopened(content, model, features, files=files, trust="pickle").ok
    found = check("unknown_categories")(model, features)
    assert found.measures[0].value == 30
    assert "'colour' never seen: it fails: the pickled model ended (exit code 3)" in str(found)
    assert not isinstance(ask(model, features), Refusal)
    refused = reopened(content, model, features, files=files)
    assert "does not say `trust: pickle`" in str(refused)


def test_the_recorded_parity_decides() -> None:
    good = exported({"parity": {"rows": 7500, "largest_difference": 2e-7}})
    assert (good.ok, good.measures[0].n, good.measures[0].limit) == (True, 7500, 1e-5)
    bad = exported({"parity": {"rows": 7500, "largest_difference": 2e-4}})
    assert bad.measures[0].verdict is Verdict.FAIL
    assert "by up to 0.0002 on 7500 rows (allowed 1e-05)" in str(bad)
    assert not exported({"parity": {"rows": 0, "largest_difference": 0.0}}).ok


@pytest.mark.parametrize("manifest", [{}, {"parity": None}, {"parity": {"rows": 3}}])
def test_no_record_is_told_and_skipped(manifest: dict[str, object]) -> None:
    found = exported(manifest)
    assert found.measures[0].verdict is Verdict.SKIP
    assert "records no proof" in str(found)


def test_plain_python_may_stand_for_a_model() -> None:
    model = Plain(signature_of(), two_classes().predict)
    assert reopened(two_graph(), model, rows()).ok
