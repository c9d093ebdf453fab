"""Do the pages hold together? Every link leads somewhere; every word and command has its page.

Prints what does not, and exits with 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import click

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
# What is pictured in code is no link; a fence may hold anything.
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|\b(?:src|srcset)=\"([^\"\s]+)\"")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)


def main() -> int:
    """Print every complaint; how the program should exit."""
    complaints = [*broken_links(pages()), *missing_words(), *missing_commands()]
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if not complaints:
        print(f"{len(pages())} pages: every link leads somewhere, every word and command has one")
    return 1 if complaints else 0


def pages() -> list[Path]:
    """All Markdown that users read."""
    folders = (ROOT / "docs", ROOT / "examples", ROOT / "benchmarks")
    nested = [page for folder in folders for page in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *nested])


def broken_links(found: Iterable[Path]) -> Iterator[str]:
    """Relative links whose file or heading does not exist."""
    for page in found:
        for target in map("".join, LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists():
                yield f"{page.relative_to(ROOT)}: {target} leads nowhere"
            elif anchor and anchor not in anchors(file):
                yield f"{page.relative_to(ROOT)}: {target} has no such heading"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, spelled as code hosts spell them."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in plain}


def missing_words() -> Iterator[str]:
    """Words of the pipeline file without a page of their own, or a heading on their kind's page."""
    from seatrial import extend  # noqa: PLC0415 - so that links can be checked before installing

    for kind in extend.KINDS:
        page = REFERENCE / f"{kind}.md"
        headings = anchors(page) if page.exists() else set()
        for word in extend.names(kind):
            if word not in headings and not (REFERENCE / f"{word}.md").exists():
                yield f"docs/reference: the word {word!r} ({kind}) has no page"


def missing_commands() -> Iterator[str]:
    """Commands without a heading, and headings without a command."""
    from seatrial.cli import root  # noqa: PLC0415

    commands = {name.replace(" ", "-"): name for name in commands_of(root)}
    described = anchors(REFERENCE / "commands.md") - {"commands"}
    for anchor in sorted(commands.keys() - described):
        yield f"docs/reference/commands.md: the command {commands[anchor]!r} is not described"
    for anchor in sorted(described - commands.keys()):
        yield f"docs/reference/commands.md: there is no command {anchor!r}"


def commands_of(group: click.Group, before: str = "") -> Iterator[str]:
    """Every command of a group, those inside its groups as ``GROUP COMMAND``."""
    import click  # noqa: PLC0415

    context = click.Context(group)
    for name in group.list_commands(context):
        yield before + name
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, f"{before}{name} ")


if __name__ == "__main__":
    sys.exit(main())
