"""A socket that listens, for processes that are started and started again."""

from __future__ import annotations

import socket

from seatrial.errors import Mistake, StoreError

BACKLOG = 1024


def listen(host: str, port: int, option: str = "--port") -> socket.socket:
    """Listen there; :class:`StoreError`, which names the option, when that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise StoreError(
            Mistake(
                f"cannot listen on {host}:{port}: {error.strerror}",
                fix=f"choose another with {option}, or end what listens there",
            )
        ) from error
    listening.setblocking(False)  # noqa: FBT003 - its only parameter
    return listening
