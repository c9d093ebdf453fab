"""A record says again what a worker put into it, alone and among a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.inference.answer import Answer, class_labels
from seatrial.inference.parity import parity
from seatrial.traffic import record
from seatrial.traffic.arrow import Form, batch_of
from seatrial.traffic.recorded import answer_in, column_of, features_in

from .conftest import MIXED, NUMBERS, PRICE, SIGNATURES, WORDS, digest, drawn, recorded

if TYPE_CHECKING:
    from seatrial.inference.signature import Signature

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
"""Any text, NUL and every script included; what UTF-8 cannot hold never reaches a worker."""

FLOAT = st.floats(width=32, allow_nan=True, allow_infinity=True)
Request = tuple[str, dict[str, Any], Answer]


@st.composite
def requests(draw: st.DrawFn, signature: Signature) -> Request:
    rows = draw(st.integers(0, 4))
    numbers = st.lists(FLOAT, min_size=rows, max_size=rows)
    words = st.lists(TEXT, min_size=rows, max_size=rows)
    features = {
        each.name: np.array(draw(numbers), np.float32)
        if each.datatype == "FP32"
        else np.array([*draw(words), None], dtype=object)[:-1]
        for each in signature.inputs
    }
    identity = draw(TEXT.filter(bool))
    if signature.problem == "numbers":
        return identity, features, Answer(np.array(draw(numbers), np.float32))
    table = np.array(
        [draw(st.lists(FLOAT, min_size=len(signature.classes), max_size=len(signature.classes)))
         for _ in range(rows)], np.float32
    ).reshape(rows, len(signature.classes))  # fmt: skip
    picked = draw(
        st.lists(st.integers(0, len(signature.classes) - 1), min_size=rows, max_size=rows)
    )
    return identity, features, Answer(class_labels(signature.classes)[picked], table)


ANY = st.sampled_from([NUMBERS, MIXED, PRICE, WORDS]).flatmap(
    lambda signature: st.tuples(st.just(signature), st.lists(requests(signature), min_size=1))
)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype == object:
        return bool(one.tolist() == other.tolist())
    return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes())


@given(ANY)
def test_a_record_says_again_what_was_asked_and_answered(
    drawn_: tuple[Signature, list[Request]],
) -> None:
    signature, asked = drawn_
    for identity, features, answer in asked:
        raw = recorded(record.head("m", 7, digest("m", 7)), 1, identity, features, answer, 2)
        told = record.read(raw)
        assert isinstance(told, record.Prediction)
        assert (told.model, told.version, told.digest) == ("m", 7, digest("m", 7))
        assert (told.at_us, told.service_us, told.id) == (1, 2, identity)
        again = record.features_of(told, signature)
        assert [*again] == [each.name for each in signature.inputs]
        assert all(same(np.ascontiguousarray(again[name]), features[name]) for name in features)
        said = record.answer_of(told, signature)
        assert same(said.label, answer.label)
        if answer.probabilities is not None:
            assert said.probabilities is not None
            assert same(said.probabilities, answer.probabilities)


@given(ANY)
def test_many_records_become_the_rows_that_each_alone_says(
    drawn_: tuple[Signature, list[Request]],
) -> None:
    signature, asked = drawn_
    head = record.head("m", 7, digest("m", 7))
    raw = [
        recorded(head, at, identity, features, answer, 2**32 - 1)
        for at, (identity, features, answer) in enumerate(asked)
    ]
    table = pa.table(batch_of(raw, Form.of(7, signature, (), "gate")))
    table.validate(full=True)
    rows = [len(answer.label) for _, _, answer in asked]
    ids = [identity for identity, _, _ in asked]
    assert table["id"].to_pylist() == np.repeat(np.array([*ids, None], object)[:-1], rows).tolist()
    assert table["row"].to_pylist() == [row for count in rows for row in range(count)]
    times = table["time"].cast(pa.int64()).to_pylist()
    assert times == np.repeat(np.arange(len(rows)), rows).tolist()
    assert set(table["service_us"].to_pylist()) <= {2**31 - 1}
    assert set(table["gateway"].to_pylist()) <= {"gate"}
    columns, said = features_in(table), answer_in(table)
    for name in columns:
        assert same(columns[name], np.concatenate([features[name] for _, features, _ in asked]))
    assert same(said.label, np.concatenate([answer.label for _, _, answer in asked]))
    tables = [a.probabilities for _, _, a in asked if a.probabilities is not None]
    if tables and table.num_rows:
        assert said.probabilities is not None
        assert same(said.probabilities, np.concatenate(tables))


def test_numbers_of_a_version_without_a_matrix_input_are_read_by_column() -> None:
    random = np.random.default_rng(1)
    features, answer = drawn(NUMBERS, 3, random)
    head = record.head("m", 7, digest("m", 7))
    raw = record.of_columns(head, 1, 2, b"r", features, answer)
    told = record.read(raw)
    assert isinstance(told, record.Prediction)
    again = record.features_of(told, NUMBERS)
    assert all(same(np.ascontiguousarray(again[name]), features[name]) for name in features)
    matrix = recorded(head, 1, "q", features, answer)
    columns = features_in(pa.table(batch_of([raw, matrix, raw], Form.of(7, NUMBERS, (), "g"))))
    assert all(same(columns[name], np.tile(features[name], 3)) for name in features)


@pytest.mark.parametrize("name", [*SIGNATURES])
def test_a_big_request_among_small_ones(name: str) -> None:
    signature, random = SIGNATURES[name], np.random.default_rng(2)
    asked = [drawn(signature, rows, random) for rows in (1, 20_000, 0, 1)]
    head = record.head("m", 7, digest("m", 7))
    raw = [recorded(head, 1, str(n), *each) for n, each in enumerate(asked)]
    table = pa.table(batch_of(raw, Form.of(7, signature, (), "g")))
    assert table.num_rows == 20_002
    assert column_of(table["row"])[[0, 1, 20_000, 20_001]].tolist() == [0, 0, 19_999, 0]
    assert parity(asked[1][1], answer_in(table.slice(1, 20_000))).ok


def test_redacted_columns_do_not_become_columns() -> None:
    features, answer = drawn(MIXED, 2, np.random.default_rng(3))
    raw = recorded(record.head("m", 7, digest("m", 7)), 1, "r", features, answer)
    table = pa.table(batch_of([raw], Form.of(7, MIXED, ("from", "a"), "g")))
    assert [*features_in(table)] == ["to", "b"]
    assert features_in(table)["to"].tolist() == features["to"].tolist()
    everything = Form.of(7, MIXED, ("from", "a", "to", "b", "unknown"), "g")
    assert "features" not in batch_of([raw], everything).schema.names


@given(st.lists(st.tuples(TEXT, st.lists(TEXT | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False), max_size=3)), max_size=5))  # fmt: skip  # noqa: E501
def test_labels_say_again_what_came(labels: list[tuple[str, list[object]]]) -> None:
    told = record.read(record.of_labels("m", 5, labels, digest("m", 7), 7))
    assert isinstance(told, record.Labels)
    assert (told.model, told.version, told.at_us) == ("m", 7, 5)
    assert [(identity, [*values]) for identity, values in told.labels] == labels
