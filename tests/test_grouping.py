"""Tests of one group run in one process, so that what they start is there once."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("grouping")
def test_groups_are_heeded(request: pytest.FixtureRequest) -> None:
    """A pytest that pytest-xdist does not know yet drops them without a word."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("nothing to share: one process, or no `--dist loadgroup`")
    assert request.node.nodeid.endswith("@grouping")
