"""CUDA and the GPUs, as far as the libraries that are installed anyway can tell.

onnxruntime, nvidia-ml-py and PyTorch are asked; none of them is needed.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.environment.machine.reply import Reply, reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEVICES = tuple(map(Path, ("/dev/nvidiactl", "/dev/nvhost-gpu", "/dev/dxg")))
"""One of them is there where a process may use a GPU: on servers, on Jetson boards, under WSL."""

DRIVER = Path("/proc/driver/nvidia/version")
"""It is there where the driver is, also in a container that may not use the GPU."""

_NONE = frozenset({"", "-1"})
"""Values of CUDA_VISIBLE_DEVICES by which every GPU is hidden."""


@dataclass(frozen=True, slots=True)
class Accelerators:
    """``found`` is what a capture says under ``cuda``; ``trouble`` by the library that had it."""

    found: dict[str, Any]
    trouble: dict[str, str] = field(default_factory=dict)


def accelerators(
    versions: Mapping[str, str], devices: Iterable[Path] = DEVICES, driver: Path = DRIVER
) -> Accelerators:
    """``available``, ``version`` of CUDA, ``cudnn``, ``driver`` and ``gpus`` (their names).

    ``versions`` are the installed packages. None and an empty list mean not known or not there.
    CUDA's version is the one that onnxruntime was built for; else the installed runtime's,
    PyTorch's, or the newest that the driver can run, in this order.
    """
    is_there = any(device.exists() for device in devices)
    runtime = reply("onnxruntime", _runtime)  # what is wrong with it is told where it is described
    nvml = reply("pynvml", _nvml)
    torch: Reply[dict[str, Any]] = Reply(None)
    # It takes seconds and hundreds of megabytes to import: not without a sign of a driver.
    if is_there or driver.exists() or "torch" in sys.modules:
        torch = reply("torch", _torch)
    by_runtime, by_nvml, by_torch = runtime.value or {}, nvml.value or {}, torch.value or {}
    gpus = by_nvml.get("gpus") or by_torch.get("gpus") or []
    is_usable = bool(gpus) or (is_there and by_runtime.get("gpu", False))
    trouble = {"pynvml": nvml.trouble, "torch": torch.trouble}
    return Accelerators(
        {
            "available": is_usable and os.environ.get("CUDA_VISIBLE_DEVICES") not in _NONE,
            "version": by_runtime.get("version")
            or _installed(versions, "nvidia-cuda-runtime")
            or by_torch.get("version")
            or by_nvml.get("version"),
            "cudnn": _installed(versions, "nvidia-cudnn") or by_torch.get("cudnn"),
            "driver": by_nvml.get("driver"),
            "gpus": gpus,
        },
        {library: told for library, told in trouble.items() if told},
    )


def _nvml() -> dict[str, Any]:
    pynvml = import_module("pynvml")
    pynvml.nvmlInit()
    try:
        newest = int(pynvml.nvmlSystemGetCudaDriverVersion())
        handles = map(pynvml.nvmlDeviceGetHandleByIndex, range(pynvml.nvmlDeviceGetCount()))
        return {
            "version": f"{newest // 1000}.{newest % 1000 // 10}",
            "driver": _plain(pynvml.nvmlSystemGetDriverVersion()),
            "gpus": [_plain(pynvml.nvmlDeviceGetName(handle)) for handle in handles],
        }
    finally:
        pynvml.nvmlShutdown()


def _torch() -> dict[str, Any]:
    torch = import_module("torch")
    cudnn = torch.backends.cudnn.version() if torch.version.cuda else None
    return {
        "version": torch.version.cuda,
        "cudnn": None if cudnn is None else _cudnn(int(cudnn)),
        "gpus": [
            str(torch.cuda.get_device_name(each)) for each in range(torch.cuda.device_count())
        ],
    }


def _runtime() -> dict[str, Any]:
    """The version of CUDA that onnxruntime was built for, and whether it offers to use it."""
    onnxruntime = import_module("onnxruntime")
    return {
        "version": str(getattr(onnxruntime, "cuda_version", "") or "") or None,
        "gpu": "CUDAExecutionProvider" in onnxruntime.get_available_providers(),
    }


def _installed(versions: Mapping[str, str], package: str) -> str | None:
    """The version of NVIDIA's package, whose name may end with the CUDA it is for.

    >>> _installed({"nvidia-cudnn-cu12": "9.1.0", "nvidia-cudnn-frontend": "1"}, "nvidia-cudnn")
    '9.1.0'
    """
    names = (name for name in sorted(versions) if re.fullmatch(rf"{package}(?:-cu\d+)?", name))
    return next((versions[name] for name in names), None)


def _cudnn(number: int) -> str:
    """Its number counts in thousands until 8, and in ten thousands since 9.

    >>> _cudnn(8902), _cudnn(90100)
    ('8.9.2', '9.1.0')
    """
    major, rest = divmod(number, 10_000 if number >= 90_000 else 1_000)  # noqa: PLR2004
    return f"{major}.{rest // 100}.{rest % 100}"


def _plain(text: str | bytes) -> str:
    """Older versions of the library answer in bytes."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
