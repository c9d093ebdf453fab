"""CUDA and GPUs, told by whatever library is there; here they are small ones of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seatrial.environment.machine.accelerators import DEVICES, accelerators

SOURCE = Path(__file__).parents[3] / "src"

PYNVML = """
open_ = 0
class NVMLError(Exception): pass
def nvmlInit():
    global open_; open_ += 1
def nvmlShutdown():
    global open_; open_ -= 1
def nvmlSystemGetCudaDriverVersion(): return 12080
def nvmlSystemGetDriverVersion(): return b"570.86.15"
def nvmlDeviceGetCount(): return 2
def nvmlDeviceGetHandleByIndex(number): return number
def nvmlDeviceGetName(handle): return ("Fast GPU", b"Slow GPU")[handle]
"""

NO_DRIVER = """
class NVMLError_LibraryNotFound(Exception): pass
def nvmlInit(): raise NVMLError_LibraryNotFound("NVML Shared Library Not Found")
"""

LOST_GPU = PYNVML.replace('return ("Fast GPU", b"Slow GPU")[handle]', 'raise NVMLError("Lost")')

TORCH = """
class version: cuda = "12.6"
class backends:
    class cudnn:
        @staticmethod
        def version(): return 90100
class cuda:
    @staticmethod
    def device_count(): return 1
    @staticmethod
    def get_device_name(number): return "Fast GPU"
"""

TORCH_WITHOUT_CUDA = TORCH.replace('"12.6"', "None").replace("return 1", "return 0")

ONNXRUNTIME = """
cuda_version = "12.4"
def get_available_providers(): return ["CUDAExecutionProvider", "CPUExecutionProvider"]
"""

NOTHING: dict[str, Any] = {
    "available": False,
    "version": None,
    "cudnn": None,
    "driver": None,
    "gpus": [],
}


def test_a_machine_without_any_of_them_has_no_gpu(tmp_path: Path) -> None:
    assert asked(tmp_path, {}) == {"found": NOTHING, "trouble": {}}


def test_the_driver_s_library_names_the_gpus(tmp_path: Path) -> None:
    code = "import pynvml; assert pynvml.open_ == 0"
    assert asked(tmp_path, {"pynvml": PYNVML}, then=code)["found"] == {
        "available": True,
        "version": "12.8",
        "cudnn": None,
        "driver": "570.86.15",
        "gpus": ["Fast GPU", "Slow GPU"],
    }


@pytest.mark.parametrize(
    ("library", "message"),
    [
        (NO_DRIVER, "NVMLError_LibraryNotFound: NVML Shared Library Not Found"),
        (LOST_GPU, "NVMLError: Lost"),
    ],
)
def test_what_the_driver_refuses_is_told(tmp_path: Path, library: str, message: str) -> None:
    found = asked(tmp_path, {"pynvml": library})
    assert found == {"found": NOTHING, "trouble": {"pynvml": message}}


def test_pytorch_is_asked_where_a_driver_is(tmp_path: Path) -> None:
    found = asked(tmp_path, {"torch": TORCH}, has_driver=True)["found"]
    assert found == {
        **NOTHING,
        "available": True,
        "version": "12.6",
        "cudnn": "9.1.0",
        "gpus": ["Fast GPU"],
    }
    assert asked(tmp_path, {"torch": TORCH_WITHOUT_CUDA}, has_driver=True)["found"] == NOTHING


def test_pytorch_is_not_imported_without_a_sign_of_a_driver(tmp_path: Path) -> None:
    code = "import sys; assert 'torch' not in sys.modules"
    assert asked(tmp_path, {"torch": TORCH}, then=code)["found"] == NOTHING
    # Where the process uses it anyway, it costs nothing.
    found = asked(tmp_path, {"torch": TORCH}, first="import torch")["found"]
    assert found["gpus"] == ["Fast GPU"]


def test_a_broken_pytorch_hides_no_gpu(tmp_path: Path) -> None:
    found = asked(tmp_path, {"torch": "raise OSError(2)", "pynvml": PYNVML}, has_driver=True)
    assert found["found"]["gpus"] == ["Fast GPU", "Slow GPU"]
    assert found["trouble"] == {"torch": "OSError: 2"}


def test_the_runtime_alone_says_whether_it_can_use_a_gpu(tmp_path: Path) -> None:
    libraries = {"onnxruntime": ONNXRUNTIME}
    assert asked(tmp_path, libraries)["found"] == {**NOTHING, "version": "12.4"}
    found = asked(tmp_path, libraries, has_device=True)["found"]
    assert found == {**NOTHING, "available": True, "version": "12.4"}


def test_a_gpu_that_is_hidden_from_the_process_is_not_available(tmp_path: Path) -> None:
    for hidden in ("", "-1"):
        found = asked(tmp_path, {"pynvml": PYNVML}, visible=hidden)["found"]
        assert found["available"] is False
        assert found["gpus"] == ["Fast GPU", "Slow GPU"]
    assert asked(tmp_path, {"pynvml": PYNVML}, visible="1")["found"]["available"] is True


def test_installed_packages_say_their_versions(tmp_path: Path) -> None:
    versions = {"nvidia-cudnn-cu12": "9.1.0.70", "nvidia-cuda-runtime-cu12": "12.8.57"}
    found = accelerators(versions, [tmp_path / "none"], tmp_path / "none").found
    assert (found["cudnn"], found["version"]) == ("9.1.0.70", "12.8.57")


def test_a_real_gpu_is_named() -> None:
    pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    if not any(device.exists() for device in DEVICES):
        pytest.skip("there is no GPU here")
    found = accelerators({}).found
    assert found["available"]
    assert found["driver"]
    assert all(found["gpus"])


def asked(
    folder: Path,
    libraries: dict[str, str],
    *,
    has_driver: bool = False,
    has_device: bool = False,
    visible: str | None = None,
    first: str = "",
    then: str = "",
) -> dict[str, Any]:
    """What a bare interpreter finds out that has nothing but these libraries."""
    for name, text in libraries.items():
        (folder / f"{name}.py").write_text(text)
    driver, device = folder / "driver", folder / "device"
    for file, is_there in ((driver, has_driver), (device, has_device)):
        if is_there:
            file.touch()
    code = f"""
import json, sys
from dataclasses import asdict
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from seatrial.environment.machine.accelerators import accelerators
{first}
found = accelerators({{}}, [Path(sys.argv[4])], Path(sys.argv[3]))
{then}
print(json.dumps(asdict(found)))
"""
    environ = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [
            *(sys.executable, "-I", "-S", "-B", "-c", code),
            *map(str, (SOURCE, folder, driver, device)),
        ],
        env=environ if visible is None else {**environ, "CUDA_VISIBLE_DEVICES": visible},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
