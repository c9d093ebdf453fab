"""The style: what is written can be read, light and dark, and nothing is loaded for it."""

from __future__ import annotations

import re

import pytest

from seatrial.report.charts.matrix import SHADES
from seatrial.report.html import environment, style

COLOUR = re.compile(r"--([\w-]+): (#\w+)")
TEXT, GRAPHIC = 4.5, 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11: the least contrast of texts, and of what else must be seen."""


def colours(dark: bool) -> dict[str, str]:  # noqa: FBT001
    of_light, _, rest = style().partition("@media screen and (prefers-color-scheme: dark)")
    of_dark = rest.partition("*, ::before")[0]
    found = dict(COLOUR.findall(of_light))
    assert found.keys() == dict(COLOUR.findall(of_dark)).keys()
    found |= dict(COLOUR.findall(of_dark)) if dark else {}
    same = {"s0": "accent", "s5": "muted", "wait": "accent", "skip": "muted"}
    return {**found, **{name: found[other] for name, other in same.items()}}


def light(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([light(one), light(other)])
    return (high + 0.05) / (low + 0.05)


def mixed(over: str, under: str, share: float) -> str:
    def parts(colour: str) -> list[int]:
        digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
        return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]

    pairs = zip(parts(over), parts(under), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(dark: bool) -> None:  # noqa: FBT001
    of = colours(dark)
    grounds = ["bg", "surface"]
    tones = ["pass", "fail", "inconclusive", "wait", "skip"]
    texts = [(text, ground) for text in ["text", "muted", "accent", *tones] for ground in grounds]
    texts += [(tone, f"{tone}-bg") for tone in tones]
    texts += [(text, f"{tone}-bg") for text in ("text", "muted") for tone in tones]
    texts += [("bg", "accent"), ("accent", "wait-bg")]
    low = {pair: round(contrast(of[pair[0]], of[pair[1]]), 2) for pair in texts}
    assert {pair: ratio for pair, ratio in low.items() if ratio < TEXT} == {}
    graphics = [(name, ground) for name in [f"s{i}" for i in range(6)] for ground in grounds]
    graphics += [("edge", ground) for ground in grounds]
    seen = {pair: round(contrast(of[pair[0]], of[pair[1]]), 2) for pair in graphics}
    assert {pair: ratio for pair, ratio in seen.items() if ratio < GRAPHIC} == {}


@pytest.mark.parametrize("dark", [False, True])
def test_the_counts_of_a_confusion_can_be_read_on_the_darkest_cell(dark: bool) -> None:  # noqa: FBT001
    of = colours(dark)
    darkest = max(map(float, SHADES))
    for cell in ("accent", "s1"):
        assert contrast(of["text"], mixed(of[cell], of["bg"], darkest)) >= TEXT


def test_nothing_is_loaded_and_nothing_ends_the_element() -> None:
    assert not re.search(r"url\(|@import|</|@font-face", style())


def test_no_colour_needs_a_browser_of_this_year() -> None:
    assert not re.search(r"light-dark|color-mix|oklch", style())


def test_it_is_small() -> None:
    assert len(style().encode()) < 12_000


def test_what_a_print_or_a_person_asks_for_is_heeded() -> None:
    for asked in ("@media print", "@media screen and (prefers-color", "color-scheme: light dark"):
        assert asked in style()
    assert "/*" not in style()


def test_every_class_of_the_macros_has_a_rule() -> None:
    source = environment().loader.get_source(environment(), "parts.html")[0]  # type: ignore[union-attr]
    named = {
        word
        for value in re.findall(r'class="([^"]*)"', source)
        for word in re.sub(r"{[{%].*?[%}]}", " ", value).split()
    }
    assert {word for word in named if not re.search(rf"\.{word}\b", style())} == set()
