"""Versions against the `packaging` library, and the steps between them on a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import InvalidVersion
from packaging.version import Version as Peer

from seatrial.environment.versions import STEPS, changed, read

numbers = st.integers(0, 30)
part = st.sampled_from(["", ".", "-", "_"])


def _maybe(words: list[str]) -> st.SearchStrategy[str]:
    own = st.builds(
        lambda before, word, between, number: f"{before}{word}{between}{number}",
        part, st.sampled_from(words), part, st.sampled_from(["", "0", "1", "12"]),
    )  # fmt: skip
    return st.just("") | own


versions = st.builds(
    lambda v, epoch, release, pre, post, dev, local: f"{v}{epoch}{release}{pre}{post}{dev}{local}",
    st.sampled_from(["", "v"]),
    st.sampled_from(["", "", "0!", "1!"]),
    st.lists(numbers, min_size=1, max_size=5).map(lambda each: ".".join(map(str, each))),
    _maybe(["a", "b", "c", "rc", "alpha", "BETA", "pre", "preview"]),
    _maybe(["post", "rev", "r"]) | st.sampled_from(["-1", "-23"]),
    _maybe(["dev"]),
    st.sampled_from(["", "", "+cpu", "+cu121", "+1.2", "+1.a", "+A_3", "+2"]),
)


@given(versions, versions)
def test_they_are_ordered_as_packaging_does(first: str, second: str) -> None:
    one, other = read(first), read(second)
    assert one is not None
    assert other is not None
    assert (one.order() < other.order()) == (Peer(first) < Peer(second))
    assert (one.order() == other.order()) == (Peer(first) == Peer(second))
    assert (one == other) == (Peer(first) == Peer(second))


@given(st.text("0123456789.!+-_abcdevrstpo v", max_size=16) | versions)
def test_what_is_a_version_is_one_to_packaging_too(text: str) -> None:
    try:
        peer = Peer(text)
    except InvalidVersion:
        assert read(text) is None
    else:
        found = read(text)
        assert found is not None
        assert (found.unfinished, found.epoch, found.post, found.dev) == (
            peer.is_prerelease, peer.epoch, peer.post, peer.dev,
        )  # fmt: skip


@given(versions, versions)
def test_a_step_is_the_same_both_ways_and_none_between_equals(first: str, second: str) -> None:
    assert changed(first, second) == changed(second, first)
    assert (changed(first, second) == "same") == (Peer(first) == Peer(second))
    assert changed(first, first) == "same"


@given(versions, versions)
def test_an_unfinished_version_is_never_a_smaller_step(first: str, second: str) -> None:
    step = changed(first, second)
    if step != "same" and (Peer(first).is_prerelease or Peer(second).is_prerelease):
        assert STEPS.index(step) >= STEPS.index("minor")


@pytest.mark.parametrize(
    ("first", "second", "step"),
    [
        ("1.0", "1.0.0", "same"),
        ("v1.0", "1", "same"),
        ("1.0RC1", "1.0.c1", "same"),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.2.3.4", "patch"),
        ("1.2.3", "1.2.3.post1", "patch"),
        ("2.4.1+cpu", "2.4.1+cu121", "patch"),
        ("1.2", "1.3", "minor"),
        ("1.2", "2.0", "major"),
        ("1.2", "1!1.2", "major"),
        ("0.12", "0.13", "major"),
        ("0.12.1", "0.12.2", "patch"),
        ("0.9", "1.0", "major"),
        ("0.0.1", "0.0.2", "patch"),
        ("1.2.3rc1", "1.2.3", "minor"),
        ("1.2.3rc1", "1.2.3rc2", "minor"),
        ("1.2.3.dev7", "1.2.4", "minor"),
        ("1.2rc1", "1.3", "major"),
        ("1.2rc1", "2.0", "major"),
        ("2026.7.1", "2026.7.22", "patch"),
        ("2026.7.1", "2026.8.1", "minor"),
        ("2025.12", "2026.1", "major"),
        ("latest", "latest", "same"),
        ("latest", "1.0", "unknown"),
        ("1.0", "", "unknown"),
        ("1.0", "1.0-final", "unknown"),
        ("1" * 5000, "2" * 5000, "unknown"),
    ],
)
def test_the_steps(first: str, second: str, step: str) -> None:
    assert changed(first, second) == step
