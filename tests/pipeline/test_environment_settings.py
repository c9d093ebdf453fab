"""What `environment:` may say: the reader knows the levels, the plan knows the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

from seatrial import plan
from seatrial.environment import policy
from seatrial.errors import FileError
from seatrial.pipeline import Environment
from seatrial.pipeline.read import read
from seatrial.pipeline.settings import LEVELS

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """\
name: demo
stages:
  - name: first
    tasks:
      - check_environment: {expected: here.lock}
"""


def _refused_by_schema(text: str) -> bool:
    found = jsonschema.Draft202012Validator(plan.file_schema()).iter_errors(yaml.safe_load(text))
    return any(True for _ in found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here.lock").write_text("numpy==2.4.6\n")
    return tmp_path


def test_what_is_written_and_the_defaults(folder: Path) -> None:
    assert read(HEAD, "p.yaml").environment == Environment()
    text = f"{HEAD}environment: {{policy: {{libc: ignore, packages.numpy: error}}}}\n"
    made = plan.make(read(text, "p.yaml"), folder)
    assert made.pipeline.environment.policy == {"libc": "ignore", "packages.numpy": "error"}
    assert not _refused_by_schema(text)


def test_what_is_right_counts_beside_what_is_wrong() -> None:
    text = f"{HEAD}environment:\n  policy:\n    libc: ignored\n    kernel: warn\n"
    pipeline = read(text, "p.yaml")
    (mistake,) = pipeline.mistakes
    assert mistake.where == "p.yaml:8:5"
    assert mistake.nearest == "ignore"
    assert pipeline.environment.policy == {"kernel": "warn"}
    assert _refused_by_schema(text)


def test_an_unknown_rule_has_its_line_and_the_nearest_one(folder: Path) -> None:
    text = f"{HEAD}environment:\n  policy:\n    kernal: warn\n    5: warn\n    packages.: warn\n"
    with pytest.raises(FileError) as refused:
        plan.make(read(text, "p.yaml"), folder)
    told = [(each.where, each.nearest) for each in refused.value.mistakes]
    assert ("p.yaml:8:5", "kernel") in told
    assert sorted(where for where, _ in told) == ["p.yaml:10:5", "p.yaml:8:5", "p.yaml:9:5"]
    assert all(each.fix for each in refused.value.mistakes)
    assert _refused_by_schema(text.replace("    5: warn\n", ""))  # JSON's keys are texts


def test_both_know_the_same_levels() -> None:
    assert set(LEVELS) == set(policy.WORDS)
