"""Files elsewhere: ``s3://`` and every other address that fsspec knows, brought into the scratch.

Keys, regions and endpoints come from where the stores' own tools look for them: environment
variables and configuration files, never the pipeline file.
"""

from __future__ import annotations

import errno
import urllib.parse
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from seatrial.data.dataset import SUFFIXES
from seatrial.data.sources.local import open_local
from seatrial.data.sources.refusals import damaged, unknown_kind
from seatrial.errors import FormError, Mistake, PassingError, SeatrialError, StoreError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seatrial.data.dataset import Dataset
    from seatrial.data.sources import Opened, Place

_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Which extra of ours brings what a kind of address needs."""


def open_remote(place: Place) -> Opened:
    """Bring a file, a folder or a pattern here, then open it as if it had always been here."""
    dataset = place.dataset
    store, root = _store(dataset)
    here = place.scratch.path / "brought"
    here.mkdir()
    with _told(dataset, store, root):
        if sign := next((s for s in "*[" if s in root), None):
            folder, lone = root.partition(sign)[0].rpartition("/")[0], False
            files = sorted(store.glob(root))
            if not files:
                raise FileNotFoundError(root)
        else:
            # Says, unlike isfile() and find(), why there is nothing.
            lone = store.info(root)["type"] == "file"
            folder = root.rpartition("/")[0] if lone else root.rstrip("/")
            files = [root] if lone else sorted(store.find(root))
        wanted = {_below(file, folder): file for file in files if not file.endswith("/")}
        for name, file in wanted.items():
            if lone and not name.lower().endswith(SUFFIXES):
                raise unknown_kind(dataset, PurePosixPath(name).suffix, SUFFIXES)
            target = here / name
            if not target.resolve().is_relative_to(here.resolve()):
                what = f"dataset {dataset.name!r}: a file is called {name!r}, which leads outside"
                raise FormError(Mistake(what, where=dataset.place, fix="rename it"))
            target.parent.mkdir(parents=True, exist_ok=True)
            store.get_file(file, str(target))
    return open_local(place, here / next(iter(wanted)) if lone else here)


def _below(file: str, folder: str) -> str:
    return urllib.parse.urlsplit(file.removeprefix(folder).lstrip("/")).path


def _store(dataset: Dataset) -> tuple[Any, str]:
    """The file system that an address names, and the path in it."""
    import fsspec  # noqa: PLC0415 - only for addresses
    from fsspec.core import url_to_fs  # noqa: PLC0415

    address = str(dataset.address)
    kind = address.partition("://")[0]
    try:
        # Not the one of before: it would remember keys and listings that may have changed.
        return url_to_fs(address, skip_instance_cache=True)  # type: ignore[no-any-return]
    except ImportError as fault:
        extra = _EXTRAS.get(kind)
        fix = f"pip install 'seatrial[{extra}]'" if extra else str(fault)
        what = f"dataset {dataset.name!r}: what reads {kind}:// addresses is not installed"
        raise FormError(Mistake(what, where=dataset.place, fix=fix)) from fault
    except ValueError as fault:
        what = f"dataset {dataset.name!r}: unknown kind of address {kind + '://'!r}"
        near = nearest(kind, fsspec.available_protocols())
        fix = "write a path of this machine, or such as s3://bucket/file.parquet"
        if kind.startswith(("sqlite", "postgresql")):
            fix = "declare it under `datasets:` with `database:` and `table:`, and give that name"
        raise FormError(Mistake(what, where=dataset.place, nearest=near, fix=fix)) from fault


@contextmanager
def _told(dataset: Dataset, store: Any, root: str) -> Iterator[None]:
    """Whatever a store refuses is told in one sentence."""
    try:
        yield
    except SeatrialError:
        raise
    except FileNotFoundError as fault:
        bucket = " (the bucket does not exist)" if "bucket" in str(fault).lower() else ""
        what = f"dataset {dataset.name!r}: there is nothing at its address{bucket}"
        near = "" if bucket else _nearest(store, root)
        fix = "correct the path (of a pipeline's dataset: under `datasets:`)"
        raise FormError(Mistake(what, where=dataset.place, nearest=near, fix=fix)) from fault
    except PermissionError as fault:
        what = f"dataset {dataset.name!r}: the store refuses to let it be read ({fault})"
        fix = "allow these keys to list and read it; some stores also refuse what is not there"
        raise StoreError(Mistake(what, where=dataset.place, fix=fix)) from fault
    # Every store has errors of its own, which have no common kind.
    except Exception as fault:
        if getattr(fault, "errno", None) == errno.ENOSPC:
            raise damaged(dataset, fault) from fault
        line = " ".join(str(fault).split())[:200] or type(fault).__name__
        if "credential" in line.lower():
            what = f"dataset {dataset.name!r}: there are no keys for the store ({line})"
            fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials"
            raise StoreError(Mistake(what, where=dataset.place, fix=fix)) from fault
        what = f"dataset {dataset.name!r}: the store cannot be reached:\n  {line}"
        fix = "check the address and the network, then run again"
        raise PassingError(Mistake(what, where=dataset.place, fix=fix)) from fault


def _nearest(store: Any, root: str) -> str:
    """What lies beside the place where nothing is."""
    folder, _, name = root.rstrip("/").rpartition("/")
    try:
        beside = store.ls(folder, detail=False)
    except Exception:  # noqa: BLE001 - only a hint; what is wrong is told already
        return ""
    return nearest(name, [file.rstrip("/").rpartition("/")[2] for file in beside])
