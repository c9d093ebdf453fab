"""What was probably meant by texts in a column that should hold something else?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seatrial.data.column import Kind

_NUMBER = re.compile(
    r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(nan|inf\w*)\s*", re.IGNORECASE
)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?")

_NUMBERS: Sequence[tuple[re.Pattern[str], str]] = (
    (
        re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"),
        "numbers with thousands separators, such as {0!r}: write them without",
    ),
    (
        re.compile(r"[+-]?(\d{1,3}([.' \u00a0\u202f]\d{3})+|\d+),\d+"),
        "numbers with a decimal comma, such as {0!r}: write a point, and no thousands separators",
    ),
    (
        re.compile(r"[+-]?\d{1,3}([' \u00a0\u202f]\d{3})+(\.\d+)?"),
        "numbers with thousands separators, such as {0!r}: write them without",
    ),
    (
        re.compile(r"[$€£¥]\s?[+-]?\d[\d.,]*|[+-]?\d[\d.,]*\s?[A-Za-z%$€£¥°µ][^\d]{0,8}"),
        "numbers with a unit, such as {0!r}: write the number alone",
    ),
)
_TIMES: Sequence[tuple[re.Pattern[str], str]] = (
    (
        re.compile(
            r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d\d)(\D.*)?|\d{4}[/.]\d{1,2}[/.]\d{1,2}(\D.*)?"
        ),
        "dates as text, such as {0!r}: write them as 2024-12-31",
    ),
)
_NOTHING = re.compile(r"[-.?_\s]*|n/?a|#n/a|null|none|nil|unknown|missing|tbd", re.IGNORECASE)


def meant(values: Iterable[str], kind: Kind) -> str:
    """How to put right texts of a column whose values should be of ``kind``; empty if unknown.

    >>> meant(["12", "1,204"], "number")
    "numbers with thousands separators, such as '1,204': write them without"
    >>> meant(["31/12/2024"], "time")
    "dates as text, such as '31/12/2024': write them as 2024-12-31"
    >>> meant(["12", "n/a"], "number")
    "'n/a' stands for a missing value: leave it empty"
    >>> meant(["2024-12-31", "2025-01-01"], "time")
    "times kept as text, such as '2024-12-31': store them as times"
    """
    right = {"number": _NUMBER, "time": _ISO}.get(kind)
    if right is None:
        return ""
    given = [*values]
    odd = [value for value in given if not right.fullmatch(value)]
    nothing = next((value for value in odd if _NOTHING.fullmatch(value)), None)
    if nothing is not None:
        return f"{nothing!r} stands for a missing value: leave it empty"
    for pattern, sentence in _NUMBERS if kind == "number" else _TIMES:
        example = next((value for value in odd if pattern.fullmatch(value.strip())), None)
        if example is not None:
            return sentence.format(example)
    if odd:
        return f"{odd[0][:40]!r} is no {kind}"
    if given:
        return f"{kind}s kept as text, such as {given[0][:40]!r}: store them as {kind}s"
    return ""
