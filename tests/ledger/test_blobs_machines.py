"""The founding pipeline with its blobs on S3, and a second machine that has nothing but the ledger.

Through the program, as its users do it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from running import MODEL, Gateway, Project, founding, serving, until
from seatrial.registry import gateways
from stores import _s3_server as _s3_server  # noqa: PLC0414 - a fixture is known by its import
from stores import aim
from stores import s3 as s3  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Fleet:
    """A project whose blobs are in a store, as one machine delivered it."""

    project: Project
    files: Any
    address: str

    def machine(self, name: str) -> Path:
        """A home with the ledger, and nothing else."""
        home = self.project.folder.parent / name
        shutil.copytree(self.project.home, home, ignore=shutil.ignore_patterns("blobs"))
        return home


def _fleet(s3: str, folder: Path) -> Fleet:
    files = fsspec.filesystem(
        "s3", skip_instance_cache=True, use_listings_cache=False, endpoint_url=s3
    )
    name = f"harbour-{abs(hash(folder)):x}"
    files.mkdir(name)
    return Fleet(founding(folder / "project"), files, f"{name}/flights")


@pytest.fixture(scope="session")
def _delivered(_s3_server: str, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    with pytest.MonkeyPatch.context() as patch:
        aim(patch, _s3_server)
        made = _fleet(_s3_server, tmp_path_factory.mktemp("fleet"))
        patch.setenv("SEATRIAL_BLOBS", f"s3://{made.address}")
        ended = made.project.command("run", "pipeline.yaml")
        assert ended.returncode == 0, ended.stderr
    return made


@pytest.fixture
def fresh(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Nothing ran yet."""
    made = _fleet(s3, tmp_path)
    monkeypatch.setenv("SEATRIAL_BLOBS", f"s3://{made.address}")
    return made


@pytest.fixture
def fleet(s3: str, _delivered: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """Version 1 is in production."""
    assert s3
    folder = shutil.copytree(_delivered.project.folder, tmp_path / "project")
    monkeypatch.setenv("SEATRIAL_BLOBS", f"s3://{_delivered.address}")
    return Fleet(Project(Path(folder)), _delivered.files, _delivered.address)


def _there(fleet: Fleet) -> set[str]:
    """The names of the blobs; beside them the store notes whose they are."""
    return {path.rpartition("/")[2] for path in fleet.files.find(fleet.address)} - {"ledger"}


def _here(home: Path) -> set[str]:
    return {file.name for file in (home / "blobs").glob("[0-9a-f][0-9a-f]/*")}


@pytest.mark.slow
def test_a_second_machine_does_everything_with_the_ledger_alone(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fleet.project
    assert _there(fleet) >= _here(project.home)
    home = fleet.machine("second")
    monkeypatch.setenv("SEATRIAL_HOME", str(home))
    assert f"{MODEL}  1" in project.command("models").stdout
    assert not (home / "blobs").exists()
    bundled = project.command("bundle", "1", "-o", "bundle", "--json")
    assert bundled.returncode == 0, bundled.stderr
    assert (project.folder / "bundle" / "model.onnx").exists()
    assert project.command("history", "--verify").returncode == 0
    again = project.command("run", "pipeline.yaml", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["model"]["version"] == 1
    assert "re-used: nothing changed" in again.stdout
    shutil.rmtree(home / "blobs")
    with serving(project) as gateway:
        assert gateway.version() == 1
        assert len(_here(home)) >= 4
        assert not _speak_with_stores(gateway.process.pid)
    collected = project.command("gc", "--json")
    assert json.loads(collected.stdout) == {"versions": [], "blobs": 0, "bytes": 0}


def _speak_with_stores(supervisor: int) -> list[str]:
    """The processes of a gateway that have loaded what speaks with S3."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    assert len(children) >= 3
    return [
        Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        for pid in (str(supervisor), *children)
        if "aiohttp" in Path(f"/proc/{pid}/maps").read_text()
    ]


@pytest.mark.slow
def test_a_gateway_puts_its_copies_right(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    home = fleet.machine("second")
    monkeypatch.setenv("SEATRIAL_HOME", str(home))
    shutil.copytree(fleet.project.home / "blobs", home / "blobs")
    for file in (home / "blobs").glob("[0-9a-f][0-9a-f]/*"):
        file.write_bytes(file.read_bytes()[:-1])
    with serving(fleet.project) as gateway:
        assert gateway.version() == 1


@contextmanager
def _forwarding(port: int, address: str) -> Iterator[None]:
    """Whatever is sent to a port of this machine goes to a server, and back."""
    host, _, number = address.removeprefix("http://").rpartition(":")

    class Forward(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((host, int(number))) as far:
                back = threading.Thread(target=_pour, args=[far, self.request])
                back.start()
                _pour(self.request, far)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), Forward) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield
        server.shutdown()
        thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(1 << 16):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
    return port


def _why(gateway: Gateway) -> str:
    """What the gateway says of the version that it lacks."""
    with gateway.project.stores() as stores:
        said = gateways.readiness(stores.ledger, MODEL, 1).get(gateway.identity)
    return (said and said.reason) or ""


@pytest.mark.slow
def test_a_gateway_waits_for_a_store_that_is_down_and_serves_what_lies_here_meanwhile(
    fleet: Fleet, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = fleet.machine("second")
    monkeypatch.setenv("SEATRIAL_HOME", str(home))
    port = _free_port()
    aim(monkeypatch, f"http://127.0.0.1:{port}")
    with serving(fleet.project, wait=False) as gateway:
        refused = until(
            lambda: [each for each in gateway.logged() if each["event"] == "refused"],
            "a worker says what it lacks",
        )
        assert refused[0]["kind"] == "failed"
        assert gateway.ask("GET", "/v2/health/live")[0] == 200
        assert not gateway.ready()
        until(lambda: "the store cannot be reached" in _why(gateway), "it is told why")
        with _forwarding(port, s3):
            until(gateway.ready, "the store is there, and then the version")
            assert gateway.version() == 1
    with serving(fleet.project) as gateway:  # down again, and nothing is missing here
        assert gateway.version() == 1


@pytest.mark.slow
def test_a_run_stops_while_the_store_is_down_and_goes_on_afterwards(
    fresh: Fleet, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = fresh.project
    aim(monkeypatch, f"http://127.0.0.1:{_free_port()}")
    stopped = project.command("run", "pipeline.yaml", "--json")
    assert stopped.returncode == 5, stopped.stderr
    assert "the store cannot be reached" in stopped.stderr
    assert len(stopped.stderr.strip().splitlines()[-6:]) <= 6
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in stopped.stderr
    aim(monkeypatch, s3)
    went_on = project.command("run", "pipeline.yaml", "--json")
    assert went_on.returncode == 0, went_on.stderr
    assert json.loads(went_on.stdout)["run"] == json.loads(stopped.stdout)["run"]
    assert _there(fresh) == _here(project.home)


TESTS = """
def test_both_are_here(seatrial_model, seatrial_production):
    assert (seatrial_model.version, seatrial_production.version) == (2, 1)
"""
JUDGED = """
      - unit_tests: {tests: tests}
      - performance_tests: {latency: {times: 100, p95_ms: 1000}}
"""


@pytest.mark.slow
def test_what_production_needs_is_brought_for_processes_that_cannot(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project's own tests cannot write a copy; what measures must not measure the network."""
    project = fleet.project
    text = project.file.read_text()
    before, after = text.index("      - shadow_tests"), text.index("  - name: deploy_model")
    project.file.write_text(text[:before] + JUDGED.lstrip("\n") + text[after:])
    (project.folder / "config" / "hyperparameters.yaml").write_text("n_estimators: 25\n")
    (project.folder / "tests").mkdir()
    (project.folder / "tests" / "test_both.py").write_text(TESTS)
    monkeypatch.setenv("SEATRIAL_HOME", str(fleet.machine("second")))
    ended = project.command("run", "pipeline.yaml", "--json")
    document = json.loads(ended.stdout)
    assert document["errors"] == [], ended.stderr
    tasks = {task["task"]: task for stage in document["stages"] for task in stage["tasks"]}
    assert tasks["unit_tests-2"]["reason"] == "1 test of tests passes", tasks["unit_tests-2"]
    measures = {each["name"] for each in tasks["performance_tests"]["measures"]}
    assert {"memory_mb", "memory_mb.production"} <= measures


@pytest.mark.slow
def test_an_address_that_is_none_is_told_by_every_command(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEATRIAL_BLOBS", "harbour/flights")
    for words in (["run", "pipeline.yaml"], ["models"], ["gc"]):
        ended = fleet.project.command(*words)
        assert ended.returncode == 2, ended.stderr
        assert "it is no address of a store of blobs" in ended.stderr
        assert "where: SEATRIAL_BLOBS" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["", "s3://nowhere/flights", "elsewhere"])
def test_a_machine_that_would_keep_blobs_elsewhere_is_told_before_anything_is_done(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    if wrong == "elsewhere":  # a place in the same bucket, in which nothing is
        wrong = f"s3://{fleet.address.partition('/')[0]}/flihgts"
    monkeypatch.setenv("SEATRIAL_HOME", str(fleet.machine("second")))
    before = fleet.project.command("runs", "--json").stdout
    monkeypatch.setenv("SEATRIAL_BLOBS", wrong)
    fleet.project.rows("training_data", 1500, 3)
    said = fleet.project.command("run", "pipeline.yaml")
    if wrong.startswith("s3://nowhere"):
        assert (said.returncode, "the bucket does not exist" in said.stderr) == (5, True), said
    else:
        assert (said.returncode, said.stdout) == (2, ""), said
        assert f"the blobs of this project are in s3://{fleet.address}\n" in said.stderr
        assert f"fix: export SEATRIAL_BLOBS=s3://{fleet.address}; to move them" in said.stderr
    assert fleet.project.command("runs", "--json").stdout == before


@pytest.mark.slow
def test_a_store_that_was_copied_with_the_note_of_whose_it_is_may_take_over(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = fleet.address.partition("/")[0]
    moved = f"{bucket}/moved"
    for path in fleet.files.find(fleet.address):
        fleet.files.pipe_file(path.replace(fleet.address, moved), fleet.files.cat_file(path))
    monkeypatch.setenv("SEATRIAL_BLOBS", f"s3://{moved}")
    fleet.project.rows("training_data", 1500, 3)
    fleet.project.command("profile", "data/training_data.csv", "-o", "baseline_distribution.json")
    with serving(fleet.project):  # the shadow test asks for one
        said = fleet.project.command("run", "pipeline.yaml", "--json")
    assert json.loads(said.stdout)["model"]["version"] == 2, said
    assert fleet.project.command("history", "--verify").returncode == 0
    # from now on that is where they are
    monkeypatch.setenv("SEATRIAL_BLOBS", f"s3://{fleet.address}")
    fleet.files.rm(f"{fleet.address}/ledger")
    again = fleet.project.command("run", "pipeline.yaml")
    assert f"the blobs of this project are in s3://{moved}\n" in again.stderr
