"""A project's own tests do no harm: to the project, to the machine, to the run."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.errors import StoreError
from seatrial.inference import launcher
from seatrial.tasks._scratch_copy import LARGE_BYTES, MANY, copy_code

if TYPE_CHECKING:
    from tests.tasks.conftest import Project, Went

PIPELINE = """
name: bare
stages:
  - name: before_training
    tasks:
      - unit_tests:
          tests: checks
"""
UNIT = "before_training.unit_tests"

pytestmark = pytest.mark.slow  # processes of their own

needs_landlock = pytest.mark.skipif(
    not launcher.landlock_version(), reason="this kernel has no Landlock"
)


@pytest.fixture
def bare(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without a model; its only task runs the tests in `checks`.

    Plugins are not looked for: it is quicker, and ours are there all the same.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    fresh.file.write_text(PIPELINE)
    (fresh.folder / "checks").mkdir()
    return fresh


def _went(project: Project, source: str, *changes: str, name: str = "test_own.py") -> Went:
    (project.folder / "checks" / name).write_text(source)
    return project.run(*(f"{UNIT}.{change}" for change in changes))


def _findings(went: Went) -> list[Any]:
    return list(went.task("unit_tests")["findings"])


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".seatrial" not in file.parts
    }


def test_tests_may_come_before_there_is_a_model(bare: Project) -> None:
    went = _went(
        bare,
        "import pytest\n"
        "def test_a(): pass\n"
        "@pytest.mark.skip(reason='not today')\n"
        "def test_b(): pass\n"
        "@pytest.mark.xfail\n"
        "def test_c(): assert False\n",
    )
    assert (went.code, went.verdict("unit_tests")) == (0, "pass")
    assert went.reason("unit_tests") == "1 test of checks passes, 1 skipped, 1 failed as expected"
    measures = went.measures("unit_tests")
    assert measures["tests.passed"]["value"] == 1
    assert (measures["tests.failed"]["value"], measures["tests.failed"]["limit"]) == (0, 0)
    assert measures["tests.failed"]["n"] == 3


def test_a_test_that_asks_for_the_model_before_there_is_one_fails(bare: Project) -> None:
    went = _went(bare, "def test_a(seatrial_model): pass\n")
    assert went.verdict("unit_tests") == "fail"
    (finding,) = _findings(went)
    assert "this run has no version yet: put `unit_tests` after `register`" in finding["what"]


def test_tests_that_are_all_skipped_say_so(bare: Project) -> None:
    went = _went(bare, "def test_a(seatrial_production): pass\n")
    assert (went.code, went.verdict("unit_tests")) == (0, "skip")
    assert "every test of checks was skipped: nothing is in production yet" in went.reason(
        "unit_tests"
    )


def test_a_finding_names_the_line_of_the_project_that_failed(bare: Project) -> None:
    (bare.folder / "features.py").write_text(
        "import json\ndef read(text):\n    return json.loads(text)\n"
    )
    went = _went(
        bare,
        "import pytest\nfrom features import read\n"
        "def test_a(): read('[')\n"
        "@pytest.mark.parametrize('n', [1, 2])\n"
        "def test_b(n): assert n == 1\n"
        "@pytest.fixture\n"
        "def wrong(): raise RuntimeError('no luck')\n"
        "def test_c(wrong): pass\n"
        "def test_d(): pass\n",
    )
    assert went.reason("unit_tests") == "3 of 5 tests of checks fail"
    found = {(each["where"], each["what"]) for each in _findings(went)}
    assert found == {
        (
            "features.py:3, test_a",
            "json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)",
        ),
        ("checks/test_own.py:5, test_b[2]", "assert 2 == 1"),
        ("checks/test_own.py:7, test_c", "RuntimeError: no luck (in its set-up)"),
    }


def test_many_failures_are_counted(bare: Project) -> None:
    source = (
        "import pytest\n@pytest.mark.parametrize('n', range(50))\ndef test_a(n): assert not n + 1\n"
    )
    went = _went(bare, source)
    assert went.reason("unit_tests") == "50 of 50 tests of checks fail"
    assert [each["what"] for each in _findings(went)][-1] == "… and 30 more"
    assert len(_findings(went)) == 21


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import os; os._exit(0)", "ended by itself with status 0"),
        ("import ctypes; ctypes.string_at(0)", "was ended by SIGSEGV"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "was ended by SIGKILL, perhaps for lack of memory",
        ),
    ],
)  # fmt: skip
def test_a_test_that_ends_everything_is_named(bare: Project, source: str, status: str) -> None:
    went = _went(bare, f"def test_a(): pass\ndef test_b(): assert 0\ndef test_c(): {source}\n")
    assert (went.code, went.verdict("unit_tests")) == (1, "fail")
    assert went.reason("unit_tests") == f"checks {status} while running checks/test_own.py::test_c"
    assert [each["where"] for each in _findings(went)] == [
        "checks/test_own.py:2, test_b",
        "checks/test_own.py::test_c",
    ]
    measures = went.measures("unit_tests")
    assert (measures["tests.passed"]["value"], measures["tests.failed"]["value"]) == (1, 2)


STUBBORN = """
import signal, subprocess, time
def test_a():
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    subprocess.Popen(["sh", "-c", "trap : TERM INT; sleep 90"], start_new_session=True)
    time.sleep(90)
"""


@pytest.mark.parametrize(
    ("source", "running"),
    [
        ("import time\ntime.sleep(90)\n", "checks/test_own.py"),
        (STUBBORN, "checks/test_own.py::test_a"),
    ],
)  # fmt: skip
def test_a_test_that_hangs_is_named(bare: Project, source: str, running: str) -> None:
    began = time.monotonic()
    went = _went(bare, source, "timeout_s=5")
    assert time.monotonic() - began < 60
    assert went.verdict("unit_tests") == "fail"
    assert went.reason("unit_tests").endswith(f"did not end within 5 s: it was running {running}")
    assert _findings(went)[-1]["where"] == running


def test_megabytes_are_not_kept(bare: Project) -> None:
    went = _went(
        bare,
        "import os\n"
        "def test_a(): print('x' * 30_000_000)\n"
        "def test_b(): os.write(1, b'y' * 30_000_000)\n"
        "def test_c(capfd):\n"
        "    with capfd.disabled(): os.write(2, b'z' * 30_000_000)\n"
        "    assert 0, 'w' * 30_000_000\n",
    )
    assert went.reason("unit_tests") == "1 of 3 tests of checks fails"
    assert len(_findings(went)[0]["what"]) <= 300
    assert (bare.folder / ".seatrial" / "ledger.db").stat().st_size < 1_000_000


HARMS = (
    "shutil.rmtree(PROJECT)",
    "shutil.rmtree(PROJECT + '/.seatrial')",
    "os.remove(PROJECT + '/pipeline.yaml')",
    "open(PROJECT + '/pipeline.yaml', 'w')",
    "os.truncate(PROJECT + '/pipeline.yaml', 0)",
    "os.rename(PROJECT + '/data', 'mine')",
    "os.mkdir(PROJECT + '/new')",
    "os.link(PROJECT + '/pipeline.yaml', 'mine.yaml')",
    "os.symlink(PROJECT + '/pipeline.yaml', 'ours.yaml'); open('ours.yaml', 'w')",
    "open(os.path.expanduser('~/seatrial_was_here'), 'w')",
    "subprocess.run(['rm', '-rf', PROJECT], check=True)",
    "subprocess.run(['sh', '-c', f'echo > {PROJECT}/pipeline.yaml'], check=True)",
    "os.kill(RUN, signal.SIGTERM)",
)


@needs_landlock
def test_what_lies_outside_cannot_be_changed(bare: Project) -> None:
    before = _content(bare.folder)
    source = (
        "import os, shutil, signal, subprocess\n"
        f"PROJECT, RUN = {str(bare.folder)!r}, {os.getpid()}\n"
        "def test_right(): pass\n"
    ) + "".join(f"def test_{n}(): {harm}\n" for n, harm in enumerate(HARMS))
    went = _went(bare, source)
    assert went.reason("unit_tests") == f"{len(HARMS)} of {len(HARMS) + 1} tests of checks fail"
    for finding in _findings(went):
        refused = "Permission|not permitted|cross-device|CalledProcessError"
        assert re.search(refused, finding["what"]), finding
    (bare.folder / "checks" / "test_own.py").unlink()
    assert _content(bare.folder) == before
    assert not Path("~/seatrial_was_here").expanduser().exists()


@needs_landlock
def test_large_files_are_there_to_be_read_only(bare: Project) -> None:
    rows = bare.folder / "data" / "large.csv"
    rows.write_bytes(b"x\n" * LARGE_BYTES)
    went = _went(
        bare,
        "import pathlib, pytest\n"
        "def test_a():\n"
        "    rows = pathlib.Path('data/large.csv')\n"
        "    assert rows.stat().st_size == 2_000_000\n"
        "    with pytest.raises(PermissionError): rows.write_text('')\n"
        "    rows.unlink()\n"
        "    pathlib.Path('data/training_data.csv').write_text('')\n",
    )
    assert went.verdict("unit_tests") == "pass", _findings(went)
    assert rows.stat().st_size == 2_000_000
    assert (bare.folder / "data" / "training_data.csv").stat().st_size > 0


USUAL = """
import concurrent.futures, multiprocessing, pathlib, socket, sqlite3, subprocess, sys, tempfile
from multiprocessing.shared_memory import SharedMemory
import joblib
def twice(x): return 2 * x
def test_files(tmp_path):
    (tmp_path / "a").write_text("1")
    with tempfile.TemporaryFile() as file: file.write(b"1")
    pathlib.Path("out").mkdir()
    (tmp_path / "a").rename("out/a")
def test_pool():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert [*pool.map(twice, [1, 2])] == [2, 4]
def test_spawn():
    with multiprocessing.get_context("spawn").Pool(1) as pool: assert pool.map(abs, [-1]) == [1]
def test_joblib():
    assert joblib.Parallel(2)(joblib.delayed(twice)(x) for x in (1, 2)) == [2, 4]
def test_shared():
    memory = SharedMemory(create=True, size=10)
    memory.close()
    memory.unlink()
def test_socket():
    with socket.create_server(("127.0.0.1", 0)) as one:
        socket.create_connection(one.getsockname()).close()
def test_database():
    with sqlite3.connect("own.db") as base: base.execute("create table t (x)")
def test_program():
    with open("/dev/null", "w") as nowhere:
        said = subprocess.check_output([sys.executable, "-c", "print(1)"], stderr=nowhere)
    assert said == b"1\\n"
"""


def test_what_people_use_works_inside(bare: Project) -> None:
    """Temporary files, pools of processes, shared memory, sockets, a data base, programs."""
    went = _went(bare, USUAL)
    assert went.verdict("unit_tests") == "pass", _findings(went)
    assert "8 tests" in went.reason("unit_tests")


def test_nothing_that_was_started_outlives_the_tests(bare: Project) -> None:
    """Not even what left its group, its session and its parent, and keeps the output open."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        source = (
            "import os, socket, time\n"
            "def test_a():\n"
            "    if os.fork() == 0:\n"
            "        os.setsid()\n"
            "        if os.fork(): os._exit(0)\n"
            f"        with socket.create_connection(('127.0.0.1', {port})): time.sleep(90)\n"
            "    os.wait()\n"
            "    time.sleep(1)\n"
        )
        began = time.monotonic()
        went = _went(bare, source)
        assert went.verdict("unit_tests") == "pass", _findings(went)
        assert time.monotonic() - began < 60
        server.settimeout(10)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(10)
            assert connection.recv(1) == b""  # its end was closed: it is gone


def test_who_is_killed_takes_the_tests_along(tmp_path: Path) -> None:
    """The run dies without a word: the launcher hears of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        inner = (
            f"import socket, time\nsocket.create_connection(('127.0.0.1', {port}))\ntime.sleep(90)"
        )
        scratch = tmp_path / "scratch"
        scratch.mkdir()
        program = [sys.executable, launcher.__file__, "{}", str(scratch), "0", "0"]
        outer = (
            "import os, subprocess, time\n"
            f"program = {program!r} + {[sys.executable, '-c', inner.replace('}', '}')]!r}\n"
            "program[2] = str(os.getpid())\n"
            "subprocess.Popen(program)\n"
            "time.sleep(90)\n"
        )
        with subprocess.Popen([sys.executable, "-c", outer]) as run:
            server.settimeout(20)
            connection, _ = server.accept()
            run.send_signal(signal.SIGKILL)
        with connection:
            connection.settimeout(10)
            assert connection.recv(1) == b""
        until_s = time.monotonic() + 10
        while scratch.exists() and time.monotonic() < until_s:
            time.sleep(0.02)
        assert not scratch.exists()  # the copy of the project goes as well


def test_our_settings_are_not_theirs(bare: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password of the ledger's database may stand in them."""
    monkeypatch.setenv("SEATRIAL_SECRET", "quiet")
    source = "import os\ndef test_a(): assert 'quiet' not in os.environ.values()\n"
    assert _went(bare, source).verdict("unit_tests") == "pass"


def test_memory_is_limited(bare: Project) -> None:
    source = "def test_a(): bytearray(2_000_000_000)\ndef test_b(): bytearray(1_000_000)\n"
    went = _went(bare, source, "memory_mb=1000")
    assert went.reason("unit_tests") == "1 of 2 tests of checks fails"
    assert _findings(went)[0]["what"] == "MemoryError"


NONE = "no test of checks ran: "
REFUSED = f"{NONE}pytest refused its options"
START, ODD = "def pytest_sessionstart(): ", "raise RuntimeError('odd')\n"


@pytest.mark.parametrize(
    ("file", "text", "reason", "what"),
    [
        ("conftest.py", "import no_such_package\n", REFUSED, "no_such_package"),
        ("pytest.ini", "[pytest]\naddopts = --no-such-option\n", REFUSED, "--no-such-option"),
        ("conftest.py", START + ODD, "pytest itself failed over checks", "RuntimeError: odd"),
        (
            "conftest.py",
            "import os\nos._exit(7)\n",
            "pytest ended with 7 before its first test, though no test of checks failed",
            "pytest said nothing",
        ),
    ],
)
def test_pytest_that_does_not_come_to_an_end_is_told_in_words(
    bare: Project, file: str, text: str, reason: str, what: str
) -> None:
    (bare.folder / file).write_text(text)
    went = _went(bare, "def test_a(): pass\n")
    assert (went.code, went.verdict("unit_tests")) == (1, "fail")
    assert went.reason("unit_tests") == reason
    assert what in _findings(went)[0]["what"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("import os\nimport no_such_package\n", "No module named 'no_such_package'"),
        ("import os\ndef test_b(:\n    pass\n", "SyntaxError: "),
    ],
)
def test_one_file_that_cannot_be_read_is_told_by_its_line(
    bare: Project, source: str, what: str
) -> None:
    (bare.folder / "checks" / "test_right.py").write_text("def test_a(): pass\n")
    went = _went(bare, source)
    assert went.reason("unit_tests") == "no test of checks ran: 1 file could not be collected"
    (finding,) = _findings(went)
    assert what in finding["what"]
    assert finding["where"].startswith("checks/test_own.py")


def test_the_options_of_the_project_count(bare: Project) -> None:
    (bare.folder / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\n"
        "addopts = ['--lf', '-p', 'xdist', '-n2', '-p', 'no:seatrial', '--tb=no']\n"
        "python_functions = ['check_*']\n"
        "pythonpath = ['lib']\n"
        "filterwarnings = ['error']\n"
    )
    (bare.folder / "lib").mkdir()
    (bare.folder / "lib" / "mine.py").write_text("TWO = 2\n")
    went = _went(
        bare,
        "import warnings, mine\n"
        "def check_a(): assert mine.TWO == 2\n"
        "def check_b(): warnings.warn('no')\n"
        "def test_c(): assert False\n",
    )
    assert went.reason("unit_tests") == "1 of 2 tests of checks fails", _findings(went)
    assert _findings(went)[0]["what"] == "UserWarning: no"


def test_subtests_are_told_one_by_one(bare: Project) -> None:
    went = _went(
        bare,
        "def test_a(subtests):\n"
        "    for n in range(3):\n"
        "        with subtests.test(n=n): assert n == 1, f'not {n}'\n",
    )
    assert went.reason("unit_tests") == "1 of 1 test of checks fails"
    assert {"not 0", "not 2"} <= {each["what"] for each in _findings(went)}


def test_without_landlock_python_itself_refuses(
    bare: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "CREATE_RULESET", 10_000)  # as an older kernel answers
    assert launcher.landlock_version() == 0
    before = _content(bare.folder)
    went = _went(
        bare,
        "import os, pathlib, pytest, shutil\n"
        f"PROJECT = pathlib.Path({str(bare.folder)!r})\n"
        "def test_refused(tmp_path):\n"
        "    (tmp_path / 'link').symlink_to(PROJECT / 'pipeline.yaml')\n"
        "    for harm in (\n"
        "        lambda: shutil.rmtree(PROJECT),\n"
        "        lambda: (PROJECT / 'pipeline.yaml').unlink(),\n"
        "        lambda: (PROJECT / 'pipeline.yaml').open('a'),\n"
        "        lambda: os.open(PROJECT / 'pipeline.yaml', os.O_RDWR),\n"
        "        lambda: (tmp_path / 'link').write_text(''),\n"
        "        lambda: os.truncate(PROJECT / 'pipeline.yaml', 0),\n"
        "        lambda: (PROJECT / 'data').rename(tmp_path / 'data'),\n"
        "        lambda: (PROJECT / 'new').mkdir(),\n"
        "        lambda: (PROJECT / 'data').rmdir(),\n"
        "        lambda: os.remove('pipeline.yaml', dir_fd=os.open(PROJECT, os.O_RDONLY)),\n"
        "        lambda: (PROJECT / 'new').symlink_to('a'),\n"
        "    ):\n"
        "        with pytest.raises(PermissionError): harm()\n"
        "def test_allowed(tmp_path):\n"
        "    folder = tmp_path / 'a'\n"
        "    folder.mkdir()\n"
        "    (folder / 'link').symlink_to(PROJECT / 'pipeline.yaml')\n"
        "    (folder / 'b').write_text('1')\n"
        "    os.chdir(PROJECT)\n"
        "    shutil.rmtree(folder)\n"
        "    assert (PROJECT / 'pipeline.yaml').read_text()\n",
    )
    assert went.verdict("unit_tests") == "pass", _findings(went)
    (finding,) = _findings(went)
    assert "no Landlock" in finding["what"]
    (bare.folder / "checks" / "test_own.py").unlink()
    assert _content(bare.folder) == before


@pytest.mark.parametrize(
    ("tests", "what"),
    [
        ("../elsewhere", "lies outside the project folder"),
        (".hidden", "lies in a hidden folder"),
        ("missing", "there is no folder missing"),
    ],
)
def test_tests_must_lie_where_they_are_copied(bare: Project, tests: str, what: str) -> None:
    for name in ("../elsewhere", ".hidden"):
        (bare.folder / name).mkdir()
    bare.edit("tests: checks", f"tests: {tests}")
    went = bare.run()
    assert went.code == 2
    assert what in went.errors
    assert "pipeline.yaml:7" in went.errors


def test_the_copy_holds_the_code_and_leads_to_the_rest(tmp_path: Path) -> None:
    project, copy = tmp_path / "project", tmp_path / "copy"
    for name in ("src/__pycache__", ".git", "env/bin", "state", "many", "node_modules"):
        (project / name).mkdir(parents=True)
    (project / "env" / "pyvenv.cfg").touch()
    (project / "src" / "code.py").write_text("code")
    (project / "src" / "code.pyc").touch()
    (project / ".coveragerc").write_text("hidden file")
    (project / "large.bin").write_bytes(bytes(LARGE_BYTES + 1))
    for number in range(MANY + 1):
        (project / "many" / str(number)).touch()
    (project / "src" / "same.py").symlink_to("code.py")
    (project / "outside").symlink_to("../beside")
    (tmp_path / "beside").write_text("beside")
    os.mkfifo(project / "pipe")
    copy_code(project, copy, project / "state")
    assert sorted(str(p.relative_to(copy)) for p in copy.iterdir()) == [
        ".coveragerc", "large.bin", "many", "outside", "src",
    ]  # fmt: skip
    assert (copy / "src" / "code.py").read_text() == "code"
    (copy / "src" / "same.py").write_text("changed")
    assert (project / "src" / "code.py").read_text() == "code"
    assert (copy / "large.bin").readlink() == (project / "large.bin").resolve()
    assert (copy / "many").readlink() == (project / "many").resolve()
    assert (copy / "outside").read_text() == "beside"


def test_a_project_that_cannot_be_copied_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot copy the project's code") as told:
        copy_code(tmp_path / "gone", tmp_path / "copy", tmp_path / "home")
    assert "gone" in str(told.value)
