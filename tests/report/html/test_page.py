"""A page in one file: whole, closed to everything, and nothing that others wrote is obeyed."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from seatrial.report.charts.histogram import histogram
from seatrial.report.html import environment
from seatrial.report.html.page import page
from seatrial.report.section import (
    Badge,
    Code,
    Facts,
    Folded,
    Link,
    Note,
    Section,
    Stage,
    Stages,
    Step,
    Table,
)

HOSTILE = '<script>alert(1)</script>" onload="x" \'&\x00\u202e'
VOID = {"meta", "link", "br", "wbr", "input", "img", "hr"}


class Read(HTMLParser):
    """The elements of a page; one that is not closed in its place is a mistake."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def everything(said: str) -> str:
    table = Table(
        heads=(said, "n"),
        rows=((said, "1"), (Badge(said), Code(said)), (Link(said, said), Link(said, "/" + said))),
        numbers=frozenset({1}),
        caption=said,
        left_out=3,
    )
    step = Step(name=said, badge=Badge(said), said=said, to=said, current=True)
    parts = (
        table,
        Facts(((said, said), (said, Code(said)))),
        Note(said),
        Note(said, gone=True),
        Folded(said, (table, histogram(said, [said, said], [1, 2], [2, 1]))),
        histogram(said, [said], [1], [1]),
        Stages((Stage(said, Badge("pass"), (step,)),)),
    )
    sections = [
        Section(anchor=anchor, title=said, parts=parts, badge=Badge("fail"))
        for anchor in ("one", "two")
    ]
    return page(
        title=said, badge=Badge(said), lead=[said], parts=parts, sections=sections, foot=said
    )


def test_nothing_that_others_wrote_becomes_markup() -> None:
    html = everything(HOSTILE)
    read = Read(html)
    assert not read.all("script")
    assert not [a for _, attributes in read.found for a in attributes if a.startswith("on")]
    assert not [attributes for _, attributes in read.found if "style" in attributes]
    assert "\x00" not in html
    assert "\u202e" not in html


def test_the_same_elements_whatever_others_wrote() -> None:
    tame, wild = (Read(everything(said)) for said in ("tame", HOSTILE))
    elements = ([tag for tag, _ in page.found if tag not in {"a", "wbr"}] for page in (tame, wild))
    assert next(elements) == next(elements)


def test_the_policy_allows_the_style_of_the_page_and_nothing_else() -> None:
    html = page(title="x", sections=[])
    sheet = re.search("<style>(.*?)</style>", html, re.DOTALL)
    assert sheet is not None
    digest = base64.b64encode(hashlib.sha256(sheet[1].encode()).digest()).decode()
    policy = Read(html).all("meta")[1]["content"]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_a_page_can_be_read_by_ear_and_by_keyboard() -> None:
    read = Read(everything("tame"))
    assert read.all("html") == [{"lang": "en"}]
    assert read.all("a")[0] == {"class": "skip-link", "href": "#content"}
    assert [each for each in read.all("main") if each["id"] == "content"]
    assert {"#one", "#two"} <= {each["href"] for each in read.all("a")}
    anchors = [attributes["id"] for _, attributes in read.found if "id" in attributes]
    assert len(anchors) == len(set(anchors))
    assert [each for each in read.all("li") if each.get("aria-current") == "step"]
    for attributes in read.all("svg"):
        assert attributes.get("role") == "img" or "role" not in attributes
    for attributes in read.all("div"):
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


@pytest.mark.parametrize(
    ("to", "in_file", "in_web"),
    [
        ("#gates", True, True),
        ("/runs/01J", False, True),
        ("//evil.example", False, False),
        ("/\\evil.example", False, False),
        ("/\t/evil.example", False, False),
        ("https://evil.example", False, False),
        ("javascript:alert(1)", False, False),
        ("", False, False),
    ],
)
def test_where_a_link_leads(to: str, in_file: bool, in_web: bool) -> None:  # noqa: FBT001
    link = environment().get_template("parts.html").module.link  # type: ignore[attr-defined]
    assert ("<a " in link(Link("there", to))) is in_file
    assert ("<a " in link(Link("there", to), links=True)) is in_web
    assert "there" in link(Link("there", to))


def test_an_empty_table_says_so() -> None:
    table = environment().get_template("parts.html").module.table  # type: ignore[attr-defined]
    assert "Nothing to show." in table(Table(heads=("a",), rows=()))


def test_charts_side_by_side_and_the_wide_ones_alone() -> None:
    chart = histogram("x", ["a"], [1], [1])
    section = Section(anchor="a", title="A", parts=(chart, chart, Note("n"), chart))
    read = Read(page(title="x", sections=[section]))
    assert [each.get("class") for each in read.all("div")].count("charts") == 2


def test_fifty_columns_stay_small() -> None:
    names = [f"{i * 1.234:.2f} … {(i + 1) * 1.234:.2f}" for i in range(20)]
    before, now = [500 + i for i in range(20)], [480 + 7 * i for i in range(20)]
    edges = [i * 1.234 for i in range(19)]
    charts = tuple(histogram(f"column_{i}", names, before, now, edges) for i in range(50))
    one = environment().get_template("parts.html").module.chart(charts[0])  # type: ignore[attr-defined]
    assert len(one.encode()) < 3000
    html = page(title="x", sections=[Section(anchor="a", title="A", parts=charts)])
    assert len(html.encode()) < 200_000
