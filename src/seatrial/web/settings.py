"""Where the control port listens, and under which names it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seatrial.registry.loopback import is_loopback

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``names`` are further hosts, as a browser writes them: ``ml.example.com[:PORT]``.

    Whoever gives such a name has something in front of the port that others reach.
    """

    home: Path
    host: str
    port: int
    names: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether only this machine can ask: then one may look without a token."""
        return is_loopback(self.host) and not self.names
