"""The libraries that compute: BLAS and OpenMP as they are loaded here, and onnxruntime."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from seatrial.environment.machine.reply import reply

if TYPE_CHECKING:
    from seatrial.environment.machine.reply import Reply

_FIELDS = {
    "api": "internal_api",
    "version": "version",
    "architecture": "architecture",
    "threading": "threading_layer",
    "threads": "num_threads",
}


def libraries() -> Reply[list[dict[str, Any]]]:
    """Each BLAS and OpenMP that this process has loaded, once numpy has; None: not known.

    ``architecture`` is the processor that its kernels were chosen for, which a variable can
    change; ``threads`` is how many it would use now. It needs threadpoolctl.
    """
    return reply("threadpoolctl", _loaded)


def runtime() -> Reply[dict[str, Any]]:
    """onnxruntime: ``version``, ``build``, and ``providers`` in its order.

    None where it is not installed, or cannot be imported.
    """
    return reply("onnxruntime", _onnxruntime)


def _loaded() -> list[dict[str, Any]]:
    threadpoolctl = import_module("threadpoolctl")
    if find_spec("numpy") is not None:
        import_module("numpy")  # only what is loaded can be seen
    found = [
        {ours: each.get(theirs) for ours, theirs in _FIELDS.items()}
        for each in threadpoolctl.threadpool_info()
    ]
    # numpy and scipy bring a copy each: what is the same twice says nothing more.
    distinct = {tuple(each.values()): each for each in found}
    return [distinct[key] for key in sorted(distinct, key=str)]


def _onnxruntime() -> dict[str, Any]:
    onnxruntime = import_module("onnxruntime")
    build = str(onnxruntime.get_build_info())
    return {
        "version": str(onnxruntime.__version__),
        "build": build.removeprefix("ORT Build Info: "),
        "providers": [str(name) for name in onnxruntime.get_available_providers()],
    }
