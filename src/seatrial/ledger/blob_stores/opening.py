"""Which store does an address name, and what speaks with it?

Keys, regions and endpoints come from where the stores' own tools look for them: environment
variables and configuration files, never the address.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from dataclasses import dataclass
from typing import Any

from seatrial.errors import Mistake, UsageError, nearest
from seatrial.workspace import BLOBS

CONNECT_S = 5
READ_S = 30
"""How long a connection, and each answer, may take."""

WHOLE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "oss", "oci", "tos", "memory"})
"""Stores in which an object is whole or absent by itself: no file is seen half written."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://[^?#\s]+")
_EXAMPLE = "write such as s3://bucket/project, or leave it out"


@dataclass(frozen=True, slots=True)
class Opened:
    """What speaks with a store, and the path of the address in it.

    ``whole`` as in :data:`WHOLE`. ``by_prefix`` says that one request lists a folder, also one
    in which nothing lies. ``pid`` is the process whose connections these are.
    """

    files: Any
    root: str
    whole: bool
    by_prefix: bool
    pid: int


def checked(address: str, where: str = BLOBS) -> str:
    """The address, without a slash at its end; UsageError when it can be none.

    ``where`` is what gave it, for the error.
    Nothing is loaded: that takes half a second, and most commands find everything here.
    """
    found = _ADDRESS.fullmatch(address)
    kind, _, rest = address.partition("://")
    if found is None or "::" in address or not rest.strip("/"):
        what = "it is no address of a store of blobs"
        raise UsageError(Mistake(what, where=where, fix=_EXAMPLE))
    if ":" in rest.partition("@")[0] and "@" in rest:
        what = "there is a password in the address of the blobs"
        fix = "give keys as the store's own tools take them, such as AWS_SECRET_ACCESS_KEY"
        raise UsageError(Mistake(what, where=where, fix=fix))
    if kind in {"s3", "s3a"} and importlib.util.find_spec("s3fs") is None:
        raise _not_installed(address, "pip install 'seatrial[s3]'")
    if kind not in WHOLE | {"file"}:
        _demand_kind(kind, where)
    return address.rstrip("/")


def _demand_kind(kind: str, where: str) -> None:
    from fsspec import available_protocols  # noqa: PLC0415 - only for what is seldom used

    known = available_protocols()
    if kind not in known:
        what = f"unknown kind of store {kind + '://'!r}"
        raise UsageError(Mistake(what, where=where, nearest=nearest(kind, known), fix=_EXAMPLE))


def opened(address: str, pid: int) -> Opened:
    """Load what speaks with the store. UsageError when that is not installed."""
    from fsspec.core import url_to_fs  # noqa: PLC0415 - only where something is not here already

    kind = address.partition("://")[0]
    try:
        # Not the one of before: it would remember keys and listings that may have changed.
        files, root = url_to_fs(address, skip_instance_cache=True, **_options(kind))
    except ImportError as fault:
        raise _not_installed(address, str(fault)) from fault
    if kind in {"s3", "s3a"}:
        files.retries = 1
    find = inspect.signature(getattr(files, "_find", files.find))
    return Opened(files, root.rstrip("/"), kind in WHOLE, "prefix" in find.parameters, pid)


def _options(kind: str) -> dict[str, Any]:
    """S3's own patience, which adds up to many minutes, is replaced by that of the store here."""
    if kind not in {"s3", "s3a"}:
        return {}
    attempts = {"total_max_attempts": 1, "mode": "standard"}
    times = {"connect_timeout": CONNECT_S, "read_timeout": READ_S}
    return {
        "config_kwargs": {**times, "retries": attempts},
        "use_listings_cache": False,
        # one request for an object, whose refusal says why: not first a look, which does not
        "max_concurrency": 1,
    }


def _not_installed(address: str, fix: str) -> UsageError:
    kind = address.partition("://")[0]
    what = f"what speaks with {kind}:// stores is not installed"
    return UsageError(Mistake(what, where=f"{BLOBS}={address}", fix=fix))
