"""What changed since a version was trained, in the order in which it is likely to matter."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from seatrial.evaluation.causes import Change, causes, code_said

THEN: dict[str, Any] = {
    "training": {
        "source": {"entrypoint": "fit:make", "code": "sha256:aaaaaaaaaaaaaaaa"},
        "dataset": "flights",
        "fingerprint": "sha256:1111111111111111",
        "rows": 100,
        "hyperparameters": {"depth": 3},
        "seed": 42,
        "threads": 2,
        "code": {"revision": "a" * 40, "dirty": [], "changed": 0, "digest": None},
    },
    "environment": {
        "python_version": "3.11.7",
        "machine": "x86_64",
        "dependencies": {"numpy": "2.2.0", "pandas": "2.2.3", "zlib": "1"},
        "cpu": {"model": "Fast 3000", "flags": ["avx2", "fma"]},
        "variables": {"OMP_NUM_THREADS": "1"},
    },
}
EVERYTHING: list[tuple[tuple[str, ...], Any]] = [
    (("training", "fingerprint"), "sha256:2222222222222222"),
    (("training", "code", "revision"), "b" * 40),
    (("training", "source", "code"), "sha256:bbbbbbbbbbbbbbbb"),
    (("training", "hyperparameters", "depth"), 4),
    (("training", "seed"), 43),
    (("environment", "dependencies", "numpy"), "2.3.1"),
    (("environment", "dependencies", "pandas"), "3.0.0"),
    (("environment", "python_version"), "3.12.1"),
    (("environment", "machine"), "aarch64"),
    (("environment", "cpu", "model"), "Slow 1000"),
    (("environment", "cpu", "flags"), ["avx2", "avx512f"]),
    (("training", "threads"), 4),
    (("environment", "variables", "OMP_NUM_THREADS"), "2"),
]


def changed(*changes: tuple[tuple[str, ...], Any]) -> dict[str, Any]:
    now = copy.deepcopy(THEN)
    for path, value in changes:
        where = now
        for key in path[:-1]:
            where = where[key]
        where[path[-1]] = value
    return now


def test_nothing_changed() -> None:
    found = causes(THEN, copy.deepcopy(THEN))
    assert (found.changed, found.unknown) == ((), ())


def test_everything_changed_and_the_likeliest_comes_first() -> None:
    found = causes(THEN, changed(*EVERYTHING))
    assert found.changed == (
        Change("dataset flights", "100 rows (111111111111)", "100 rows (222222222222)"),
        Change("code", "a" * 12, "b" * 12),
        Change("code of the entry point", "aaaaaaaaaaaa", "bbbbbbbbbbbb"),
        Change("hyperparameter depth", "3", "4"),
        Change("seed", "42", "43"),
        Change("numpy", "2.2.0", "2.3.1"),
        Change("other packages", "pandas 2.2.3", "pandas 3.0.0"),
        Change("Python", "3.11.7", "3.12.1"),
        Change("processor architecture", "x86_64", "aarch64"),
        Change("processor", "Fast 3000", "Slow 1000"),
        Change("processor features", "fma", "avx512f"),
        Change("threads", "2", "4"),
        Change("variable OMP_NUM_THREADS", "1", "2"),
    )


@pytest.mark.parametrize("change", EVERYTHING, ids=lambda change: ".".join(change[0]))
def test_each_change_is_told_alone(change: tuple[tuple[str, ...], Any]) -> None:
    assert len(causes(THEN, changed(change)).changed) == 1


def test_of_a_built_in_model_the_projects_code_comes_last() -> None:
    then = {**THEN, "training": {**THEN["training"], "source": "gradient_boosted"}}
    now = {**then, "training": {**then["training"], "code": {"revision": "b" * 40, "digest": None}}}
    now["environment"] = {**THEN["environment"], "python_version": "3.12.1"}
    assert [change.what for change in causes(then, now).changed] == ["Python", "code"]


def test_the_same_commit_with_other_uncommitted_files_is_other_code() -> None:
    dirty = {"revision": "a" * 40, "dirty": ["fit.py"], "changed": 3, "digest": "sha256:abcdef0123"}
    now = changed((("training", "code"), dirty))
    assert causes(THEN, now).changed == (
        Change("code", "a" * 12, f"{'a' * 12}, fit.py and 2 more uncommitted (abcdef01)"),
    )
    same = changed((("training", "code"), dirty))
    assert causes(now, same).changed == ()


def test_packages_that_came_and_went_are_told_and_many_are_counted() -> None:
    many = {f"package-{number}": "1" for number in range(10)}
    now = changed((("environment", "dependencies"), {"numpy": "2.2.0", "zlib": "1", **many}))
    (change,) = causes(THEN, now).changed
    assert change.then.startswith("package-0 not installed, ")
    assert change.then.endswith(" and 5 more")


def test_a_default_that_was_written_out_is_told() -> None:
    now = changed((("training", "hyperparameters"), {"depth": 3, "rate": 0.1}))
    assert causes(THEN, now).changed == (Change("hyperparameter rate", "default", "0.1"),)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "the code's revision (not recorded then)"),
        ({}, "the code's revision (no git repository)"),
        ({"trouble": "git was slow"}, "the code's revision (git was slow)"),
    ],
)
def test_what_an_older_manifest_lacks_is_unknown_and_no_cause(code: object, told: str) -> None:
    training = {key: THEN["training"][key] for key in ("dataset", "fingerprint", "rows", "seed")}
    then = {"training": training if code is None else {**training, "code": code}}
    found = causes(then, THEN)
    assert found.changed == ()
    assert found.unknown == (
        told,
        "the packages (not recorded then)",
        "the processor (not recorded then)",
    )


def test_what_is_not_known_now_is_no_change() -> None:
    assert causes(THEN, {"training": {}, "environment": {}}).changed == ()


def test_a_code_that_was_never_committed_says_so() -> None:
    never = {"revision": None, "dirty": ["fit.py"], "changed": 1, "digest": "sha256:abcdef0123"}
    assert code_said(never) == "never committed, fit.py uncommitted (abcdef01)"
