"""What every test stands on: no setting of the machine, known seeds, small projects."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).parents[1]

# pytest-xdist runs one worker a core: numeric libraries that open as many threads each only queue.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Who runs the tests in the background of a shell has Ctrl-C ignored; programs that they start must
# not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared machine is slow at times; how long an example takes says nothing about the code.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SEATRIAL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A copy of the flights example, as `seatrial init` would leave it: the project folder."""
    return Path(shutil.copytree(REPOSITORY / "examples" / "flights", tmp_path / "flights"))
