"""The Open Inference codec: what it reads, what it writes, and what it says to everything else."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from seatrial.errors import RequestError
from seatrial.inference import v2, v2_inputs
from seatrial.inference.answer import Answer
from seatrial.inference.signature import Input, Signature
from seatrial.inference.v2_form import Form
from seatrial.inference.v2_tensor import DATATYPES, Raw

if TYPE_CHECKING:
    from seatrial.inference.served import Served

NAMES = ("a", "dep delay", "c")
RAW_NAMES = [name for name in DATATYPES if name != "BYTES"]


def tensor(name: str, data: Any, shape: list[Any], datatype: str = "FP32", **more: Any) -> Any:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data, **more}


def raw_tensor(name: str, size: Any, shape: list[int], datatype: str = "FP32") -> Any:
    parameters = {"binary_data_size": size}
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": parameters}


def body(*inputs: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": [*inputs], **more}).encode()


def named(rows: int = 1, **replaced: Any) -> list[Any]:
    """The three columns, some replaced: ``dep_delay`` stands for "dep delay"."""
    given = {name.replace(" ", "_"): tensor(name, [0.5] * rows, [rows]) for name in NAMES}
    return [each for each in {**given, **replaced}.values() if each is not None]


def matrix(data: Any, shape: list[Any], datatype: str = "FP32", **more: Any) -> Any:
    return tensor("features", data, shape, datatype, **more)


def words(*strings: str) -> bytes:
    return b"".join(struct.pack("<I", len(word.encode())) + word.encode() for word in strings)


def read_matrix(served: Served, *inputs: Any) -> list[list[float]]:
    asked = v2.decode(body(*inputs), None, served)
    assert isinstance(asked.features, np.ndarray)
    assert asked.features.dtype == np.float32
    assert asked.features.flags.c_contiguous
    assert asked.features.flags.aligned
    assert asked.features.shape == (asked.rows, 3)
    return asked.features.tolist()  # type: ignore[no-any-return]


def refused(served: Served, content: bytes, header_length: int | None = None) -> str:
    with pytest.raises(RequestError) as caught:
        v2.decode(content, header_length, served)
    assert caught.value.status == 400
    sentence = str(caught.value)
    assert len(sentence) < 400
    assert "\n" not in sentence
    return sentence


# What is read


@pytest.mark.parametrize("shape", [[1], [1, 1]])
def test_one_row_by_names_in_any_order(numbers: Served, shape: list[int]) -> None:
    given = [tensor("c", [3], shape), tensor("a", [1.5], shape), tensor("dep delay", [2], shape)]
    assert read_matrix(numbers, *given) == [[1.5, 2, 3]]


@pytest.mark.parametrize("shape", [[2], [2, 1]])
def test_rows_by_names(numbers: Served, shape: list[int]) -> None:
    given = [tensor(name, [at, at + 10], shape) for at, name in enumerate(NAMES)]
    assert read_matrix(numbers, *given) == [[0, 1, 2], [10, 11, 12]]


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3, 4, 5, 6], [2, 3]),
        ([[1, 2, 3], [4, 5, 6]], [2, 3]),
    ],
)
def test_a_matrix_flat_or_nested(numbers: Served, data: list[Any], shape: list[int]) -> None:
    assert read_matrix(numbers, matrix(data, shape)) == [[1, 2, 3], [4, 5, 6]]


def test_a_matrix_without_its_rows_is_one_row(numbers: Served) -> None:
    assert read_matrix(numbers, matrix([1, 2, 3], [3])) == [[1, 2, 3]]


def test_a_column_may_be_nested_as_its_shape_says(numbers: Served) -> None:
    given = named(2, a=tensor("a", [[1], [2]], [2, 1]))
    assert [row[0] for row in read_matrix(numbers, *given)] == [1, 2]


@pytest.mark.parametrize("datatype", RAW_NAMES)
def test_every_datatype_of_numbers_in_json(numbers: Served, datatype: str) -> None:
    assert read_matrix(numbers, matrix([1, 0, 1], [1, 3], datatype)) == [[1, 0, 1]]
    assert read_matrix(numbers, *named(a=tensor("a", [1], [1], datatype)))[0][0] == 1


@pytest.mark.parametrize("datatype", RAW_NAMES)
def test_every_datatype_of_numbers_raw(numbers: Served, datatype: str) -> None:
    content = np.array([1, 0, 1, 0, 0, 1]).astype(DATATYPES[datatype]).tobytes()
    head = body(raw_tensor("features", len(content), [2, 3], datatype))
    asked = v2.decode(head + content, len(head), numbers)
    assert isinstance(asked.features, np.ndarray)
    assert asked.features.dtype == np.float32
    assert asked.features.tolist() == [[1, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize("padding", range(4))
def test_raw_numbers_are_aligned_wherever_they_begin(numbers: Served, padding: int) -> None:
    content = np.arange(6, dtype="<f4").tobytes()
    head = body(raw_tensor("features", 24, [2, 3]), id="x" * padding)
    asked = v2.decode(head + content, len(head), numbers)
    assert isinstance(asked.features, np.ndarray)
    assert asked.features.flags.aligned
    assert asked.features.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_any_byte_but_zero_is_true(numbers: Served) -> None:
    head = body(raw_tensor("features", 3, [3], "BOOL"))
    asked = v2.decode(head + b"\x00\x02\xff", len(head), numbers)
    assert isinstance(asked.features, np.ndarray)
    assert asked.features.tolist() == [[0, 1, 1]]


def test_raw_and_json_tensors_may_be_mixed(mixed: Served) -> None:
    content = words("UA", "Ä€")
    head = body(
        raw_tensor("carrier", len(content), [2], "BYTES"), tensor("delay", [1, None], [2, 1])
    )
    asked = v2.decode(head + content, len(head), mixed)
    assert isinstance(asked.features, dict)
    assert [*asked.features] == ["delay", "carrier"]
    assert asked.features["carrier"].tolist() == ["UA", "Ä€"]
    assert asked.features["carrier"].dtype == object
    np.testing.assert_array_equal(asked.features["delay"], np.array([1, np.nan], np.float32))
    assert asked.rows == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_strings_in_json(mixed: Served, rows: int) -> None:
    given = [
        tensor("carrier", ["Ä\0€"] * rows, [rows, 1], "BYTES"),
        tensor("delay", [7] * rows, [rows]),
    ]
    asked = v2.decode(body(*given), None, mixed)
    assert isinstance(asked.features, dict)
    assert asked.features["carrier"].tolist() == ["Ä\0€"] * rows
    assert asked.features["delay"].dtype == np.float32


@pytest.mark.parametrize("rows", [1, 2])
def test_what_is_missing(numbers: Served, mixed: Served, rows: int) -> None:
    assert np.isnan(read_matrix(numbers, *named(rows, c=tensor("c", [None] * rows, [rows])))[0][2])
    assert np.isnan(read_matrix(numbers, matrix([1, None, 3] * rows, [rows, 3]))[0][1])
    assert np.isnan(read_matrix(numbers, matrix([1, None, 3], [3], "INT8"))[0][1])
    given = [
        tensor("carrier", [None] * rows, [rows], "BYTES"),
        tensor("delay", [None] * rows, [rows]),
    ]
    asked = v2.decode(body(*given), None, mixed)
    assert isinstance(asked.features, dict)
    assert asked.features["carrier"].tolist() == [""] * rows
    assert np.isnan(asked.features["delay"]).all()


def test_nan_as_pythons_writer_puts_it_is_missing(mixed: Served) -> None:
    text = '{"id": "NaN \\" NaN", "inputs": [%s, %s]}' % (  # noqa: UP031 - braces of JSON
        '{"name": "delay", "shape": [2], "datatype": "FP32", "data": [NaN,1]}',
        '{"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["NaN", "a\\\\"]}',
    )
    asked = v2.decode(text.encode(), None, mixed)
    assert asked.id == 'NaN " NaN'
    assert isinstance(asked.features, dict)
    assert np.isnan(asked.features["delay"][0])
    assert asked.features["carrier"].tolist() == ["NaN", "a\\"]


def test_what_float32_cannot_hold_is_infinite_as_in_training(numbers: Served) -> None:
    assert read_matrix(numbers, matrix([1e300, -1e300, 0], [1, 3])) == [[np.inf, -np.inf, 0]]
    content = np.array([1e300, -1e300, np.nan]).tobytes()
    head = body(raw_tensor("features", 24, [3], "FP64"))
    asked = v2.decode(head + content, len(head), numbers)
    assert isinstance(asked.features, np.ndarray)
    assert asked.features[0, :2].tolist() == [np.inf, -np.inf]


def test_booleans_are_numbers(numbers: Served) -> None:
    assert read_matrix(numbers, matrix([True, False, 2], [1, 3])) == [[1, 0, 2]]


def test_no_rows_are_allowed(numbers: Served, mixed: Served) -> None:
    assert read_matrix(numbers, matrix([], [0, 3])) == []
    assert read_matrix(numbers, *named(0)) == []
    given = [tensor("carrier", [], [0], "BYTES"), tensor("delay", [], [0, 1])]
    for served, inputs in ((numbers, [matrix([], [0, 3])]), (mixed, given)):
        asked = v2.decode(body(*inputs), None, served)
        content, _ = v2.encode(asked, served, "i", served.answer(asked.features))
        label, probabilities = orjson.loads(content)["outputs"]
        assert (label["shape"], label["data"]) == ([0], [])
        assert (probabilities["shape"], probabilities["data"]) == ([0, 2], [])


def test_a_column_called_features_is_a_column() -> None:
    inputs = (Input("features", "FP32"), Input("b", "FP32"))
    form = Form.of("m", 1, Signature(inputs, "numbers"))
    given = [tensor("b", [2], [1]), tensor("features", [1], [1])]
    read = v2_inputs.features(given, form, Raw(b"", 0))
    assert isinstance(read, np.ndarray)
    assert read.tolist() == [[1, 2]]
    with pytest.raises(RequestError, match="'b' is missing"):
        v2_inputs.features([matrix([1, 2], [1, 2])], form, Raw(b"", 0))
    with pytest.raises(RequestError, match="takes the shape"):
        v2_inputs.features([matrix([1, 2], [1, 2]), given[0]], form, Raw(b"", 0))


def test_the_id_and_words_that_do_not_concern_us(numbers: Served) -> None:
    given = body(
        *named(a=tensor("a", [1], [1], parameters={"content_type": "np"})),
        id="x-1",
        parameters={"priority": 3, "sequence_id": 7},
    )
    assert v2.decode(given, None, numbers).id == "x-1"
    assert v2.decode(body(*named()), None, numbers).id == ""
    assert v2.decode(body(*named(), id=None, outputs=None), None, numbers).id == ""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, (("label", False), ("probabilities", False))),
        ({"outputs": []}, (("label", False), ("probabilities", False))),
        ({"outputs": [{"name": "probabilities"}]}, (("probabilities", False),)),
        (
            {"outputs": [{"name": "probabilities"}, {"name": "label"}]},
            (("probabilities", False), ("label", False)),
        ),
        (
            {"outputs": [{"name": "label", "parameters": {"binary_data": True}}]},
            (("label", True),),
        ),
        (
            {"parameters": {"binary_data_output": True}},
            (("label", True), ("probabilities", True)),
        ),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [
                    {"name": "label", "parameters": {"binary_data": False}},
                    {"name": "probabilities"},
                ],
            },
            (("label", False), ("probabilities", True)),
        ),
    ],
)
def test_the_outputs_that_are_asked_for(
    numbers: Served, more: dict[str, Any], expected: tuple[tuple[str, bool], ...]
) -> None:
    assert v2.decode(body(*named(), **more), None, numbers).outputs == expected


# What is refused

ONE = tensor("a", [1], [1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"inputs": [NaN, Infinity]}', "the body is not JSON"),
        (b'{"inputs": ["\\ud800"]}', "the body is not JSON"),
        (b"NaN", "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"inputs": [1' + b"0" * 5000 + b"]}", "the body is not JSON"),
        (b'"' + b'\\"' * 50_000 + b"NaN", "the body is not JSON"),
        (b"[]", "the body must be a JSON object, got a list"),
        (b"3", "the body must be a JSON object, got 3"),
        (b"null", "the body must be a JSON object, got null"),
        (b"{}", "`inputs` is missing"),
        (b'{"inputs": null}', "`inputs` is missing"),
        (b'{"inputs": "a"}', "`inputs` must be a list of tensors, got 'a'"),
        (b'{"inputs": {"name": "features"}}', "`inputs` must be a list of tensors, got an object"),
        (b'{"inputs": []}', "`inputs` is empty: it reads 'a', 'dep delay', 'c', or 'features'"),
        (b'{"inputs": [7]}', "inputs[0] must be an object, got 7"),
        (body(*named(), {}), "inputs[3] needs a name, a string, got null"),
        (body({"name": ["a"]}), "inputs[0] needs a name, a string, got a list"),
        (body(*named(), id=7), "the id must be a string, got 7"),
        (body(*named(), id="x" * 257), "the id has 257 characters, at most 256 are kept"),
    ],
)
def test_a_body_that_is_no_request(numbers: Served, content: bytes, said: str) -> None:
    assert said in refused(numbers, content)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([ONE, ONE], "the input 'a' is given twice"),
        ([ONE], "the inputs 'dep delay', 'c' are missing"),
        (named(c=None), "the input 'c' is missing"),
        (
            named(c=tensor("dep_delay", [1], [1])),
            "the model has no input 'dep_delay' (nearest: dep delay)",
        ),
        (
            [tensor("input-0", [1, 2, 3], [1, 3])],
            "no input 'input-0' (it reads 'a', 'dep delay', 'c', or 'features' with all columns)",
        ),
        ([tensor("x" * 9999, [1], [1])], "the model has no input 'xxxxxx"),
        ([*named(), matrix([1, 2, 3], [1, 3])], "the input 'features' holds all columns, so 'a'"),
        (
            named(2, c=tensor("c", [1], [1])),
            "the inputs differ in rows: 'c' has 1, 'a' has 2",
        ),
    ],
)
def test_names(numbers: Served, inputs: list[Any], said: str) -> None:
    assert said in refused(numbers, body(*inputs))


A = "the input 'a'"
TAKES = "it takes [n] or [n, 1]"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a"}, f"{A} needs a datatype, such as FP32"),
        (tensor("a", [1], [1], 7), f"{A} needs a datatype"),  # type: ignore[arg-type]
        (
            tensor("a", [1], [1], "FP31"),
            f"the datatype 'FP31' of {A} is unknown (nearest: FP32)",
        ),
        (tensor("a", [1], [1], "x"), f"the datatype 'x' of {A} is unknown (known: BOOL, UINT8"),
        (tensor("a", ["x"], [1], "BYTES"), f"{A} takes numbers (such as FP32), not BYTES"),
        ({"name": "a", "datatype": "FP32", "data": [1]}, f"{A} needs a shape"),
        (tensor("a", [1], 1), f"{A} needs a shape"),  # type: ignore[arg-type]
        (tensor("a", [1], [-1]), f"{A} needs a shape, whole numbers not below 0"),
        (tensor("a", [1], [1.0]), f"something else in it; {TAKES}"),
        (tensor("a", [1], [True]), f"{A} needs a shape"),
        (tensor("a", [1], []), f"{A} takes the shape [n] or [n, 1], got []"),
        (tensor("a", [1, 2], [1, 2]), "got [1, 2]"),
        (tensor("a", [1], [1, 1, 1]), "got 3 dimensions"),
        (tensor("a", [1], [1] * 5000), "got 5000 dimensions"),
        (tensor("a", [1], [2]), f"{A} has 1 values, its shape [2] asks for 2"),
        (tensor("a", [1, 2], [1]), f"{A} has 2 values, its shape [1] asks for 1"),
        (tensor("a", [1], [2**63, 1]), f"its shape [{2**63}, 1] asks for {2**63}"),
        (tensor("a", None, [1]), f"{A} has no data"),
        (tensor("a", 3, [1]), f"the data of {A} must be a list, got 3"),
        (tensor("a", "3", [1]), f"the data of {A} must be a list, got '3'"),
        (tensor("a", {"3": 1}, [1]), f"the data of {A} must be a list, got an object"),
        (tensor("a", ["1.5"], [1]), f"{A} must hold numbers (null: missing), got '1.5'"),
        (tensor("a", ["Infinity"], [1]), "got 'Infinity' at position 0"),
        (tensor("a", [[1]], [1]), f"{A} must hold numbers (null: missing), got a list"),
        (tensor("a", [{}], [1]), "got an object at position 0"),
        (
            tensor("a", [[1, 2]], [1, 1]),
            f"the data of {A} is nested otherwise than its shape [1, 1]",
        ),
        (tensor("a", [[[1]]], [1, 1]), "got a list at position 0"),
        (tensor("a", [300], [1], "UINT8"), f"{A} holds 300 at position 0: no UINT8"),
        (tensor("a", [-1], [1], "UINT64"), f"{A} holds -1 at position 0: no UINT64"),
        (tensor("a", [1.5], [1], "INT32"), f"{A} holds 1.5 at position 0: no INT32"),
        (tensor("a", [1e300], [1], "INT64"), f"{A} holds 1e+300 at position 0: no INT64"),
        (tensor("a", [2], [1], "BOOL"), f"{A} holds 2 at position 0: no BOOL"),
        (
            tensor("a", [1], [1], parameters=[]),
            f"the parameters of {A} must be an object, got a list",
        ),
        (
            tensor("a", [1], [1], parameters={"shared_memory_region": "r"}),
            f"{A} is in shared memory, which is not offered here",
        ),
        (raw_tensor("a", -1, [1]), f"binary_data_size of {A} must be a whole number"),
        (raw_tensor("a", 4.0, [1]), f"binary_data_size of {A} must be a whole number"),
        (raw_tensor("a", [4], [1]), f"binary_data_size of {A} must be a whole number"),
        (raw_tensor("a", "4", [1]), "got '4'"),
        (raw_tensor("a", 4, [1]), f"{A} says binary_data_size 4, but only 0 bytes are left"),
        (
            {**raw_tensor("a", 4, [1]), "data": [1]},
            f"{A} has both data and binary_data_size: send one of them",
        ),
    ],
)
def test_what_is_wrong_with_a_tensor(numbers: Served, wrong: Any, said: str) -> None:
    assert said in refused(numbers, body(*named(a=wrong)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            matrix([1, 2], [1, 2]),
            "'features' takes the shape [n, 3], or [3] for one row, got [1, 2]",
        ),
        (matrix([1, 2], [2]), "or [3] for one row, got [2]"),
        (matrix([1, 2, 3], [3, 1]), "got [3, 1]"),
        (matrix([1, 2, 3], [1, 1, 3]), "got 3 dimensions"),
        (matrix([1, 2, 3], [2, 3]), "'features' has 3 values, its shape [2, 3] asks for 6"),
        (matrix([1, 2, 3], [2**62, 3]), "its shape [4611686018427387904, 3] asks for 138"),
        (matrix([[1, 2], [3]], [1, 3]), "is nested otherwise than its shape [1, 3]"),
        (matrix([[1, 2, 3], 4], [2, 3]), "is nested otherwise than its shape [2, 3]"),
        (matrix([1, [2], 3], [1, 3]), "got a list at position 1"),
        (matrix([1, "x" * 999, 3], [1, 3]), "got 'xxxx"),
        (matrix(["1", "2", "3"], [1, 3]), "must hold numbers (null: missing), got '1'"),
        (matrix("", [0, 3]), "must be a list, got ''"),
        (matrix({}, [0, 3]), "must be a list, got an object"),
    ],
)
def test_what_is_wrong_with_a_matrix(numbers: Served, wrong: Any, said: str) -> None:
    assert said in refused(numbers, body(wrong))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            tensor("carrier", [1], [1], "FP32"),
            "the input 'carrier' takes strings (BYTES), not FP32",
        ),
        (tensor("carrier", [1], [1], "BYTES"), "must hold strings (null: missing), got 1"),
        (tensor("carrier", [True], [1], "BYTES"), "got true at position 0"),
        (tensor("carrier", [["x"]], [1], "BYTES"), "got a list at position 0"),
        (tensor("carrier", {"x": 1}, [1], "BYTES"), "must be a list, got an object"),
        (tensor("carrier", "x", [1], "BYTES"), "must be a list, got 'x'"),
        (tensor("carrier", ["x", "y"], [1], "BYTES"), "has 2 values, its shape [1] asks for 1"),
        ({"name": "carrier", "shape": [1]}, "'carrier' needs a datatype, such as BYTES"),
        (matrix([1, 2], [1, 2]), "the model has no input 'features' (it reads 'delay', 'carrier')"),
    ],
)
def test_what_is_wrong_with_strings(mixed: Served, wrong: Any, said: str) -> None:
    assert said in refused(mixed, body(tensor("delay", [1], [1]), wrong))


@pytest.mark.parametrize(
    ("content", "shape", "said"),
    [
        (b"\x02\x00", [1], "string 0 of the input 'carrier' is cut short"),
        (words("UA") + b"\xff\xff\xff\xffx", [2], "string 1 of the input 'carrier' is cut short"),
        (b"\x01\x00\x00\x00\xff", [1], "string 0 of the input 'carrier' is not UTF-8"),
        (b"\x03\x00\x00\x00\xed\xa0\x80", [1], "is not UTF-8"),
        (words("UA"), [2], "the input 'carrier' has 1 strings, its shape asks for 2"),
        (words("UA"), [0], "the input 'carrier' has 1 strings, its shape asks for 0"),
        (words("UA", "DL"), [1], "the input 'carrier' has 2 strings, its shape asks for 1"),
    ],
)
def test_raw_strings(mixed: Served, content: bytes, shape: list[int], said: str) -> None:
    rows = shape[0]
    delay = tensor("delay", [1] * rows, shape)
    head = body(delay, raw_tensor("carrier", len(content), shape, "BYTES"))
    assert said in refused(mixed, head + content, len(head))


def test_raw_sizes(numbers: Served) -> None:
    head = body(raw_tensor("features", 12, [1, 3]))
    twelve = b"\0" * 12
    too_few = refused(numbers, head + twelve[:7], len(head))
    assert too_few == "the input 'features' says binary_data_size 12, but only 7 bytes are left"
    left = refused(numbers, head + twelve + b"xyz", len(head))
    assert left == "3 bytes are left over after the last raw tensor"
    other = body(raw_tensor("features", 16, [1, 3]))
    sizes = refused(numbers, other + b"\0" * 16, len(other))
    assert sizes.startswith("the shape [1, 3] of FP32 takes 12 bytes, but the input 'features'")
    huge = body(raw_tensor("features", 12, [2**62, 3]))
    assert "takes 55340232221128654848 bytes" in refused(numbers, huge + twelve, len(huge))
    plain = body(matrix([1, 2, 3], [1, 3]))
    assert "1 bytes are left over" in refused(numbers, plain + b"x", len(plain))
    assert "is not JSON" in refused(numbers, head + twelve)


@pytest.mark.parametrize("length", [-1, 1000])
def test_a_header_length_that_the_body_does_not_have(numbers: Served, length: int) -> None:
    told = f"the header Inference-Header-Content-Length says {length}, the body has 2 bytes"
    assert refused(numbers, b"{}", length) == told


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"outputs": "label"}, "`outputs` must be a list, got 'label'"),
        ({"outputs": {}}, "`outputs` must be a list, got an object"),
        ({"outputs": ["label"]}, "outputs[0] must be an object, got 'label'"),
        ({"outputs": [{}]}, "outputs[0] needs a name, a string, got null"),
        ({"outputs": [{"name": "labels"}]}, "the model has no output 'labels' (nearest: label)"),
        ({"outputs": [{"name": "x"}]}, "no output 'x' (it answers label, probabilities)"),
        ({"outputs": [{"name": "label"}] * 2}, "the output 'label' is asked for twice"),
        (
            {"outputs": [{"name": "label", "parameters": {"binary_data": 1}}]},
            "binary_data of the output 'label' must be true or false, got 1",
        ),
        (
            {"outputs": [{"name": "label", "parameters": 3}]},
            "the parameters of the output 'label' must be an object, got 3",
        ),
        (
            {"outputs": [{"name": "label", "parameters": {"classification": 2}}]},
            "the output 'label' asks for classification, which is not offered here",
        ),
        (
            {"outputs": [{"name": "label", "parameters": {"shared_memory_region": "r"}}]},
            "the output 'label' asks for shared_memory_region, which is not offered here",
        ),
        ({"parameters": 3}, "the parameters of the request must be an object, got 3"),
        (
            {"parameters": {"binary_data_output": "yes"}},
            "binary_data_output of the request must be true or false, got 'yes'",
        ),
    ],
)
def test_outputs_that_are_not_there(numbers: Served, more: dict[str, Any], said: str) -> None:
    assert said in refused(numbers, body(*named(), **more))


# What is written


def asked_of(served: Served, rows: int, *outputs: tuple[str, bool]) -> v2.Asked:
    return v2.Asked("", np.empty((rows, 3), np.float32), rows, outputs or served.form.in_json)


def test_an_answer_in_json(numbers: Served) -> None:
    answer = Answer(np.array([1, 0]), np.array([[0.1, 0.9], [0.75, 0.25]], np.float32))
    content, head_length = v2.encode(asked_of(numbers, 2), numbers, 'i"d', answer)
    assert head_length is None
    assert orjson.loads(content) == {
        "model_name": "m",
        "model_version": "3",
        "id": 'i"d',
        "outputs": [
            {"name": "label", "datatype": "INT64", "shape": [2], "data": [1, 0]},
            {
                "name": "probabilities",
                "datatype": "FP32",
                "shape": [2, 2],
                "data": [0.1, 0.9, 0.75, 0.25],
            },
        ],
    }


def test_words_and_numbers_have_datatypes_of_their_own(mixed: Served, regression: Served) -> None:
    answer = Answer(np.array(['la"te', "ø"], object), np.ones((2, 2), np.float32))
    content, _ = v2.encode(asked_of(mixed, 2, ("label", False)), mixed, "i", answer)
    (label,) = orjson.loads(content)["outputs"]
    assert label == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ['la"te', "ø"]}
    values = Answer(np.array([1.5, np.nan, np.inf], np.float32))
    content, _ = v2.encode(asked_of(regression, 3), regression, "i", values)
    (label,) = orjson.loads(content)["outputs"]
    assert label == {
        "name": "label",
        "datatype": "FP32",
        "shape": [3],
        "data": [1.5, None, None],
    }


def test_a_raw_answer(mixed: Served) -> None:
    probabilities = np.array([[0.1, 0.9], [0.75, np.nan]], np.float32)
    answer = Answer(np.array(["late", "ø"], object), probabilities)
    asked = asked_of(mixed, 2, ("probabilities", True), ("label", True))
    content, length = v2.encode(asked, mixed, "i", answer)
    assert length is not None
    first, second = orjson.loads(content[:length])["outputs"]
    assert first["parameters"] == {"binary_data_size": 16}
    assert second["parameters"] == {"binary_data_size": len(words("late", "ø"))}
    assert "data" not in first
    assert content[length:] == probabilities.tobytes() + words("late", "ø")


def test_one_output_raw_and_one_in_json(numbers: Served) -> None:
    answer = Answer(np.array([1]), np.array([[0.25, 0.75]], np.float32))
    asked = asked_of(numbers, 1, ("label", True), ("probabilities", False))
    content, length = v2.encode(asked, numbers, "i", answer)
    assert length is not None
    label, probabilities = orjson.loads(content[:length])["outputs"]
    assert label["parameters"] == {"binary_data_size": 8}
    assert probabilities["data"] == [0.25, 0.75]
    assert content[length:] == struct.pack("<q", 1)


def test_metadata(numbers: Served, mixed: Served, regression: Served) -> None:
    told = v2.metadata(mixed, [1, 3])
    assert told == {
        "name": "m",
        "versions": ["1", "3"],
        "platform": "onnx_onnxv1",
        "inputs": [
            {"name": "delay", "datatype": "FP32", "shape": [-1, 1]},
            {"name": "carrier", "datatype": "BYTES", "shape": [-1, 1]},
        ],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]},
        ],
        "properties": {"classes": '["late","on time"]'},
    }
    assert v2.metadata(numbers, [3])["properties"]["features"].startswith("FP32 [-1, 3], instead")
    assert [each["name"] for each in v2.metadata(regression, [3])["outputs"]] == ["label"]
    assert "classes" not in v2.metadata(regression, [3])["properties"]


def test_the_generated_client_reads_metadata_and_answers(numbers: Served) -> None:
    responses = "open_inference.openapi.types"
    metadata_of = pytest.importorskip(f"{responses}.metadata_model_response").MetadataModelResponse
    answer_of = pytest.importorskip(f"{responses}.inference_response").InferenceResponse
    read = metadata_of(**v2.metadata(numbers, [3]))
    assert read.properties["classes"] == "[0,1]"
    asked = v2.decode(body(*named()), None, numbers)
    content, _ = v2.encode(asked, numbers, "i", numbers.answer(asked.features))
    assert answer_of(**orjson.loads(content)).outputs[0].shape == [1]


def test_tritons_client_reads_raw_answers(mixed: Served) -> None:
    http = pytest.importorskip("tritonclient.http")
    delay = http.InferInput("delay", [3, 1], "FP32")
    delay.set_data_from_numpy(np.array([[1], [-1], [np.nan]], np.float32))
    carrier = http.InferInput("carrier", [3], "BYTES")
    carrier.set_data_from_numpy(np.array(["DL", "Ärø", ""], object))
    content, length = http.InferenceServerClient.generate_request_body([delay, carrier])
    asked = v2.decode(content, length, mixed)
    answer = mixed.answer(asked.features)
    reply, head_length = v2.encode(asked, mixed, "i", answer)
    read = http.InferenceServerClient.parse_response_body(reply, header_length=head_length)
    assert [word.decode() for word in read.as_numpy("label")] == answer.label.tolist()
    np.testing.assert_array_equal(read.as_numpy("probabilities"), answer.probabilities)


def test_config(mixed: Served) -> None:
    assert v2.config(mixed) == {
        "name": "m",
        "platform": "onnx_onnxv1",
        "max_batch_size": 0,
        "input": [
            {"name": "delay", "data_type": "TYPE_FP32", "dims": [-1, 1]},
            {"name": "carrier", "data_type": "TYPE_STRING", "dims": [-1, 1]},
        ],
        "output": [
            {"name": "label", "data_type": "TYPE_STRING", "dims": [-1]},
            {"name": "probabilities", "data_type": "TYPE_FP32", "dims": [-1, 2]},
        ],
    }


# Whatever comes: a request, or a sentence

VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["features", "a", "FP32", "BYTES", "label", "delay", "carrier"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "shape", "datatype", "data", "parameters", "inputs", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
WORDS = st.none() | st.text(max_size=3)
SIZE = st.integers(0, 4) | st.just(3)
DATA = (
    st.lists(st.floats(allow_nan=False, width=32) | st.none() | st.booleans(), max_size=6)
    | st.lists(WORDS, max_size=4)
    | st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=3)
)
TENSOR = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["features", "a", "dep delay", "c", "delay", "carrier"]),
        "shape": st.lists(SIZE, max_size=2) | VALUE,
        "datatype": st.sampled_from([*DATATYPES]),
        "data": DATA | VALUE,
    },
    optional={
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(0, 30)}) | VALUE
    },
)
REQUEST = st.fixed_dictionaries(
    {"inputs": st.lists(TENSOR | VALUE, max_size=4)},
    optional={"id": VALUE, "outputs": VALUE, "parameters": VALUE},
)
VALID = [
    body(*named()),
    body(*named(2), id="x", outputs=[{"name": "label"}]),
    body(matrix([1, 2, 3], [1, 3])),
    body(matrix([[1, 2, 3], [4, None, 6]], [2, 3], "FP64"), parameters={}),
    body(tensor("carrier", ["UA"], [1], "BYTES"), tensor("delay", [1], [1])),
]
MANY = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def whatever_comes(content: bytes, header_length: int | None, *versions: Served) -> None:
    for served in versions:
        try:
            asked = v2.decode(content, header_length, served)
        except RequestError:
            continue
        answer = served.answer(asked.features)
        reply, length = v2.encode(asked, served, "i", answer)
        outputs = orjson.loads(reply[:length] if length else reply)["outputs"]
        assert all(each["shape"][0] == asked.rows for each in outputs)


@MANY
@given(content=st.binary(max_size=60), length=st.none() | st.integers(-2, 70))
def test_any_bytes(content: bytes, length: int | None, numbers: Served, mixed: Served) -> None:
    whatever_comes(content, length, numbers, mixed)


@MANY
@given(document=VALUE | REQUEST, tail=st.none() | st.binary(max_size=30))
def test_any_json(document: Any, tail: bytes | None, numbers: Served, mixed: Served) -> None:
    head = orjson.dumps(document)
    if tail is None:
        whatever_comes(head, None, numbers, mixed)
    else:
        whatever_comes(head + tail, len(head), numbers, mixed)


@pytest.mark.slow
@MANY
@given(data=st.data())
def test_any_mutation_of_a_request(data: st.DataObject, numbers: Served, mixed: Served) -> None:
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        width = data.draw(st.integers(0, 3))
        content[at : at + width] = data.draw(
            st.sampled_from([b"null", b"NaN", b"-1", b"[]", b'"', b"1e9", b"true", b"\\", b"{}"])
            | st.binary(max_size=2)
        )
        assume(content)
    whatever_comes(bytes(content), None, numbers, mixed)


NEARLY_PLAIN = st.fixed_dictionaries(
    {
        "name": st.just(""),
        "shape": st.sampled_from([[1], [1, 1], [True], [1.0], [0]]),
        "datatype": st.sampled_from(["FP32"] * 9 + ["INT8", "BYTES"]),
        "data": st.lists(
            st.none() | st.booleans() | st.floats(width=32, allow_nan=False) | st.just("x"),
            min_size=1,
            max_size=1,
        )
        | st.sampled_from(["x", {"x": 1}, [], [1, 2], [2**64 - 1], [1e300], [[1]]]),
    }
)


@st.composite
def nearly_plain(draw: st.DrawFn, columns: tuple[tuple[str, str], ...]) -> list[Any]:
    """One row by names in any order, now and then with something that is not plain."""
    inputs = []
    for name, datatype in draw(st.permutations(columns)):
        given = {**draw(NEARLY_PLAIN), "name": name}
        if draw(st.integers(0, 4)):
            given["datatype"] = datatype
        if datatype == "BYTES" and draw(st.integers(0, 4)):
            given["data"] = [draw(WORDS)]
        inputs.append(given)
    if not draw(st.integers(0, 9)):
        inputs.append(draw(st.sampled_from(inputs)))
    return inputs


NEARLY_PLAIN_MATRIX = st.builds(
    matrix,
    DATA | st.lists(st.floats(width=32, allow_nan=False) | st.none(), min_size=3, max_size=3),
    st.sampled_from([[1, 3], [2, 3], [0, 3], [True, 3], [1, 3.0], [3], [3, 1]]),
    st.sampled_from(["FP32", "FP64"]),
)
READS = {
    "numbers": tuple((name, "FP32") for name in NAMES),
    "mixed": (("delay", "FP32"), ("carrier", "BYTES")),
}


@MANY
@given(data=st.data(), which=st.sampled_from([*READS]))
def test_the_short_way_reads_what_the_long_way_reads(
    data: st.DataObject, which: str, numbers: Served, mixed: Served
) -> None:
    form = (numbers if which == "numbers" else mixed).form
    inputs = data.draw(nearly_plain(READS[which]) | NEARLY_PLAIN_MATRIX.map(lambda one: [one]))
    short = v2_inputs._plain(inputs, form)
    if short is None:
        return
    # nothing plain has parameters: these send it the long way, which must not refuse it
    long = v2_inputs.features([{**each, "parameters": {}} for each in inputs], form, Raw(b"", 0))
    assert type(short) is type(long)
    if isinstance(short, dict) and isinstance(long, dict):
        assert [*short] == [*long]
        for name, column in short.items():
            np.testing.assert_array_equal(column, long[name])
            assert column.dtype == long[name].dtype
    else:
        np.testing.assert_array_equal(short, long)


def test_the_short_way_is_taken(numbers: Served, mixed: Served) -> None:
    words_too = [tensor("carrier", ["UA"], [1], "BYTES"), tensor("delay", [None], [1, 1])]
    for inputs, served in (
        (named(), numbers),
        ([matrix([1, None, True], [1, 3])], numbers),
        (words_too, mixed),
    ):
        assert v2_inputs._plain(inputs, served.form) is not None
