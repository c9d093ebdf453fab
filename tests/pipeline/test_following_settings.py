"""What `watch:`, `review:` and `notify:` may say, and how a mistake in them is told."""

from __future__ import annotations

import jsonschema
import pytest
import yaml

from seatrial.pipeline import ChannelEntry, Notify, Review, Watch
from seatrial.pipeline.read import read
from seatrial.pipeline.schema import document

HEAD = "name: demo\nstages: [{name: first, tasks: [promote]}]\n"
BAD = {
    "leakage, a list": ("leakage: [rows]\n", "3:1", "must be a mapping", ""),
    "leakage, unknown": ("leakage:\n  row: fail\n", "4:3", "unknown key 'row'", "rows"),
    "leakage, rows": ("leakage: {rows: ignore}\n", "3:11", "cannot be 'ignore'", ""),
    "leakage, time": ("leakage: {time: ignored}\n", "3:11", "cannot be 'ignored'", "ignore"),
    "leakage, uses": ("leakage: {uses: 0}\n", "3:11", "whole number above 0", ""),
    "environment, a list": ("environment: [libc]\n", "3:1", "must be a mapping", ""),
    "environment, unknown": ("environment:\n  polcy: {}\n", "4:3", "key 'polcy'", "policy"),
    "policy, a word": ("environment: {policy: strict}\n", "3:15", "must be a mapping", ""),
    "policy, level": ("environment: {policy: {libc: warning}}\n", "3:24", "'warning'", "warn"),
    "policy, number": ("environment: {policy: {libc: 5}}\n", "3:24", "cannot be 5", ""),
    "policy, nothing": ("environment: {policy: {libc: }}\n", "3:24", "cannot be nothing", "ignore"),
    "watch, a list": ("watch: [a]\n", "3:1", "must be a mapping", ""),
    "watch, unknown": ("watch:\n  hour: 5\n", "4:3", "unknown key 'hour'", "hours"),
    "watch, nothing": ("watch:\n  hours:\n", "4:3", "above 0, not nothing", ""),
    "watch, centuries": ("watch: {hours: 1e9}\n", "3:9", "at most 100000", ""),
    "watch, rule": ("watch: {rule: ballanced}\n", "3:9", "cannot be 'ballanced'", "balanced"),
    "watch, labels": ("watch: {min_labels: 1.5}\n", "3:9", "whole number above 0", ""),
    "watch, percent": ("watch: {errors_percent: 101}\n", "3:9", "from 0 to 100", ""),
    "watch, metric": ("watch: {metric: 5}\n", "3:9", "must be a text", ""),
    "watch, too short": ("watch: {max_hours: 2}\n", "3:9", "less than 'hours'", ""),
    "review, eyes": ("review: {four_eyes: 4}\n", "3:10", "true or false, not the number 4", ""),
    "review, unknown": ("review: {hour: 5}\n", "3:10", "unknown key 'hour'", "hours"),
    "notify, a list": ("notify: [webhook]\n", "3:1", "must be a mapping", ""),
    "channels": ("notify: {channels: webhook}\n", "3:10", "must be a list", ""),
    "channel": ("notify:\n  channels:\n  - webhook\n", "5:5", "must be a word with its", ""),
    "word": ("notify:\n  channels:\n  - webhok: {}\n", "5:5", "channel 'webhok'", "webhook"),
    "parameters": ("notify:\n  channels:\n  - webhook: x\n", "5:5", "must be a mapping", ""),
}
SAID_BY_THE_READER_ONLY = {"watch, too short"}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_says_what_where_and_the_nearest_word(case: str) -> None:
    text, place, what, near = BAD[case]
    (mistake,) = read(HEAD + text, "p.yaml").mistakes
    assert mistake.where == f"p.yaml:{place}"
    assert what in mistake.what
    assert mistake.nearest == near
    assert mistake.fix
    if case not in SAID_BY_THE_READER_ONLY:
        assert _refused_by_schema(HEAD + text)


def test_all_of_it_is_read() -> None:
    text = """\
watch: {hours: 24, max_hours: 72, rule: strict, metric: neg_brier_score, margin: 0.01,
  min_labels: 50, min_coverage_percent: 10, errors_percent: 2, cool_down_hours: 6}
review: {hours: 8, four_eyes: true}
notify:
  allow_private: true
  channels:
    - webhook: {url: "https://ops.example/hook"}
"""
    pipeline = read(HEAD + text, "p.yaml")
    assert pipeline.mistakes == ()
    assert pipeline.watch == Watch(
        hours=24,
        max_hours=72,
        rule="strict",
        metric="neg_brier_score",
        margin=0.01,
        min_labels=50,
        min_coverage_percent=10,
        errors_percent=2,
        cool_down_hours=6,
    )
    assert pipeline.review == Review(hours=8, four_eyes=True)
    entry = ChannelEntry("webhook", 0, {"url": "https://ops.example/hook"})
    assert pipeline.notify == Notify(allow_private=True, channels=(entry,))
    assert not _refused_by_schema(HEAD + text)


def test_what_is_not_said_has_safe_defaults() -> None:
    pipeline = read(HEAD, "p.yaml")
    assert pipeline.watch.longest_hours == 168
    assert (pipeline.review.hours, pipeline.notify.channels) == (24, ())


def _refused_by_schema(text: str) -> bool:
    validator = jsonschema.Draft202012Validator(document({"promote": {"type": "object"}}))
    return any(validator.iter_errors(yaml.safe_load(text)))
