"""What does another party's library say about this machine, or why does it not say it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SHOWN = 120
"""So many letters of a message are told."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[T]):
    """``value`` is None where the library is not installed or failed.

    ``trouble`` says how it failed, and is empty where it did not.
    """

    value: T | None
    trouble: str = ""


def reply(library: str, question: Callable[[], T]) -> Reply[T]:
    """Ask ``question``, which imports ``library``; a failure is told, and ends nothing.

    >>> reply("no_such_library", lambda: __import__("no_such_library"))
    Reply(value=None, trouble='')
    >>> reply("math", lambda: 1 / 0).trouble
    'ZeroDivisionError: division by zero'
    """
    try:
        return Reply(question())
    except ModuleNotFoundError as error:
        return Reply(None) if error.name == library else Reply(None, _told(error))
    # A broken driver or build fails in ways of its own, and the rest of the machine can still be
    # described: this is the only thing that is asked here, so nothing of ours is covered up.
    except Exception as error:  # noqa: BLE001
        return Reply(None, _told(error))


def _told(error: Exception) -> str:
    """One line. A message that names a folder of the machine is left out."""
    first = next(iter(str(error).strip().splitlines()), "")
    kind = type(error).__name__
    return f"{kind}: {first[:SHOWN]}" if first and not {"/", "\\"} & set(first) else kind
