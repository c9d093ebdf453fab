"""What is in the way is no verdict: tried again, then told; the same command goes on from there."""

from __future__ import annotations

import sqlite3
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from seatrial import extend
from seatrial.cli import main, root
from seatrial.engines import _step
from seatrial.errors import FaultError, FileError
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Probing


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without the time they take."""
    made: list[float] = []
    # of this module alone: threads that other tests have left behind sleep as well
    own = SimpleNamespace(sleep=made.append, perf_counter=time.perf_counter)
    monkeypatch.setattr("seatrial.engines._step.time", own)
    return made


def test_an_error_that_passes_is_met_again_after_growing_pauses(
    probing: Probing, pauses: list[float]
) -> None:
    probing.write("first: passing, passing, pass", "second: pass")
    driven = probing.run()
    assert (driven.exit_code, driven.error) == (0, None)
    assert probing.calls() == ["first.probe"] * 3 + ["second.probe"]
    assert pauses == list(_step.BACK_OFF_S[:2])
    assert pauses == sorted(pauses)
    assert "first.probe: the store is busy; again in 0.2 s" in probing.said


def test_an_error_that_stays_stops_the_run_which_can_be_resumed(
    probing: Probing, pauses: list[float]
) -> None:
    tries = len(_step.BACK_OFF_S) + 1
    probing.write(f"first: pass; {'passing, ' * tries} pass", "second: pass")
    stopped = probing.run()
    assert (stopped.exit_code, len(pauses)) == (5, tries - 1)
    assert (stopped.document["state"], stopped.document["verdict"]) == ("waiting", None)
    assert stopped.document["errors"] == ["the store is busy"]
    assert probing.calls() == ["first.probe"] + ["first.probe-2"] * tries
    resumed = probing.run()
    assert (resumed.exit_code, resumed.document["run"]) == (0, stopped.document["run"])
    assert resumed.document["errors"] == []
    assert probing.calls()[tries + 1 :] == ["first.probe-2", "second.probe"]


def test_a_ledger_that_cannot_be_written_is_told(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing.write("first: pass")
    probing.open().ledger.close()
    with monkeypatch.context() as patched:
        patched.setattr("seatrial.ledger.store.BUSY_TIMEOUT_MS", 10)
        other = sqlite3.connect(probing.folder / ".seatrial" / "ledger.db")
        other.execute("BEGIN IMMEDIATE")
        refused = probing.run()
        other.close()
    assert (refused.exit_code, refused.document["run"]) == (5, None)
    assert "the ledger cannot be used: database is locked" in str(refused.error)
    assert probing.run().exit_code == 0


def test_another_error_is_not_tried_again(probing: Probing, pauses: list[float]) -> None:
    probing.write("first: store, pass")
    stopped = probing.run()
    assert (stopped.exit_code, pauses, probing.calls()) == (5, [], ["first.probe"])
    assert stopped.document["errors"] == ["the disk is full"]
    assert probing.run().exit_code == 0


def test_a_fault_of_a_plugin_stops_the_run_which_can_be_resumed(probing: Probing) -> None:
    probing.write("first: pass; bug, pass")
    failed = probing.run()
    assert failed.exit_code == 70
    assert isinstance(failed.error, FaultError)
    assert isinstance(failed.error.__cause__, RuntimeError)
    assert failed.document["state"] == "waiting"
    (stopped,) = runs.latest(probing.open().ledger)
    assert (stopped.state, stopped.ended) == (State.STOPPED, None)
    assert stopped.errors == (str(failed.error),)
    resumed = probing.run()
    assert (resumed.exit_code, resumed.document["run"]) == (0, stopped.id)
    assert probing.calls() == ["first.probe", "first.probe-2", "first.probe-2"]
    verify(probing.open().ledger)


def test_a_fault_of_a_plugin_exits_70_and_says_what_to_do(
    probing: Probing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    probing.write("first: bug, pass")
    file = str(probing.folder / "pipeline.yaml")
    monkeypatch.setattr("sys.argv", ["seatrial", "run", file])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr().err
    assert left.value.code == 70
    assert "first.probe failed: RuntimeError: a fault of the plugin" in told
    assert "Traceback" not in told
    resumed = CliRunner().invoke(root, ["run", file], standalone_mode=False)
    assert (resumed.return_value, "resumed" in resumed.output) == (0, True)


def test_a_word_that_two_packages_claim_is_an_error(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing.write("first: pass")
    monkeypatch.syspath_prepend(str(probing.folder / "site"))
    _install(probing.folder, "clashing", "probe = clashing:Probe")
    with pytest.raises(FileError, match="the word 'probe' is claimed twice") as raised:
        probing.run()
    assert raised.value.exit_code == 2
    assert "clashing:Probe" in str(raised.value)
    assert "seatrial_probe:Probe" in str(raised.value)
    assert "uninstall one of the two" in str(raised.value)


def test_a_word_of_ours_cannot_be_claimed(
    probing: Probing, monkeypatch: pytest.MonkeyPatch
) -> None:
    probing.write("first: pass")
    monkeypatch.syspath_prepend(str(probing.folder / "site"))
    _install(probing.folder, "taking", "train = taking:Train")
    with pytest.raises(FileError, match="'train' is claimed twice: by seatrial itself"):
        probing.run()


def _install(folder: Path, name: str, entry_point: str) -> None:
    """What pip leaves behind of a package, as far as entry points go."""
    about = folder / "site" / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[seatrial.tasks]\n{entry_point}\n")
    extend.names.cache_clear()
    extend._installed.cache_clear()
