from __future__ import annotations

import jsonschema
import pytest
import yaml

from seatrial.pipeline import Serving
from seatrial.pipeline.read import read
from seatrial.pipeline.schema import document

HEAD = "name: demo\nstages: [{name: first, tasks: [promote]}]\n"
BAD = {
    "a list": ("serving: [a]\n", "3:1", "must be a mapping", ""),
    "unknown": ("serving:\n  max_body: 5\n", "4:3", "unknown key 'max_body'", "max_body_mb"),
    "a number": ("serving:\n  5: 5\n", "4:3", "unknown key 5", ""),
    "nothing": ("serving:\n  keep_days:\n", "4:3", "above 0, not nothing", ""),
    "zero": ("serving: {max_body_mb: 0}\n", "3:11", "above 0, not the number 0", ""),
    "text": ("serving: {keep_gb: '5'}\n", "3:11", "above 0, not the text '5'", ""),
    "truth": ("serving: {keep_gb: true}\n", "3:11", "above 0, not true", ""),
    "endless": ("serving: {keep_days: .inf}\n", "3:11", "above 0, not the number inf", ""),
    "no number": ("serving: {keep_days: .nan}\n", "3:11", "above 0, not the number nan", ""),
    "retain": ("serving: {retain: memroy}\n", "3:11", "cannot be 'memroy'", "memory"),
    "retain, a list": ("serving: {retain: [disk]}\n", "3:11", "cannot be a list", "disk"),
    "redact": ("serving: {redact: email}\n", "3:11", "list of column names", ""),
    "redact, mixed": ("serving: {redact: [email, 5]}\n", "3:11", "a list with other things", ""),
}
SAID_BY_YAML_ONLY = {"endless", "no number"}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_says_what_where_and_the_nearest_word(case: str) -> None:
    text, place, what, near = BAD[case]
    pipeline = read(HEAD + text, "p.yaml")
    (mistake,) = pipeline.mistakes
    assert mistake.where == f"p.yaml:{place}"
    assert what in mistake.what
    assert mistake.nearest == near
    assert mistake.fix
    assert pipeline.serving == Serving()
    if case not in SAID_BY_YAML_ONLY:
        assert list(_schema().iter_errors(yaml.safe_load(HEAD + text)))


def test_every_mistake_is_told_and_what_is_right_counts() -> None:
    pipeline = read(HEAD + "serving: {retain: x, keep_gb: 2, keep_days: -1, nope: 1}\n", "p")
    assert [mistake.where for mistake in pipeline.mistakes] == ["p:3:11", "p:3:34", "p:3:49"]
    assert pipeline.serving == Serving(keep_gb=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Serving()),
        ("serving: {}\n", Serving()),
        ("serving: {max_body_mb: 0.5, redact: []}\n", Serving(max_body_mb=0.5)),
        (
            "serving: {max_body_mb: 1, retain: disk, keep_days: 7, keep_gb: 0.5, redact: [a, b]}",
            Serving(max_body_mb=1, retain="disk", keep_days=7, keep_gb=0.5, redact=("a", "b")),
        ),
    ],
)
def test_what_is_written_and_the_defaults(text: str, expected: Serving) -> None:
    pipeline = read(HEAD + text, "p")
    assert pipeline.mistakes == ()
    assert pipeline.serving == expected
    assert not list(_schema().iter_errors(yaml.safe_load(HEAD + text)))


def _schema() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(document({"promote": {"type": "object"}}))
