"""Where a text may go on in the next line: all of it is still there, and nothing else."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from markupsafe import escape

from seatrial.report.html.filters import breaking

PIECES = st.sampled_from(
    ["2026-11-26 16:32", "2026-11-26 16:32:45", "a_name/of.many_parts", "<i>", "&", '"', ",", " "]
)


@example(["2026-11-26 16:32:45", ",", " ", "2026-11-26 16:32", "a_name/of.many_parts"])
@given(st.lists(PIECES))
def test_only_places_to_break_and_times_are_added(pieces: list[str]) -> None:
    text = "".join(pieces)
    written = str(breaking(text))
    assert re.sub("<wbr>|<time>|</time>", "", written) == str(escape(text))
    assert set(re.findall(r"<[^>]*>", written)) <= {"<wbr>", "<time>", "</time>"}
    assert all("<" not in time for time in re.findall("<time>(.*?)</time>", written))
