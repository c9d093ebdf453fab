"""What is handed in instead of a file that can be served, and what is said about it."""

from __future__ import annotations

import contextlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import quantised
from seatrial.errors import FormError
from seatrial.inference.signature import Input, Signature
from seatrial.models._ready_onnx import file as reading
from seatrial.models._ready_onnx import normalised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from onnx import ModelProto, NodeProto

FLOAT, INT64, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING
NUMBERS = Signature(tuple(Input(name, "FP32") for name in ("a", "b", "c")), "numbers")
TWO = Signature(NUMBERS.inputs, "classes", (0, 1))
THREE = Signature(NUMBERS.inputs, "classes", ("x", "y", "z"))
MIXED = Signature((Input("a", "FP32"), Input("carrier", "BYTES")), "numbers")


def node(operator: str, inputs: Sequence[str], output: str, **more: Any) -> NodeProto:
    return helper.make_node(operator, [*inputs], [output], **more)


def value(name: str, kind: int = FLOAT, shape: Any = ("n", 1)) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def model(
    nodes: Sequence[NodeProto],
    inputs: Sequence[Any],
    outputs: Sequence[Any],
    held: Mapping[str, Any] | None = None,
    **opsets: int,
) -> ModelProto:
    held_by_name = {"flat": np.array([-1]), **(held or {})}
    initializers = [numpy_helper.from_array(np.asarray(v), n) for n, v in held_by_name.items()]
    graph = helper.make_graph([*nodes], "g", [*inputs], [*outputs], initializers)
    imports = [helper.make_opsetid("", opsets.pop("opset", 15))]
    imports += [helper.make_opsetid(domain.replace("_", "."), v) for domain, v in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def summing(
    *more: NodeProto, outputs: Sequence[Any] | None = None, width: int = 1, shape: Any = ("n", 3)
) -> ModelProto:
    """``sums = x @ w``, where ``w`` lets no two outputs be alike."""
    weights = np.arange(3 * width, dtype=np.float32).reshape(3, width) - width
    nodes = [node("MatMul", ["x", "w"], "sums"), *more]
    wanted = outputs or [value("sums", FLOAT, ["n", width])]
    return model(nodes, [value("x", FLOAT, shape)], wanted, {"w": weights})


def refused(content: bytes | ModelProto, signature: Signature = NUMBERS) -> str:
    raw = content if isinstance(content, bytes) else content.SerializeToString()
    with pytest.raises(FormError) as caught:
        normalised(raw, signature, "models/m.onnx")
    said = str(caught.value)
    assert len(said.splitlines()) <= 6
    assert "where: models/m.onnx" in said
    assert "fix: " in said
    assert "file/" not in said
    return said


@pytest.mark.parametrize(
    ("content", "said", "fix"),
    [
        (b"", "the file is empty", "export"),
        (pickle.dumps({"a": 1}), "a pickle, no ONNX file", "nothing is unpickled here"),
        (pickle.dumps({"a": 1}, protocol=2), "a pickle", "nothing is unpickled here"),
        (b"\n <!DOCTYPE html><html></html>", "a page of HTML", "download the file itself"),
        (b"<HTML>", "a page of HTML", "login"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS", "git lfs pull"),
        (b"PK\x03\x04rest", "a zip archive", "own_onnx.md"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "own_onnx.md"),
        (b'{"learner": {}}', "JSON", "own_onnx.md"),
        (b"tree\nversion=v4\n", "LightGBM's own form", "own_onnx.md"),
        (b"CBM1abc", "CatBoost's own form", "onnx"),
        (b"\x1f\x8b\x08", "compressed", "gunzip"),
        (b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite", "own_onnx.md"),
        (b"\x18\x00\x00\x00ORTM", "onnxruntime's own form", "made from"),
        (b"hello, this is no model", "this is no ONNX file", "own_onnx.md"),
        (b"\x08\x08", "holds no graph", "own_onnx.md"),
        (b"\x08\x08\xff\xff", "cut off or damaged", "again"),
    ],
)
def test_what_is_no_such_file(content: bytes, said: str, fix: str) -> None:
    told = refused(content)
    assert said in told
    assert fix in told


def test_a_file_that_is_cut_off_anywhere() -> None:
    whole = summing().SerializeToString()
    for length in range(1, len(whole)):
        told = refused(whole[:length])
        assert any(word in told for word in ("cut off", "no graph", "no ONNX file")), told


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_any_bytes_are_answered_in_a_sentence(content: bytes) -> None:
    refused(content)


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=120)
def test_a_damaged_byte_never_ends_in_anything_but_a_sentence(at: int, byte: int) -> None:
    content = bytearray(summing().SerializeToString())
    content[at % len(content)] = byte
    with contextlib.suppress(FormError):
        normalised(bytes(content), NUMBERS, "m.onnx")


def test_a_file_beyond_what_protobuf_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_BYTES", 10)
    assert "at most 2 GB" in refused(summing())


def test_an_opset_that_this_onnxruntime_does_not_know() -> None:
    newer = summing()
    newer.opset_import[0].version = 99
    told = refused(newer)
    assert "opset 99 of ai.onnx, onnxruntime" in told
    assert "reads up to 2" in told
    newest = int(told.split("reads up to ")[1].split("\n")[0])
    assert f"export it with opset {newest} or lower" in told


def test_a_form_that_this_onnxruntime_does_not_know() -> None:
    newer = summing()
    newer.ir_version = 99
    told = refused(newer)
    assert "IR version 99, onnxruntime" in told
    assert "model.ir_version = 1" in told


def test_an_opset_too_old() -> None:
    nodes = [node("Abs", ["x"], "y")]
    content = model(nodes, [value("x", FLOAT, ["n", 3])], [value("y")], opset=6)
    assert "opset 6; the oldest that is read is 7" in refused(content)


def test_an_operator_that_meant_something_else_in_an_old_opset() -> None:
    nodes = [node("Upsample", ["x"], "y", scales=[1.0, 1.0])]
    content = model(nodes, [value("x", FLOAT, ["n", 3])], [value("y")], opset=8)
    assert "opset 8; the oldest that is read is 9" in refused(content)


def test_operators_of_others() -> None:
    nodes = [
        node("Tokenizer", ["x"], "t", domain="my.ops"),
        node("Magic", ["t"], "y", domain="my.ops"),
    ]
    told = refused(model(nodes, [value("x")], [value("y")], my_ops=1))
    assert "Tokenizer of my.ops, Magic of my.ops" in told


def test_an_operator_of_others_inside_a_branch() -> None:
    branch = helper.make_graph(
        [node("Magic", ["x"], "z", domain="my.ops")], "b", [], [value("z", FLOAT, None)]
    )
    nodes = [node("If", ["yes"], "y", then_branch=branch, else_branch=branch)]
    content = model(nodes, [value("x")], [value("y")], {"yes": np.True_}, my_ops=1)
    assert "Magic of my.ops" in refused(content)


def test_an_operator_that_does_not_exist() -> None:
    told = refused(model([node("Foo", ["x"], "y")], [value("x", FLOAT, ["n", 3])], [value("y")]))
    assert "No Op registered for Foo" in told


@pytest.mark.parametrize("inside", [False, True], ids=["in the graph", "in a constant of a node"])
def test_no_other_file_is_ever_read(tmp_path: Path, *, inside: bool) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.array([1, 2, 3], np.float32).tobytes())
    tensor = numpy_helper.from_array(np.zeros((3, 1), np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    # both are tried: as a path from here, and from the root
    tensor.external_data.add(key="location", value=str(secret))
    content = summing()
    if inside:
        content.graph.node.insert(0, helper.make_node("Constant", [], ["w"], value=tensor))
        del content.graph.initializer[:]
    else:
        content.graph.initializer[1].CopyFrom(tensor)
    told = refused(content)
    assert "the weights 'w' are in another file, which is not read" in told
    assert "save_as_external_data=False" in told


def test_a_file_that_was_saved_with_its_weights_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    onnx.save_model(summing(), path, save_as_external_data=True, size_threshold=0)
    assert "in another file" in refused(path.read_bytes())


# -- inputs ------------------------------------------------------------------------------------


def test_names_that_are_no_columns() -> None:
    nodes = [node("Sum", ["a", "B"], "y")]
    told = refused(model(nodes, [value("a"), value("B")], [value("y")]))
    assert "columns that it does not read: 'b', 'c'" in told
    assert "inputs that are no column: 'B'" in told
    assert "nearest: b" in told
    assert "`exclude:`" in told


def test_a_column_that_the_file_does_not_read() -> None:
    told = refused(model([node("Abs", ["a"], "y")], [value("a")], [value("y")]))
    assert "columns that it does not read: 'b', 'c'" in told
    assert "nearest" not in told


def test_a_file_that_reads_nothing() -> None:
    constant = numpy_helper.from_array(np.zeros((1, 1), np.float32))
    content = model([helper.make_node("Constant", [], ["y"], value=constant)], [], [value("y")])
    assert "the file has no inputs" in refused(content)


def test_a_matrix_of_another_width() -> None:
    told = refused(summing(shape=["n", 4]))
    assert "'x' is FLOAT [n, 4], but the data has 3 features: 'a', 'b', 'c'" in told


def test_one_row_without_a_batch() -> None:
    told = refused(summing(shape=[3]))
    assert "'x' is FLOAT [3]: one row, not many" in told
    assert "as [n, 3]" in told


def test_a_matrix_of_numbers_where_a_column_holds_words() -> None:
    content = model(
        [node("ReduceSum", ["x", "axes"], "y")],
        [value("x", FLOAT, ["n", 2])],
        [value("y")],
        {"axes": np.array([1])},
    )
    told = refused(content, MIXED)
    assert "'x' takes numbers (FLOAT [n, 2]), but 'carrier' holds words" in told


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"a": FLOAT, "carrier": FLOAT}, "'carrier' takes numbers (FLOAT [n, 1]), but 'carrier'"),
        (
            {"a": STRING, "carrier": STRING},
            "'a' takes words (STRING [n, 1]), but 'a' holds numbers",
        ),
        ({"a": TensorProto.COMPLEX64, "carrier": STRING}, "'a' is of the type COMPLEX64"),
    ],
)
def test_kinds_that_the_data_does_not_have(kinds: dict[str, int], said: str) -> None:
    nodes = [node("Identity", [name], f"{name}/y") for name in kinds]
    inputs = [value(name, kind) for name, kind in kinds.items()]
    outputs = [value(f"{name}/y", kind) for name, kind in kinds.items()]
    assert said in refused(model(nodes, inputs, outputs), MIXED)


def test_a_column_that_is_a_matrix_itself() -> None:
    nodes = [node("Sum", ["a", "b", "c"], "y")]
    inputs = [value("a"), value("b"), value("c", FLOAT, ["n", 5])]
    told = refused(model(nodes, inputs, [value("y", FLOAT, ["n", 5])]))
    assert "'c' is FLOAT [n, 5]; a column is [n] or [n, 1]" in told


def test_an_input_that_is_no_tensor() -> None:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, None))
    nodes = [node("SequenceAt", ["x", "zero"], "y")]
    inputs = [helper.make_value_info("x", kind)]
    told = refused(model(nodes, inputs, [value("y")], {"zero": np.int64(0)}))
    assert "'x' takes a sequence" in told


def test_a_column_that_is_called_as_our_output_is() -> None:
    asked = Signature((Input("label", "FP32"),), "numbers")
    assert "a column is called 'label'" in refused(summing(), asked)


# -- running -----------------------------------------------------------------------------------


def test_a_batch_that_is_built_in() -> None:
    more = [node("Reshape", ["sums", "shape"], "y")]
    content = summing(*more, outputs=[value("y", FLOAT, [1, 1])], shape=[1, 3])
    content.graph.initializer.append(numpy_helper.from_array(np.array([1, 1]), "shape"))
    told = refused(content)
    assert "answers one row at a time, and no other number of them" in told
    assert "dynamic batch" in told


def test_a_batch_of_eight_that_is_built_in() -> None:
    more = [node("Reshape", ["sums", "shape"], "y")]
    content = summing(*more, outputs=[value("y", FLOAT, [8, 1])], shape=[8, 3])
    content.graph.initializer.append(numpy_helper.from_array(np.array([8, 1]), "shape"))
    assert "answers 8 rows at a time" in refused(content)


def test_answers_that_depend_on_the_rows_beside_them() -> None:
    more = [node("ReduceMean", ["sums"], "mean", axes=[0]), node("Sub", ["sums", "mean"], "y")]
    told = refused(summing(*more, outputs=[value("y")]))
    # the row of missing values makes every mean NaN here
    assert "not a finite number for any row" in told or "rows beside it" in told


def test_normalising_by_the_batch_as_a_network_in_training_does() -> None:
    more = [
        node("IsNaN", ["sums"], "missing"),
        node("Where", ["missing", "zero", "sums"], "known"),
        node("ReduceMean", ["known"], "mean", axes=[0]),
        node("Sub", ["known", "mean"], "y"),
    ]
    content = summing(*more, outputs=[value("y")])
    content.graph.initializer.append(numpy_helper.from_array(np.zeros((), np.float32), "zero"))
    told = refused(content)
    assert "answers a row otherwise when it is asked for other rows beside it" in told
    assert "model.eval()" in told


def test_bytes_whose_scale_is_taken_over_the_batch(tmp_path: Path) -> None:
    told = refused(quantised.dynamic(tmp_path), quantised.SIGNATURE)
    assert "answers a row otherwise when it is asked for other rows beside it" in told
    assert "quantise it statically" in told


def test_a_softmax_that_was_quantised_with_the_rest(tmp_path: Path) -> None:
    told = refused(quantised.static(tmp_path, operators=None), quantised.SIGNATURE)
    assert "where probabilities sum to one" in told
    assert "op_types_to_quantize=['MatMul', 'Conv']" in told


def test_one_answer_for_all_rows() -> None:
    more = [node("ReduceMax", ["sums"], "y")]
    told = refused(summing(*more, outputs=[value("y", FLOAT, [1, 1])]))
    assert "has the shape [1, 1] for 64 rows" in told


def test_a_row_of_missing_values_that_cannot_be_answered() -> None:
    nodes = [
        helper.make_node(
            "OneHotEncoder", ["carrier"], ["y"], domain="ai.onnx.ml", cats_strings=["UA"], zeros=0
        ),
        node("Reshape", ["y", "flat"], "z"),
        node("Add", ["z", "a"], "label"),
    ]
    inputs = [value("a", FLOAT, ["n"]), value("carrier", STRING)]
    content = model(nodes, inputs, [value("label", FLOAT, ["n"])], ai_onnx_ml=3)
    told = refused(content, MIXED)
    assert "cannot answer a row of missing values" in told
    assert "handle_unknown='ignore'" in told


def test_an_embedding_that_knows_few_numbers_is_looked_at_by_zeros() -> None:
    # drawn numbers lie outside of its table, as those of a careless client would
    nodes = [
        node("IsNaN", ["a"], "missing"),
        node("Where", ["missing", "zero", "a"], "known"),
        node("Cast", ["known"], "place", to=INT64),
        node("Gather", ["table", "place"], "label"),
    ]
    held = {"zero": np.float32(0), "table": np.array([2, 3], np.float32)}
    asked = Signature((Input("a", "FP32"),), "numbers")
    content = model(nodes, [value("a")], [value("label")], held)
    assert normalised(content.SerializeToString(), asked, "m.onnx")


# -- outputs -----------------------------------------------------------------------------------


def test_logits() -> None:
    told = refused(summing(width=3), THREE)
    assert "this looks like logits, not probabilities" in told
    assert "add a softmax before exporting" in told


def test_a_logit() -> None:
    told = refused(summing(), TWO)
    assert "this looks like logits" in told
    assert "add a sigmoid" in told


def test_logarithms_of_probabilities() -> None:
    more = [node("LogSoftmax", ["sums"], "y", axis=1)]
    told = refused(summing(*more, width=3, outputs=[value("y", FLOAT, ["n", 3])]), THREE)
    assert "looks like logarithms of probabilities" in told


def test_a_sigmoid_for_each_class() -> None:
    more = [node("Sigmoid", ["sums"], "y")]
    told = refused(summing(*more, width=3, outputs=[value("y", FLOAT, ["n", 3])]), THREE)
    assert "where probabilities sum to one" in told


@pytest.mark.parametrize("signature", [NUMBERS, TWO])
def test_nothing_finite(signature: Signature) -> None:
    more = [node("Mul", ["sums", "nan"], "y")]
    content = summing(*more, outputs=[value("y")])
    content.graph.initializer.append(
        numpy_helper.from_array(np.full((), np.nan, np.float32), "nan")
    )
    told = refused(content, signature)
    assert "finite" in told


def test_another_number_of_classes() -> None:
    more = [node("Softmax", ["sums"], "y", axis=1)]
    told = refused(summing(*more, width=4, outputs=[value("y", FLOAT, ["n", 4])]), THREE)
    assert "the data has 3 classes (x, y, z), but the file answers y float32 [n, 4]" in told


def test_several_numbers_where_one_is_wanted() -> None:
    told = refused(summing(width=4))
    assert "the target is numbers; the file answers sums float32 [n, 4]" in told


def test_labels_alone() -> None:
    more = [node("ArgMax", ["sums"], "best", axis=1, keepdims=0)]
    told = refused(summing(*more, width=3, outputs=[value("best", INT64, ["n"])]), THREE)
    assert "answers no probabilities, only best int64 [n]" in told


def test_a_classifier_where_the_target_is_numbers() -> None:
    more = [
        node("ArgMax", ["sums"], "label", axis=1, keepdims=0),
        node("Softmax", ["sums"], "p", axis=1),
    ]
    outputs = [value("label", INT64, ["n"]), value("p", FLOAT, ["n", 3])]
    told = refused(summing(*more, width=3, outputs=outputs))
    assert "`problem: classes`" in told


def test_two_outputs_that_may_both_be_it() -> None:
    more = [node("Softmax", ["sums"], "p", axis=1), node("Softmax", ["sums"], "q", axis=1)]
    outputs = [value(name, FLOAT, ["n", 3]) for name in ("p", "q")]
    told = refused(summing(*more, width=3, outputs=outputs), THREE)
    assert "not clear which output holds the probabilities: p float32 [n, 3], q" in told


def labelled(names: Any, kind: int, *more: NodeProto) -> ModelProto:
    nodes = [
        node("Softmax", ["sums"], "p", axis=1),
        node("ArgMax", ["sums"], "best", axis=1, keepdims=0),
        *more,
        node("Gather", ["names", "best"], "label"),
    ]
    outputs = [value("label", kind, ["n"]), value("p", FLOAT, ["n", 3])]
    content = summing(*nodes, width=3, outputs=outputs)
    # weights that let every class win somewhere
    weights = np.array([[2, 0, -2], [0, 1, 0], [-2, 0, 2]], np.float32)
    content.graph.initializer[1].CopyFrom(numpy_helper.from_array(weights, "w"))
    content.graph.initializer.append(numpy_helper.from_array(names, "names"))
    return content


def test_labels_that_are_no_classes() -> None:
    told = refused(labelled(np.array(["x", "yy", "z"], object), STRING), THREE)
    assert "the file knows the class 'yy'; the data has x, y, z" in told
    assert "nearest: y" in told


def test_probabilities_in_another_order_than_the_labels() -> None:
    told = refused(labelled(np.array(["z", "x", "y"], object), STRING), THREE)
    assert "where the file's label is" in told
    assert "order the probabilities as the sorted classes (x, y, z)" in told
    assert normalised(
        labelled(np.array(["x", "y", "z"], object), STRING).SerializeToString(), THREE, "m.onnx"
    )


def test_dictionaries_that_no_zipmap_makes() -> None:
    kind = helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, None))
    more = [helper.make_node("SequenceConstruct", ["sums"], ["y"])]
    told = refused(summing(*more, outputs=[helper.make_value_info("y", kind)]), TWO)
    assert "output 'y' is a sequence, no tensor" in told


def test_one_output_a_class() -> None:
    more = [
        node("Softmax", ["sums"], "p", axis=1),
        helper.make_node("Split", ["p"], ["p0", "p1", "p2"], axis=1),
    ]
    outputs = [value(name) for name in ("p0", "p1", "p2")]
    told = refused(summing(*more, width=3, outputs=outputs), THREE)
    assert "the data has 3 classes (x, y, z), but the file answers p0 float32 [n, 1]" in told
