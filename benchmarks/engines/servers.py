"""Servers that an engine needs: started, waited for, and ended with all that they started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gateway import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE_S = 120.0


@contextmanager
def started(
    command: Sequence[str | Path],
    folder: Path,
    env: Mapping[str, str],
    *,
    user: str | None = None,
) -> Iterator[int]:
    """Start it in ``folder``; its process id. What it says is appended to a log there."""
    with (folder / "servers.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **env},
            user=user,
            group=user,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        _end(process)


def until(true: Callable[[], bool], what: str, look_s: float = 0.2) -> None:
    """Look again until something is so; RuntimeError when it does not come about."""
    ends = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > ends:
            raise RuntimeError(f"{what}: not within {PATIENCE_S:g} s")
        time.sleep(look_s)


def asked(url: str, body: object = None) -> Any:
    """The JSON that a server answers, to a GET or to a POST of ``body``; ``None``: no answer."""
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - a server that was started here
        url, sent, {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code == 404:  # noqa: PLR2004
            return None
        raise RuntimeError(f"{url}: {error.code} {error.read().decode()[:300]}") from error
    except OSError:
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    everybody = tree.of(process.pid)
    tree.proceed(everybody)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=15)
    for each in {p.pid: p for p in (*everybody, *tree.of(process.pid))}.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)
    process.wait()
