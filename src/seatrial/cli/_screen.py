"""A view that is drawn anew until somebody types q."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

QUICK_S = 1.0
"""How soon the second look follows the first: then there is something to compare."""
_ENDS = frozenset({"q", "Q", "\x03", "\x04"})


def follow(look: Callable[[], RenderableType], every_s: float) -> None:
    """Draw what ``look`` gives, every so many seconds, until q or Ctrl-C; then nothing is left.

    The size of the terminal may change at any time.
    """
    console = Console(highlight=False)
    live = Live(console=console, screen=True, redirect_stderr=False)
    with contextlib.suppress(KeyboardInterrupt), _keys() as typed, contextlib.ExitStack() as after:
        live.update(look())
        after.callback(live.stop)  # before it starts: Ctrl-C may come while it does
        live.start(refresh=True)
        wait_s = min(QUICK_S, every_s)
        while not _ENDS & set(typed(wait_s)):
            live.update(look(), refresh=True)
            wait_s = every_s


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """What is typed within so many seconds, at once and unseen; nothing where nobody can type."""
    if not sys.stdin.isatty():
        yield _silence
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)

    def typed(within_s: float) -> str:
        found, _, _ = select.select([keyboard], [], [], within_s)
        return os.read(keyboard, 64).decode(errors="replace") or "\x04" if found else ""

    try:
        tty.setcbreak(keyboard)
        yield typed
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def _silence(within_s: float) -> str:
    time.sleep(within_s)
    return ""
