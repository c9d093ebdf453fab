"""The JSON Schema agrees with the reader: on the founding file, and on what the reader refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from seatrial import extend
from seatrial.pipeline.read import KEYS, read
from seatrial.pipeline.schema import document

FOUNDING = (Path(__file__).parents[1] / "pipelines" / "founding.yaml").read_text()
HEAD = "name: demo\nstages: [{name: first, tasks: [promote]}]\n"
ANY: dict[str, dict[str, Any]] = {
    word: {"type": "object"} for word in {*extend.names("tasks"), "promote", "train"}
}


def _complaints(text: str, schemas: dict[str, dict[str, Any]]) -> list[str]:
    schema = document(schemas)
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    return [error.message for error in found]


def test_the_founding_file_is_valid() -> None:
    assert _complaints(FOUNDING, ANY) == []


def test_every_top_level_key_is_described() -> None:
    properties = document(ANY)["properties"]
    assert set(properties) == set(KEYS)
    assert all(entry["description"] for entry in properties.values())


@pytest.mark.parametrize(
    "more",
    ["seed: -1", "seed: x", "overlap: wait", "problem: class", "catch_up: no", "nmae: x",
     "model: A b", "metric: 5", "datasets: {a: {pth: x}}", "datasets: {A: {}}", "schedule: 5",
     "datasets: {a: {key: [1]}}"],
)  # fmt: skip
def test_what_the_reader_refuses_the_schema_refuses(more: str) -> None:
    assert _complaints(HEAD, ANY) == []
    assert _complaints(HEAD + more, ANY)
    assert read(HEAD + more, "p").mistakes


@pytest.mark.parametrize(
    "more",
    ["seed: 5", "overlap: queue", "datasets: {a: {path: x, exclude: [a, b]}}", "timezone: UTC"],
)
def test_what_the_reader_takes_the_schema_takes(more: str) -> None:
    assert _complaints(HEAD + more, ANY) == []
    assert read(HEAD + more, "p").mistakes == ()


def test_definitions_of_a_word_stay_its_own_and_a_bare_word_needs_no_parameters() -> None:
    schemas = {
        word: {
            "$ref": "#/$defs/Task",
            "$defs": {
                "Task": {
                    "type": "object",
                    "required": [needed] if needed else [],
                    "properties": {"bound": {"$ref": "#/$defs/Bound"}},
                },
                "Bound": {"type": kind},
            },
        }
        for word, needed, kind in (("train", "data", "string"), ("promote", "", "number"))
    }
    stage = "name: demo\nstages: [{{name: first, tasks: [{}]}}]\n"
    assert _complaints(stage.format("promote"), schemas) == []
    assert (
        _complaints(stage.format("{promote: {bound: 1}}, {train: {data: d, bound: x}}"), schemas)
        == []
    )
    assert _complaints(stage.format("train"), schemas)
    assert _complaints(stage.format("{promote: {bound: x}}"), schemas)
    assert _complaints(stage.format("{train: {bound: x}}"), schemas)
    assert _complaints(stage.format("{promote: {}, train: {data: d}}"), schemas)
