"""What might be demanded of a dataset that looks like this one? A draft for a person to read."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.data.column import Column
from seatrial.data.schema.column_types import is_of
from seatrial.data.schema.demands import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data.profiles.profile import Profile
    from seatrial.data.schema.demands import Type
    from seatrial.data.shape import ColumnProfile

LISTED = 20
"""Texts of no more values than this are drafted as a list of what is allowed."""

WIDE = 2_000
"""Of more columns than this no values are listed: nobody would read them."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
"""What means something else to one reader of YAML or another."""

_TYPES: tuple[Type, ...] = ("integer", "number", "boolean", "string", "date", "timestamp", "time")


def draft(profile: Profile) -> str:
    """The YAML text of a schema file; the dataset of the profile meets what it demands.

    Bounds of numbers are wider than what was seen by a tenth of the spread, and rounded outwards;
    zero is not crossed. Twice as many values may be missing as were. Times get no bounds, since
    newer data are later. At least half as many rows are demanded.
    """
    name = _one_line(profile.dataset)
    lines = [
        f"# Drafted from a profile of {name} ({profile.rows} rows): what was seen there, made a",
        "# little wider. It is not what must be: only you know that. Read every line, and take out",
        "# what need not hold. Then say in the pipeline file:",
        f"#   - check_schema: {{dataset: {name}, schema: NAME OF THIS FILE}}",
        "# To consider as well: keys: [[column, column]] that no two rows may share,",
        "# freshness: {column: …, max_age: 2d}, and strict: true, which refuses other columns.",
        "rows:",
        f"  min: {(profile.rows + 1) // 2}  # {profile.rows} were seen",
        "columns:",
    ]
    listing = len(profile.columns) <= WIDE
    for column in profile.columns:
        lines += _column(column, profile.rows, listing=listing)
    return "\n".join([*lines, ""])


def _column(column: ColumnProfile, rows: int, *, listing: bool) -> Iterator[str]:
    key = f"  {_text(column.name)}:"
    if column.missing == rows:
        yield f"{key} {{}}  # no value was seen, so nothing is known but its name"
        return
    kind = next((kind for kind in _TYPES if is_of(_typed(column), kind)), None)
    if kind is None:
        yield f"{key}  # {_one_line(column.type)}: what such values hold cannot be checked"
    else:
        yield f"{key}"
        yield f"    type: {kind}"
    yield from _missing(column, rows)
    if column.kind == "number":
        yield from _bounds(column, whole=kind == "integer")
    elif kind in TIMES:
        yield "    # min and max are left to you: newer data are later"
    elif kind == "string" and listing and len(column.values) <= LISTED and not column.other:
        yield f"    allowed: [{', '.join(map(_text, column.values))}]"


def _typed(column: ColumnProfile) -> Column:
    return Column(column.name, column.kind, column.type)


def _missing(column: ColumnProfile, rows: int) -> Iterator[str]:
    if not column.missing:
        yield "    nullable: false"
        return
    share = 100 * column.missing / rows
    twice = _outwards(2 * share, 2 * share / 10, up=True)
    if float(twice) < 100:  # noqa: PLR2004 - per hundred
        yield f"    max_null_percent: {twice}  # {share:.3g} were missing"
    else:
        yield f"    # {share:.3g} % were missing"


def _bounds(column: ColumnProfile, *, whole: bool) -> Iterator[str]:
    low, high = column.minimum, column.maximum
    if low is None or high is None or column.infinities:
        yield f"    # {column.infinities} infinite values: a min or max would refuse them"
        return
    margin = (high - low) / 10
    if (low, high) == (0, 1) and whole:
        margin = 0.0
    wide_low, wide_high = low - margin, high + margin
    if low >= 0 > wide_low:
        wide_low = 0.0
    if high <= 0 < wide_high:
        wide_high = 0.0
    unit = max(margin, 1.0) if whole else margin
    seen = f"{low:.15g} to {high:.15g} were seen"
    yield f"    min: {_bound(low, wide_low, unit, up=False)}  # {seen}"
    yield f"    max: {_bound(high, wide_high, unit, up=True)}"


def _bound(seen: float, wide: float, unit: float, *, up: bool) -> str:
    """A short number beyond ``wide``; what was seen, in full, where rounding would lose it."""
    text = _outwards(wide, unit, up=up)
    held = float(text) >= seen if up else float(text) <= seen
    return text if held and math.isfinite(float(text)) else repr(seen)


def _outwards(value: float, unit: float, *, up: bool) -> str:
    """A number rounded away, to the decimal place of ``unit``.

    >>> _outwards(1434.7, 134.4, up=True), _outwards(-0.0123, 0.004, up=False)
    ('1500', '-0.013')
    """
    if not unit:
        return repr(value)
    exponent = Decimal(10) ** (Decimal(unit).adjusted())
    steps = Decimal(value) / exponent
    rounded = (math.ceil(steps) if up else math.floor(steps)) * exponent
    if abs(exponent.adjusted()) >= 15:  # noqa: PLR2004 - longer ones are read wrongly
        return f"{rounded:.17e}"
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(text: str) -> str:
    r"""A text as YAML: plain where that is one, else in quotes.

    >>> print(_text("carrier"), _text("no"), _text('a "b"'), _text("a\x85"))
    carrier "no" "a \"b\"" "a\u0085"
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return f'"{"".join(map(_letter, text))}"'


def _letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"  # noqa: PLR2004


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
