"""A page that is one file: nothing is loaded, nothing runs, and it says so to the browser."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from markupsafe import Markup

from seatrial.report.html import environment, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatrial.report.section import Badge, Part, Section


def page(
    *,
    title: str,
    sections: Sequence[Section],
    badge: Badge | None = None,
    lead: Sequence[str] = (),
    parts: Sequence[Part] = (),
    foot: str = "",
) -> str:
    """The whole file, UTF-8 when written.

    ``badge`` stands beside the title and ``lead`` below it, a paragraph each; then come ``parts``
    without a heading (the stages of a run), the list of ``sections``, and these. ``foot`` says what
    made the page, and from what.
    """
    sheet = style()
    return (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            badge=badge,
            lead=lead,
            above=parts,
            sections=sections,
            foot=foot,
            style=Markup(sheet),  # noqa: S704 - our own, and its hash stands above it
            policy=policy(sheet),
        )
    )


def policy(sheet: str) -> str:
    """The Content-Security-Policy of a file with this style sheet: nothing but that.

    >>> print(policy("a{}").partition("; base-uri")[0])
    default-src 'none'; style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='
    """
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
