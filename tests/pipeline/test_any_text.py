"""Whatever stands in a file: it is read or it is a mistake, never an exception."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from seatrial.pipeline import Pipeline

FOUNDING = (Path(__file__).parents[1] / "pipelines" / "founding.yaml").read_text()
_SCRAPS = st.sampled_from(
    [
        "\n", "  ", "- ", ": ", "a: ", "[", "]", "{", "}", "&a ", "*a", "<<: *a", "!!int ", "'",
        '"', "#", "|\n", "name: ", "stages:\n", "tasks:\n", "condition: ", "stages.a.passed", "&&",
        "\t", "---\n", "%YAML 1.1\n", "%YAML 1.9\n", "\x00", '"\\UFFFFFFFF"', '"\\ud800"',
        "9" * 5000, "0x" + "f" * 5000, "2020-13-45", "null", "? ", "datasets:\n", "schedule: ",
        "seed: ", "!!float x", "=", "~", "\u2028", "\ufeff", "timezone: ", "train:\n",
    ]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _is_told(pipeline: Pipeline) -> None:
    for mistake in pipeline.mistakes:
        assert len(str(mistake).splitlines()) <= 6
        assert re.search(r"p\.yaml:\d+:\d+$", mistake.where)


@given(st.text())
def test_any_text(text: str) -> None:
    pipeline = read(text, "p.yaml")
    assert pipeline.mistakes  # no text that chance writes is a pipeline
    _is_told(pipeline)


@given(st.lists(_SCRAPS, max_size=30).map("".join))
def test_any_heap_of_yaml(text: str) -> None:
    _is_told(read(text, "p.yaml"))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.lists(_SCRAPS, min_size=1, max_size=3))
def test_the_founding_file_with_damage(seed: int, scraps: list[str]) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    text = FOUNDING
    for scrap in scraps:
        start = chance.randrange(len(text))
        text = text[:start] + scrap + text[start + chance.choice([0, 0, 1, 5, 40]) :]
    _is_told(read(text, "p.yaml"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["name", "schedule", "stages", "model", "metric", "problem", "datasets", "timezone",
         "overlap", "catch_up", "seed", "notify", "watch", "stage", "tasks", "condition", "task"]
    ),
    _VALUES,
)  # fmt: skip
def test_any_value_under_any_key(key: str, value: object) -> None:
    import json  # noqa: PLC0415 - JSON is YAML

    written = json.dumps(value)
    stage = {"name": "a", "tasks": ["promote"]}
    if key == "stage":
        text = f"name: a\nstages: [{written}]\n"
    elif key == "task":
        text = f"name: a\nstages: [{{name: a, tasks: [{written}]}}]\n"
    elif key in {"tasks", "condition"}:
        text = f"name: a\nstages: [{json.dumps(stage | {key: value})}]\n"
    else:
        text = json.dumps({"name": "a", "stages": [stage]} | {key: value})
    _is_told(read(text, "p.yaml"))


@given(st.text(), st.text(alphabet="ab.=:[ {", max_size=12))
def test_any_change(text: str, more: str) -> None:
    pipeline = read(FOUNDING, "p.yaml", [text, more, f"train_model.train.data={text}"])
    assert len(pipeline.tasks) == 9
    assert all(len(str(mistake).splitlines()) <= 6 for mistake in pipeline.mistakes)
