"""The pages say what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from ruamel.yaml import YAML

from seatrial import extend
from seatrial.notify import check
from seatrial.notify.outbox import KINDS
from seatrial.pipeline.read import read

if TYPE_CHECKING:
    from .conftest import Office, Receiver

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _fenced(name: str, language: str) -> list[str]:
    return [text for found, text in FENCE.findall(_page(name)) if found == language]


def _reads_without_mistakes(notify: object) -> None:
    head = "name: demo\nstages: [{name: first, tasks: [promote]}]\n"
    pipeline = read(f"{head}notify: {json.dumps(notify)}\n", "p.yaml")
    assert not [*pipeline.mistakes, *check(pipeline)]


@pytest.mark.parametrize("word", extend.names("notify"))
def test_a_channels_page_has_its_parameters_and_an_example_that_is_right(word: str) -> None:
    kind: Any = extend.load("notify", word)
    described = ROW.findall(_page(f"reference/{word}.md"))
    fields = {field.encode_name for field in msgspec.structs.fields(kind)}
    assert fields <= set(described)
    (example,) = _fenced(f"reference/{word}.md", "yaml")
    _reads_without_mistakes({"channels": YAML(typ="safe").load(example)})


@pytest.mark.parametrize("page", ["reference/notify.md", "guides/notify.md"])
def test_the_examples_are_right(page: str) -> None:
    (example,) = _fenced(page, "yaml")
    _reads_without_mistakes(YAML(typ="safe").load(example)["notify"])


def test_every_kind_is_on_the_page_with_its_meaning() -> None:
    page = _page("reference/notify.md")
    assert all(f"| `{kind}` | {meaning} |" in page for kind, meaning in KINDS.items())


def test_what_is_sent_has_the_attributes_of_the_example(office: Office, hook: Receiver) -> None:
    office.post()
    office.bring(office.courier(), office.webhook(hook.url))
    (example,) = map(json.loads, _fenced("reference/notify.md", "json"))
    (event,) = hook.events()
    assert list(event) == list(example)
    assert set(example["data"]) <= set(event["data"])
    assert len(event["id"]) == len(example["id"])
    assert len(event["data"]["ledger_head"]) == len(example["data"]["ledger_head"])
