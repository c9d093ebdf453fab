"""Many machines side by side."""

from __future__ import annotations

import copy
import json
from typing import Any

from seatrial.environment.capture import capture
from seatrial.environment.needs import Needs
from seatrial.environment.policy import Policy
from seatrial.environment.table import Row, table

ONNX = Needs(form="onnx", packages=("numpy", "onnxruntime"))


def machines() -> dict[str, dict[str, Any]]:
    build: dict[str, Any] = {
        "python_version": "3.11.7", "machine": "x86_64", "libc": "glibc 2.36",
        "cpu": {"model": "Fast", "flags": ["avx2", "avx512f", "fma"], "cores": 8},
        "dependencies": {"numpy": "2.4.6", "onnxruntime": "1.32.0", "click": "8.2"},
        "records": {"numpy": "sha256:aa"}, "variables": {"OMP_NUM_THREADS": "2"},
    }  # fmt: skip
    pi = copy.deepcopy(build) | {"machine": "aarch64", "libc": "musl 1.2"}
    pi["cpu"] = {"model": "Small", "flags": ["asimd"], "cores": 4}
    del pi["dependencies"]["click"]
    old = copy.deepcopy(build)
    old["cpu"]["flags"] = ["avx2", "fma"]
    old["dependencies"] |= {"numpy": "1.26.4", "extra": "1"}
    old["records"] = {"numpy": "sha256:bb"}
    old["hidden"] = {"numpy": ["1.20"]}
    del old["variables"]
    return {"build": build, "pi": pi, "old": old}


def test_only_what_differs_is_shown_the_gravest_first_and_the_rest_counted() -> None:
    found = table(machines(), ONNX)
    assert found.names == ("build", "pi", "old")
    shown = {row.field: row for row in found.rows}
    assert shown["machine"] == Row(
        field="machine", values=("x86_64", "aarch64", "x86_64"), differs=(False, True, False),
        level="error",
    )  # fmt: skip
    assert shown["dependencies.numpy"].values == ("2.4.6", "2.4.6", "1.26.4")
    assert shown["dependencies.numpy"].level == "warn"
    assert shown["dependencies.click"].values == ("8.2", "not installed", "8.2")
    assert shown["dependencies.extra"].values == ("not installed", "not installed", "1")
    assert shown["dependencies.extra"].level == "info"
    assert shown["hidden.numpy"].values == ("one version", "one version", "1.26.4 before 1.20")
    assert "python_version" not in shown
    assert "records.numpy" not in shown
    levels = [row.level for row in found.rows]
    assert levels == sorted(levels, key=["error", "warn", "info"].index)
    assert found.equal >= 2


def test_instruction_sets_are_shown_without_what_all_have() -> None:
    known = machines()
    del known["pi"]
    [row] = [row for row in table(known, ONNX).rows if row.field == "cpu.flags"]
    assert row.values == ("avx512f", "-")


def test_what_one_machine_does_not_know_is_marked_as_not_known() -> None:
    [row] = [row for row in table(machines(), ONNX).rows if row.field.startswith("variables")]
    assert row == Row(
        field="variables.OMP_NUM_THREADS", values=("2", "2", None), differs=(False, False, True),
        level="info",
    )  # fmt: skip
    quiet = table(machines(), ONNX, Policy({"unknown": "ignore"}))
    assert "variables.OMP_NUM_THREADS" not in {row.field for row in quiet.rows}


def test_everything_has_the_equal_fields_too() -> None:
    short, whole = table(machines(), ONNX), table(machines(), ONNX, everything=True)
    assert len(whole.rows) == len(short.rows) + short.equal
    [row] = [row for row in whole.rows if row.field == "python_version"]
    assert row == Row(
        field="python_version", values=("3.11.7",) * 3, differs=(False,) * 3, level="same"
    )


def test_a_policy_counts_and_what_it_ignores_is_as_equal() -> None:
    found = table(machines(), ONNX, Policy({"libc": "info", "machine": "ignore"}))
    levels = {row.field: row.level for row in found.rows}
    assert levels["libc"] == "info"
    assert "machine" not in levels


def test_a_machine_that_answered_equally_has_the_levels_that_are_left() -> None:
    found = table(machines(), ONNX, proven=["pi"])
    levels = {row.field: row.level for row in found.rows}
    assert levels["machine"] == "warn"
    assert levels["dependencies.numpy"] == "warn"  # of the machine that proved nothing


def test_the_same_machine_many_times_differs_in_nothing() -> None:
    here = capture()
    found = table({f"m{n}": here for n in range(3)})
    assert found.rows == ()
    assert found.equal > 100


def test_one_machine_or_none_knows_no_difference() -> None:
    assert table({"here": capture()}).rows == ()
    assert table({}).rows == ()


def test_a_hundred_machines_with_three_hundred_packages() -> None:
    first = {"dependencies": {f"package-{n}": "1.0" for n in range(300)}}
    several = {"first": first} | {
        f"m{n}": {"dependencies": {**first["dependencies"], f"package-{n}": "2.0"}}
        for n in range(99)
    }
    found = table(several, ONNX)
    assert len(found.rows) == 99 + 2  # numpy and onnxruntime are nowhere
    assert found.equal == 201
    document = json.loads(json.dumps(found.to_json()))
    assert document["names"][:2] == ["first", "m0"]
    assert document["rows"][0]["level"] == "error"
    assert len(document["rows"][-1]["values"]) == 100
