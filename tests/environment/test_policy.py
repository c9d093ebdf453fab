"""What a policy may say, what is told of one that is wrong, and what it says of each form."""

from __future__ import annotations

import pytest

from seatrial.environment.difference import LEVELS
from seatrial.environment.policy import RULES, WORDS, Misstated, Policy, mistakes
from seatrial.errors import SHOWN, FileError


def test_every_rule_says_why_in_one_line() -> None:
    for rule, why in RULES.items():
        assert why, rule
        assert "\n" not in why, rule
        assert not why.endswith("."), rule


@pytest.mark.parametrize("form", ["onnx", "pickle", "any"])
@pytest.mark.parametrize("rule", RULES)
def test_proof_never_makes_a_rule_graver_and_nothing_is_proven_without_a_model(
    rule: str, form: str
) -> None:
    levels = Policy().judged(rule, form)  # type: ignore[arg-type]
    assert levels is not None
    assert LEVELS.index(levels[0]) <= LEVELS.index(levels[1])
    if form == "any":
        assert levels[0] == levels[1]


def test_every_rule_and_level_is_accepted() -> None:
    for level in WORDS:
        policy = Policy.read(dict.fromkeys(RULES, level), "policy.yaml")
        for rule in RULES:
            judged = policy.judged(rule, "onnx")
            assert judged == (None if level == "ignore" else (level, level))


def test_a_package_is_named_as_people_write_it() -> None:
    policy = Policy.read({"packages.Scikit_Learn": "warn"}, "policy.yaml")
    assert policy.judged("package.patch", "pickle", "scikit-learn") == ("warn", "warn")
    assert policy.judged("package.patch", "pickle", "numpy") == ("error", "error")


def test_all_that_is_wrong_is_told_at_once_with_the_nearest_word_and_the_place() -> None:
    told = {"kernal": "warn", "libc": "warning", "machine": "error", "packages.": "info"}
    with pytest.raises(FileError) as caught:
        Policy.read(told, lambda key: f"policy.yaml:{[*told].index(key) + 1}:1")
    first, second, third = caught.value.mistakes
    assert (first.nearest, first.where) == ("kernel", "policy.yaml:1:1")
    assert "'kernal'" in first.what
    assert (second.nearest, second.where) == ("warn", "policy.yaml:2:1")
    assert "the level of libc is 'warning'" in second.what
    assert "error, warn, info, ignore" in second.fix
    assert third.where == "policy.yaml:4:1"
    assert all(len(str(each).splitlines()) <= 6 for each in caught.value.mistakes)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (None, ""),
        ([], ""),
        ("kernel: warn", ""),
        ({3: "warn"}, "3"),
        ({True: "warn"}, "True"),
        ({"kernel": None}, "kernel"),
        ({"kernel": True}, "kernel"),
        ({"kernel": ["warn"]}, "kernel"),
        ({"kernel": {"level": "warn"}}, "kernel"),
        ({"Kernel": "warn"}, "Kernel"),
        ({"kernel": "Warn"}, "kernel"),
    ],
)
def test_what_is_no_policy_is_said(told: object, key: str) -> None:
    [wrong] = mistakes(told)
    assert isinstance(wrong, Misstated)
    assert wrong.key == key
    assert wrong.fix
    with pytest.raises(FileError):
        Policy.read(told, "policy.yaml")


def test_a_rule_and_its_level_can_both_be_wrong() -> None:
    assert [wrong.nearest for wrong in mistakes({"libraris": "errror"})] == ["libraries", "error"]


def test_hundreds_of_mistakes_stay_readable() -> None:
    with pytest.raises(FileError) as caught:
        Policy.read({f"rule{n}": "x" * 500 for n in range(200)}, "policy.yaml")
    assert len(str(caught.value).splitlines()) <= 6 * SHOWN + 1
    assert max(map(len, str(caught.value).splitlines())) < 200


def test_a_manifest_of_before_has_no_policy() -> None:
    assert Policy.of_manifest({}) == Policy()
    assert Policy.of_manifest({"environment_policy": {"os": "error"}}).levels == {"os": "error"}
    with pytest.raises(FileError):
        Policy.of_manifest({"environment_policy": {"os": "grave"}})
