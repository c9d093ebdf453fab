from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from ruamel.yaml import YAML

from seatrial import extend, plan
from seatrial.environment import policy
from seatrial.environment.capture import capture
from seatrial.environment.machine.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from seatrial.environment.needs import Form

REPOSITORY = Path(__file__).parents[1]
REFERENCE = REPOSITORY / "docs" / "reference"
PARAMETERS = re.compile(r"^\| parameter \|.*\n\|[-|]+\|\n((?:\|.*\n)*)", re.MULTILINE)
PARAMETER = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_check", REPOSITORY / "docs" / "check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_link_leads_somewhere(check: ModuleType) -> None:
    assert list(check.broken_links(check.pages())) == []


def test_every_word_and_every_command_has_its_page(check: ModuleType) -> None:
    assert [*check.missing_words(), *check.missing_commands()] == []


def test_a_dead_link_and_a_dead_heading_are_told(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# A\n[x](gone.md) [y](#b) [z](#a) [w](https://example.org) `[v](gone.md)`\n")
    assert list(check.broken_links([page])) == [
        "page.md: gone.md leads nowhere",
        "page.md: #b has no such heading",
    ]


@pytest.mark.parametrize("word", extend.names("tasks"))
def test_a_tasks_page_lists_the_parameters_that_it_has(word: str) -> None:
    page = (REFERENCE / f"{word}.md").read_text(encoding="utf-8")
    (table,) = PARAMETERS.findall(page) or ("",)
    described = PARAMETER.findall(table)
    assert described == sorted(set(described), key=described.index)
    fields = {field.encode_name for field in msgspec.structs.fields(plan.task_class(word))}
    assert set(described) == fields


@pytest.mark.parametrize("word", extend.names("tasks"))
def test_the_examples_on_a_tasks_page_are_well_typed(word: str) -> None:
    page = (REFERENCE / f"{word}.md").read_text(encoding="utf-8")
    examples = [YAML(typ="safe").load(text) for kind, text in FENCE.findall(page) if kind == "yaml"]
    shown = [parameters for example in examples for parameters in _uses(example, word)]
    assert shown
    for parameters in shown:
        # a date is a text to the reader of the file
        msgspec.convert(msgspec.to_builtins(parameters), plan.task_class(word))


def _uses(example: object, word: str) -> Iterator[object]:
    """The parameters of every ``- word: …`` in a piece of a file."""
    if isinstance(example, list):
        for item in example:
            yield from [item[word]] if isinstance(item, dict) and word in item else ()
            yield from _uses(item, word)
    elif isinstance(example, dict):
        for value in example.values():
            yield from _uses(value, word)


def test_the_founding_example_stands_unchanged_on_the_page_of_the_file() -> None:
    page = (REFERENCE / "pipeline_file.md").read_text(encoding="utf-8")
    shown = next(text for language, text in FENCE.findall(page) if language == "yaml")
    founding = (REPOSITORY / "tests" / "pipelines" / "founding.yaml").read_text(encoding="utf-8")
    assert shown == founding


def test_json_on_the_page_is_json() -> None:
    page = (REFERENCE / "json.md").read_text(encoding="utf-8")
    documents = [json.loads(text) for language, text in FENCE.findall(page) if language == "json"]
    assert documents


def test_the_page_of_environments_holds_every_rule_with_its_levels() -> None:
    page = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    table = page.partition("| rule |")[2].partition("\n\n")[0]
    told = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert told == [
        [f"`{rule}`", why, *(_levels(rule, form) for form in ("onnx", "pickle", "any"))]
        for rule, why in policy.RULES.items()
    ]


def _levels(rule: str, form: Form) -> str:
    levels = policy.Policy().judged(rule, form)
    assert levels is not None
    return ", then ".join(dict.fromkeys(levels))


def test_the_page_of_environments_names_every_field_and_variable() -> None:
    page = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    fields = set(capture("2026-01-01T00:00:00Z", deep=())) | {"trouble"}
    described = {
        name
        for line in page.partition("| field | what |")[2].partition("\n\n")[0].splitlines()[2:]
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert described == fields
    assert [name for name in VARIABLES if f"`{name}`" not in page] == []


def test_the_examples_of_a_policy_are_policies() -> None:
    page = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    fences = FENCE.findall(page)
    whole, alone = (YAML(typ="safe").load(text) for kind, text in fences if kind == "yaml")
    assert policy.mistakes(whole["environment"]["policy"]) == []
    assert policy.mistakes(alone) == []


def test_the_example_of_the_validator_runs() -> None:
    page = (REFERENCE / "environment.md").read_text(encoding="utf-8")
    (example,) = (text for kind, text in FENCE.findall(page) if kind == "python")
    names: dict[str, object] = {}
    exec(example, names)  # noqa: S102 - our own page
    assert isinstance(names["consistent"], bool)
    assert json.dumps(names["training_env"])
