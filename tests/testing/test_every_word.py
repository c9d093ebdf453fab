"""Every word that is installed keeps the promises of its kind, and has a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from seatrial import extend, testing
from seatrial.plan import task_class

if TYPE_CHECKING:
    from seatrial.notify import Channel

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

# Uses that are right in the suite's project; a word that is not here gets made-up parameters.
USES: dict[str, dict[str, object]] = {
    "check_distribution": {"dataset": "sample", "reference": "baseline.json"},
    "check_environment": {"policy": {"timezone": "ignore"}},
    "check_schema": {
        "dataset": "sample",
        "columns": {"size": {"type": "number", "min": 0}},
        "rows": {"min": 1},
    },
    "integration_tests": {"performance_threshold": 0.8, "compared_to": "production_model"},
    "model_tests": {"invariant_to": ["colour"], "increasing_in": ["size"]},
    "performance_tests": {"performance_threshold": 0.8, "slices": ["colour"]},
    "promote": {},
    "register": {"artifact": "v{version}"},
    "rollback_plan": {"auto_rollback_threshold": "degradation > 0.05"},
    "shadow_tests": {"traffic_percentage": 5, "duration_hours": 48},
    "train": {"model_type": "gradient_boosted", "data": "sample"},
    "unit_tests": {"performance_threshold": 0.8},
}

# Uses that are right and lead nowhere.
CHANNELS: dict[str, dict[str, object]] = {
    "apprise": {"url_env": "OPS_CHAT"},
    "smtp": {"host": "127.0.0.1", "from": "a@b", "to": ["c@d"], "user": "u", "password_env": "P"},
    "webhook": {"url_env": "OPS_URL", "secret_env": "OPS_SECRET", "on": ["rolled_back"]},
}


@pytest.mark.parametrize("word", extend.names("tasks"))
def test_task(word: str) -> None:
    testing.check_task(word)
    if word in USES:
        testing.check_task(word, USES[word])


@pytest.mark.parametrize("word", extend.names("models"))
def test_model(word: str) -> None:
    testing.check_model(word)


@pytest.mark.parametrize("word", extend.names("metrics"))
def test_metric(word: str) -> None:
    testing.check_metric(word)


# apprise imports what newer versions of Python do without
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("word", extend.names("notify"))
def test_notifier(word: str) -> None:
    testing.check_notifier(word)
    if word in CHANNELS:
        testing.check_notifier(word, CHANNELS[word])


@pytest.mark.parametrize("word", extend.names("engines"))
def test_engine(word: str) -> None:
    testing.check_engine(word)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (kind, word)
        for kind in ("tasks", "models", "metrics", "notify")
        for word in extend.names(kind)
    ],
)
def test_every_word_has_a_page_or_a_heading(kind: str, word: str) -> None:
    heading = re.compile(rf"^#+ `?{word}`?\s*$", re.MULTILINE)
    assert (REFERENCE / f"{word}.md").is_file() or any(
        heading.search(page.read_text(encoding="utf-8")) for page in REFERENCE.glob("*.md")
    ), f"{word} ({kind}) needs docs/reference/{word}.md, or a heading in a page there"


def test_every_parameter_of_a_task_is_on_its_page() -> None:
    missing = [
        f"{word}.{field}"
        for word in extend.names("tasks")
        for field in task_class(word).__struct_encode_fields__
        if f"`{field}`" not in (REFERENCE / f"{word}.md").read_text(encoding="utf-8")
        and f"{field}:" not in (REFERENCE / f"{word}.md").read_text(encoding="utf-8")
    ]
    assert not missing


def test_every_parameter_of_a_channel_is_on_its_page() -> None:
    missing = [
        f"{word}.{field}"
        for word in extend.names("notify")
        for field in cast("type[Channel]", extend.load("notify", word)).__struct_encode_fields__
        if f"`{field}`" not in (REFERENCE / f"{word}.md").read_text(encoding="utf-8")
    ]
    assert not missing
