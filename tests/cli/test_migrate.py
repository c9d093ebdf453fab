"""`seatrial migrate`: the same project elsewhere, whole, and nobody goes on with the old copy."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from seatrial import workspace
from seatrial.errors import StoreError, UsageError
from seatrial.ledger.blob_stores.store import BlobStore
from seatrial.ledger.blobs import Blobs, digest_of
from seatrial.ledger.moved import moved
from seatrial.ledger.store import Ledger
from seatrial.registry import gateways
from seatrial.registry.project import open_project
from seatrial.serve import jobs
from shared_places import PASSWORD, connected, new_bucket, new_schema

from .conftest import MODEL

if TYPE_CHECKING:
    from postgres import Server

    from .conftest import Program, Project

pytestmark = pytest.mark.slow  # a database and a store of its own

VICTIM = Path(__file__).parents[1] / "faults" / "moving_victim.py"
TOLD = (
    ("models", "--json"),
    ("history", "--json"),
    ("runs", "--json"),
    ("reviews", "--json"),
    ("history", "--verify", "--json"),
)
"""What must be the same before and after."""


@pytest.fixture
def database(postgres: Server) -> str:
    return new_schema(postgres)


@pytest.fixture
def store(s3: str) -> str:
    return f"{new_bucket(s3)}/flights"


def _aim(patch: pytest.MonkeyPatch, database: str | None, store: str | None = None) -> None:
    for name, value in ((workspace.DATABASE, database), (workspace.BLOBS, store)):
        if value is None:
            patch.delenv(name, raising=False)
        else:
            patch.setenv(name, value)


def _told(seatrial: Program) -> list[str]:
    return [seatrial(*words).out for words in TOLD]


def _demand_same(seatrial: Program, before: list[str], added: int = 1) -> None:
    """What was told before, of the same chain; since then the ledger has said where the blobs are.

    ``added``: by how many events it grew.
    """
    *told, verified = _told(seatrial)
    *known, noted = before
    assert told == known
    then, now = json.loads(noted), json.loads(verified)
    assert (now["intact"], now["events"]) == (True, then["events"] + added)
    assert seatrial("history", "--verify", "--head", then["head"]).code == 0


def _events(database: str) -> int:
    ledger = Ledger(database, workspace.now)
    try:
        return len([*ledger.events()])
    finally:
        ledger.close()


def _home() -> Path:
    return Path.cwd() / ".seatrial"


def test_a_project_moves_with_all_that_it_knows(
    third: Project, seatrial: Program, database: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _told(seatrial)
    done = seatrial("migrate", "--database", database, "--blobs", store, "--json")
    assert done.code == 0, done.err
    told = done.json
    head = json.loads(before[-1])
    assert (told["events"], told["head"]) == (head["events"], head["head"])
    blobs = [*Blobs(_home() / "blobs").all()]
    assert (told["blobs_put"], told["blobs_there"], told["blobs_left"]) == (len(blobs), 0, 0)
    assert told["bytes"] == sum(path.stat().st_size for _, path in blobs)
    assert 0 < told["blobs_verified"] <= len(blobs)
    _aim(monkeypatch, database, store)
    _demand_same(seatrial, before)
    # another machine has neither the files nor the note
    monkeypatch.setenv("SEATRIAL_HOME", str(third.folder.parent / "elsewhere"))
    _demand_same(seatrial, before)
    assert seatrial("env", "verify", f"{MODEL}@production").code == 0
    assert seatrial("rollback", MODEL, "--reason", "it can").code == 0


def test_a_run_that_was_stopped_before_goes_on_after(
    delivered: Project,
    seatrial: Program,
    database: str,
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivered.replace("n_estimators: 20", "n_estimators: 25", "config/hyperparameters.yaml")
    stopped = seatrial("run", "pipeline.yaml", "--json")
    assert stopped.code == 5, stopped.err  # the shadow test finds no gateway
    assert seatrial("migrate", "--database", database, "--blobs", store).code == 0
    _aim(monkeypatch, database, store)
    resumed = seatrial("run", "pipeline.yaml", "--json")
    assert resumed.code == 5, resumed.err
    assert resumed.json["run"] == stopped.json["run"]
    trained = [run["stages"][1]["tasks"][0] for run in (stopped.json, resumed.json)]
    assert trained[0] == trained[1]  # what was done is not done again


def test_the_old_copy_says_where_the_project_is(
    delivered: Project,
    seatrial: Program,
    database: str,
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = seatrial("migrate", "--database", database, "--blobs", store)
    assert done.code == 0, done.err
    ledger = f"export SEATRIAL_DATABASE='{database.replace(PASSWORD, 'PASSWORD')}'"
    blobs = f"export SEATRIAL_BLOBS={store}"
    assert f"  {ledger}\n  {blobs}\n" in done.out
    for words in (("models",), ("run", "pipeline.yaml"), ("history", "--verify"), ("gc",)):
        said = seatrial(*words)
        assert (said.code, len(said.mistakes)) == (2, 2), said
        assert said.mistakes[0][0].startswith("the ledger of this project moved to postgresql://")
        assert said.mistakes[1][0] == f"the blobs of this project moved to {store}"
        assert [lines[-1] for lines in said.mistakes] == [f"  fix: {ledger}", f"  fix: {blobs}"]
        assert PASSWORD not in done.out + said.out + said.err
    _aim(monkeypatch, database)
    said = seatrial("models")
    assert (said.code, said.mistakes[0][-1]) == (2, f"  fix: {blobs}")
    assert PASSWORD not in (_home() / "moved.json").read_text()
    assert delivered.ledger.exists()  # nothing is removed


def test_another_ledger_than_the_one_it_moved_to_is_refused(
    delivered: Project,
    seatrial: Program,
    postgres: Server,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del delivered
    assert seatrial("migrate", "--database", database).code == 0
    _aim(monkeypatch, new_schema(postgres))
    said = seatrial("models")
    assert said.code == 2
    assert "is not the ledger of this project, which moved to postgresql://" in said.err
    _aim(monkeypatch, database)
    assert seatrial("models").code == 0


def test_who_opened_the_old_copy_before_writes_nothing_to_it_after(
    delivered: Project, seatrial: Program, database: str, store: str
) -> None:
    old = open_project(workspace.at(delivered.folder))
    try:
        assert seatrial("migrate", "--database", database, "--blobs", store).code == 0
        with pytest.raises(StoreError, match=r"was moved to postgresql:.*set SEATRIAL_DATABASE"):
            old.ledger.write(lambda transaction: transaction.append("late", {}))
        with pytest.raises(UsageError, match="the blobs of this project moved to s3://"):
            old.registry.blobs.put(b"late")
    finally:
        old.ledger.close()


def test_done_again_it_finds_all_done(
    third: Project, seatrial: Program, database: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del third
    to = ("--database", database, "--blobs", store)
    assert seatrial("migrate", *to).code == 0
    _aim(monkeypatch, database, store)
    assert seatrial("rollback", MODEL, "--reason", "it went on").code == 0
    before = _told(seatrial)
    for words in (to, ()):
        again = seatrial("migrate", *words)
        assert (again.code, "nothing was left to be moved" in again.out) == (0, True), again.err
    _aim(monkeypatch, None)
    assert seatrial("migrate", *to).code == 0
    _aim(monkeypatch, database, store)
    _demand_same(seatrial, before, added=0)


def test_a_project_that_was_begun_in_a_database_has_nothing_to_move(
    founding: Project, seatrial: Program, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del founding
    _aim(monkeypatch, database)
    assert seatrial("run", "pipeline.yaml").code == 0
    done = seatrial("migrate")
    assert (done.code, "nothing was left to be moved" in done.out) == (0, True), done.err
    assert "export" not in done.out
    assert not (_home() / "moved.json").exists()


def test_the_ledger_first_and_the_blobs_later(
    third: Project, seatrial: Program, database: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del third
    first = seatrial("migrate", "--database", database)
    assert first.code == 0, first.err
    assert "the blobs are still in this home" in first.out
    _aim(monkeypatch, database)
    assert seatrial("rollback", MODEL, "--reason", "meanwhile").code == 0
    before = _told(seatrial)
    second = seatrial("migrate", "--blobs", store, "--json")
    assert second.code == 0, second.err
    assert (second.json["rows"], second.json["blobs_put"] > 0) == (0, True)
    assert moved(_home()).blobs == store
    _aim(monkeypatch, database, store)
    _demand_same(seatrial, before)


def test_the_blobs_first_and_the_ledger_later(
    third: Project, seatrial: Program, database: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del third
    assert seatrial("migrate", "--blobs", store).code == 0
    _aim(monkeypatch, None, store)
    assert seatrial("rollback", MODEL, "--reason", "meanwhile").code == 0
    before = _told(seatrial)
    assert seatrial("migrate", "--database", database).code == 0
    _aim(monkeypatch, database, store)
    _demand_same(seatrial, before, added=0)


@pytest.mark.parametrize(
    "point",
    [
        "after three blobs",
        "before the ledger",
        "within the ledger",
        "before it is verified",
        "before the old one is closed",
        "before the note",
    ],
)
def test_killed_anywhere_it_goes_on(
    point: str,
    third: Project,
    seatrial: Program,
    database: str,
    store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    to = ("--database", database, "--blobs", store)
    killed = subprocess.run(
        [sys.executable, str(VICTIM), point, "migrate", *to],
        cwd=third.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert moved(_home()).database is None
    closed = point == "before the note"
    went_on = seatrial("rollback", MODEL, "--reason", "meanwhile")
    assert went_on.code == (5 if closed else 0), went_on.err
    before = _told(seatrial)
    done = seatrial("migrate", *to)
    assert done.code == 0, done.err
    _aim(monkeypatch, database, store)
    _demand_same(seatrial, before)
    blobs = [*Blobs(_home() / "blobs").all()]
    assert all(digest_of(path.read_bytes()) == digest for digest, path in blobs)


def test_what_went_on_elsewhere_after_a_kill_is_not_overwritten(
    third: Project, seatrial: Program, database: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both went on: which of them counts only a person can say."""
    to = ("--database", database, "--blobs", store)
    point = "before the old one is closed"
    subprocess.run(
        [sys.executable, str(VICTIM), point, "migrate", *to],
        cwd=third.folder, capture_output=True, check=False,
    )  # fmt: skip
    assert seatrial("rollback", MODEL, "--reason", "here").code == 0
    with monkeypatch.context() as elsewhere:
        _aim(elsewhere, database, store)
        elsewhere.setenv("SEATRIAL_HOME", str(third.folder.parent / "elsewhere"))
        assert seatrial("rollback", MODEL, "--reason", "there").code == 0
        there = seatrial("history", "--json").out
    said = seatrial("migrate", *to)
    assert (said.code, "went on otherwise than the one here" in said.err) == (2, True), said.err
    assert seatrial("models").code == 0
    _aim(monkeypatch, database, store)
    assert seatrial("history", "--json").out == there


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_blob_that_is_not_whole_is_told_before_anything_is_switched(
    how: str, delivered: Project, seatrial: Program, database: str, store: str
) -> None:
    with_project = open_project(workspace.at(delivered.folder))
    (version,) = with_project.registry.versions()
    files = with_project.registry.manifest(version)["files"]
    with_project.ledger.close()
    assert isinstance(files, dict)
    lost = [Blobs(_home() / "blobs").path(files[name]) for name in ("model.onnx", "golden.json")]
    for path in lost:
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(b"x" + path.read_bytes())
    for to in (("--database", database, "--blobs", store), ("--database", database)):
        said = seatrial("migrate", *to)
        assert (said.code, len(said.mistakes)) == (5, len(lost)), said.err
        assert f"a blob of {MODEL} version 1 is missing or damaged" in said.err
        assert _events(database) == 0
        assert seatrial("models").code == 0


def test_a_damaged_file_that_nothing_needs_is_left(
    delivered: Project, seatrial: Program, database: str, store: str
) -> None:
    del delivered
    stray = _home() / "blobs" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half")
    done = seatrial("migrate", "--database", database, "--blobs", store)
    assert (done.code, "left 1 damaged files" in done.out) == (0, True), done.err
    assert stray.exists()


def test_a_schema_of_somebody_else_is_left_alone(
    delivered: Project, seatrial: Program, postgres: Server, database: str
) -> None:
    del delivered
    with connected(postgres) as connection:
        schema = database.rpartition("%3D")[2]
        connection.execute(f"CREATE TABLE {schema}.orders (id int)")
    said = seatrial("migrate", "--database", database)
    assert (said.code, "'orders' that is not of seatrial" in said.err) == (2, True), said.err
    assert seatrial("models").code == 0


def test_a_schema_with_another_ledger_is_left_alone(
    delivered: Project,
    seatrial: Program,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del delivered
    with monkeypatch.context() as other:
        _aim(other, database)
        other.setenv("SEATRIAL_HOME", str(tmp_path / "other"))
        ledger = Ledger(database, workspace.now)
        ledger.write(lambda transaction: transaction.append("theirs", {}))
        ledger.close()
    said = seatrial("migrate", "--database", database)
    assert (said.code, "there is another ledger already" in said.err) == (2, True), said.err
    assert _events(database) == 1
    assert seatrial("models").code == 0


def test_a_store_of_another_project_is_left_alone(
    delivered: Project, seatrial: Program, database: str, store: str
) -> None:
    del delivered
    BlobStore(store).claim("f" * 64)
    said = seatrial("migrate", "--database", database, "--blobs", store)
    assert (said.code, "the blobs of another project" in said.err) == (5, True), said.err
    assert [*BlobStore(store).kept()] == []
    assert _events(database) == 0


@pytest.mark.parametrize(
    "words",
    [
        ("--database", "mysql://ann:keel-3-secret@db/x"),
        ("--database", "postgresql://ann:keel@3-secret@db/x"),
        ("--blobs", "bucket/project"),
        ("--blobs", "s3://ann:keel-3-secret@bucket/project"),
    ],
)
def test_an_address_that_cannot_be_one_is_told_of_the_option(
    delivered: Project, seatrial: Program, words: tuple[str, str]
) -> None:
    before = delivered.snapshot()
    said = seatrial("migrate", *words)
    assert (said.code, said.out) == (2, "")
    assert f"\n  where: {words[0]}\n" in said.err
    assert "3-secret" not in said.err
    assert delivered.snapshot() == before


@pytest.mark.parametrize("content", ["[]", '{"database": 5}', "{", '"x"'])
def test_a_note_of_where_it_moved_that_is_damaged_is_told(
    delivered: Project, seatrial: Program, content: str
) -> None:
    del delivered
    (_home() / "moved.json").write_text(content)
    said = seatrial("models")
    assert (said.code, f"\n  where: {_home() / 'moved.json'}\n" in said.err) == (5, True), said.err


def test_nobody_else_may_be_at_work(delivered: Project, seatrial: Program, database: str) -> None:
    home = _home()
    with (home / "lock").open("r+b") as held:
        held.write(b"run 01J of p, step a.b (pid 7)")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        said = seatrial("migrate", "--database", database)
        assert said.code == 5
        assert "a step is performed: run 01J of p, step a.b (pid 7)" in said.err
    with jobs.take(home, "nightly"):
        said = seatrial("migrate", "--database", database)
        assert (said.code, "another job of nightly is at work" in said.err) == (5, True), said.err
    ledger = Ledger(delivered.ledger, workspace.now)
    alive = gateways.hold(home, "01G")
    host = workspace.machine(home)
    address = "http://127.0.0.1:8080"
    gateways.enter(
        ledger, gateways.Gateway(id="01G", host=host, pid=os.getpid(), address=address, workers=1)
    )
    said = seatrial("migrate", "--database", database)
    assert (said.code, f"gateway {address}" in said.err) == (5, True), said.err
    alive.close()
    ledger.close()
    assert seatrial("migrate", "--database", database).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "neither a database nor a store of blobs is named"),
        (("--database", "mysql://a@b/c"), "a ledger cannot lie in mysql://"),
        (("--blobs", "harbour"), "it is no address of a store of blobs"),
    ],
)
def test_what_cannot_be_a_destination(
    words: tuple[str, ...], says: str, delivered: Project, seatrial: Program
) -> None:
    before = delivered.snapshot()
    said = seatrial("migrate", *words)
    assert (said.code, says in said.err) == (2, True), said.err
    assert delivered.snapshot() == before
    assert not (_home() / "moved.json").exists()


def test_there_is_no_project_to_move(
    tmp_path: Path, seatrial: Program, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = seatrial("migrate", "--database", database)
    assert (said.code, "there is no project here" in said.err) == (2, True), said.err


def test_a_database_that_is_not_there(delivered: Project, seatrial: Program) -> None:
    before = delivered.snapshot()
    said = seatrial("migrate", "--database", f"postgresql://ann:{PASSWORD}@127.0.0.1:1/fleet")
    assert (said.code, "does not answer" in said.err, PASSWORD in said.err) == (5, True, False)
    assert delivered.snapshot() == before
    assert seatrial("models").code == 0
