"""What must hold for any two captures, whatever they say."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.compare import compare
from seatrial.environment.difference import LEVELS
from seatrial.environment.needs import Needs
from seatrial.environment.policy import RULES, Policy
from seatrial.environment.table import table

words = st.sampled_from(["a", "b", "numpy", "onnxruntime"])
versions = st.sampled_from(["1.0", "1.0.1", "1.1", "2.0", "0.1", "2.0rc1", "latest", "1.0+cpu"])
flags = st.lists(
    st.sampled_from(["avx2", "fma", "avx512f", "avx512_vnni", "asimd", "asimddp"]), unique=True
)
libraries = st.lists(
    st.fixed_dictionaries(
        {"api": st.sampled_from(["openblas", "mkl", "openmp"])},
        optional={"architecture": words, "threads": st.integers(1, 4), "version": versions},
    ),
    max_size=3,
)


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


captures: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "python_version": some("3.11.7", "3.11.8", "3.12.0", "4.0"),
        "implementation": some("CPython", "PyPy"),
        "os": some("Linux", "Darwin"),
        "libc": some("glibc 2.36", "glibc 2.41", "musl 1.2", ""),
        "machine": some("x86_64", "AMD64", "aarch64", "arm64"),
        "cpu": st.fixed_dictionaries({"model": words, "flags": flags, "cores": some(None, 2, 4)}),
        "dependencies": st.dictionaries(words, versions),
        "records": st.dictionaries(words, some("sha256:1", "sha256:2")),
        "editable": st.lists(words, unique=True),
        "hidden": st.dictionaries(words, st.lists(versions, min_size=1, max_size=2)),
        "altered": st.dictionaries(words, st.just(["x.py"])),
        "verified": st.lists(words, unique=True),
        "libraries": st.none() | libraries,
        "onnxruntime": st.none()
        | st.fixed_dictionaries(
            {"version": versions, "build": words, "providers": st.lists(words, unique=True)}
        ),
        "cuda": st.none()
        | st.fixed_dictionaries({"available": st.booleans(), "version": versions, "driver": words}),
        "variables": st.dictionaries(some("TZ", "LANG", "OMP_NUM_THREADS"), words),
        "locale": words,
        "timezone": words,
        "image": st.none() | words,
    },
)
needs = st.builds(
    Needs,
    form=some("onnx", "pickle", "any"),
    packages=st.lists(words, unique=True).map(tuple),
    providers=st.lists(words, unique=True).map(tuple),
    saturates=st.booleans(),
)
policies = st.dictionaries(
    some(*RULES, "packages.a", "packages.numpy"), some("error", "warn", "info", "ignore")
).map(Policy)


@given(captures, needs, policies)
def test_a_machine_differs_from_itself_in_nothing_but_what_the_model_misses(
    one: dict[str, Any], model: Needs, policy: Policy
) -> None:
    for each in compare(one, one, model, policy):
        assert "not installed" in each.got or "not available" in each.got


@given(captures, captures, needs, policies)
def test_a_proof_never_makes_it_graver(
    one: dict[str, Any], other: dict[str, Any], model: Needs, policy: Policy
) -> None:
    for each in compare(one, other, model, policy):
        assert LEVELS.index(each.level) <= LEVELS.index(each.proven)
        if model.form == "any":
            assert each.level == each.proven


@given(captures, captures, needs, policies)
def test_a_finding_says_something_on_one_line_and_each_field_once(
    one: dict[str, Any], other: dict[str, Any], model: Needs, policy: Policy
) -> None:
    found = compare(one, other, model, policy)
    for each in found:
        assert each.expected
        assert each.got
        assert each.why
        assert "\n" not in str(each)
    places = [each.field for each in found]
    assert len(places) == len(set(places))


@given(captures, captures, needs, policies)
def test_the_same_two_differ_in_the_same_way_and_in_the_same_fields_the_other_way_round(
    one: dict[str, Any], other: dict[str, Any], model: Needs, policy: Policy
) -> None:
    found = compare(one, other, model, policy)
    assert found == compare(one, other, model, policy)
    levels = [LEVELS.index(each.level) for each in found]
    assert levels == sorted(levels)
    simple = {"python_version", "machine", "libc", "locale", "timezone", "implementation"}
    back = compare(other, one, model, policy)
    assert {each.field for each in found} & simple == {each.field for each in back} & simple


@given(captures, captures, needs)
def test_all_rules_ignored_leave_nothing(
    one: dict[str, Any], other: dict[str, Any], model: Needs
) -> None:
    assert compare(one, other, model, Policy(dict.fromkeys(RULES, "ignore"))) == ()


@given(st.lists(captures, min_size=1, max_size=4), needs, policies)
def test_the_table_of_any_machines_agrees_with_comparing_each(
    several: list[dict[str, Any]], model: Needs, policy: Policy
) -> None:
    found = table({f"m{n}": each for n, each in enumerate(several)}, model, policy)
    for number, each in enumerate(several):
        told = {
            difference.field: difference.level
            for difference in compare(several[0], each, model, policy, together=False)
            if difference.field != "unknown"
        }
        rows = {row.field: row for row in found.rows}
        for field, level in told.items():
            assert rows[field].differs[number]
            assert LEVELS.index(rows[field].level) <= LEVELS.index(level)
    assert all(len(row.values) == len(row.differs) == len(several) for row in found.rows)
    assert all(any(row.differs) for row in found.rows)
