"""A gateway compares its machine with where a version was trained, before it serves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from running import MODEL, serving, until
from seatrial.registry import gateways

if TYPE_CHECKING:
    from running import Gateway, Project

pytestmark = pytest.mark.slow  # a gateway each

COMPARING = str(Path(__file__).parents[1] / "faults" / "comparing_faults")

WITHOUT_SHADOW = (
    "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
)
THREADS_COUNT = "environment: {policy: {variables: error}}\nstages:"


def _said(project: Project, gateway: Gateway, version: int) -> tuple[str, str]:
    """What the gateway has said of a version, and the reason; nothing yet is empty."""
    with project.stores() as stores:
        told = gateways.readiness(stores.ledger, MODEL, version).get(gateway.identity)
    return ("", "") if told is None else (told.state, told.reason or "")


def _proven(gateway: Gateway, version: int) -> list[tuple[str, str]]:
    """What the gateway logged of the proofs of a version."""
    return [
        (line["kind"], line["reason"])
        for line in gateway.logged()
        if line["event"] == "proven" and line["version"] == version
    ]


def _staged(project: Project, **changes: Any) -> int:
    """Version 1's model as another version, with a changed manifest; it is staged."""
    with project.stores() as stores:
        registry = stores.registry
        manifest = registry.manifest(registry.version(MODEL, 1)) | changes
        made = registry.register(MODEL, manifest, label="other", run="x", by="test")
        return made.version


def _environment(project: Project) -> dict[str, Any]:
    """Where version 1 was trained."""
    with project.stores() as stores:
        manifest: dict[str, Any] = stores.registry.manifest(stores.registry.version(MODEL, 1))
    return dict(manifest["environment"])


def test_where_nothing_differs_nothing_is_said(delivered: Project) -> None:
    with serving(delivered) as gateway:
        until(lambda: _proven(gateway, 1), "what answers is compared too")
        assert _proven(gateway, 1) == [("ready", "")]
        assert _said(delivered, gateway, 1) == ("serving", "")
        assert delivered.command("status").stdout.count("gateway ") == 0


def test_another_machine_that_answers_equally_serves_and_that_is_recorded(
    delivered: Project,
) -> None:
    trained = _environment(delivered) | {"machine": "aarch64", "libc": "musl 1.2"}
    version = _staged(delivered, environment=trained)
    with serving(delivered) as gateway:
        state, reason = until(lambda: _ready(delivered, gateway, version), "it is ready")
        assert state == "ready"
        assert "warn machine: aarch64 -> " in reason
        assert "warn libc: musl 1.2 -> " in reason
        assert _proven(gateway, version) == [("ready", reason)]
        said = delivered.command("promote", MODEL, str(version), "--reason", "it is better")
        assert said.returncode == 0, said.stderr
        assert "warn machine" in said.stdout
        assert gateway.version() == version
        assert _said(delivered, gateway, version) == ("serving", reason)
        assert "warn machine" in delivered.command("status").stdout


def _ready(project: Project, gateway: Gateway, version: int) -> tuple[str, str] | None:
    said = _said(project, gateway, version)
    return said if said[0] else None


def test_a_version_that_needs_what_is_not_there_is_refused(delivered: Project) -> None:
    trained = _environment(delivered)
    trained["dependencies"] = {**trained["dependencies"], "no-such-package": "1.0"}
    needs = {
        "form": "onnx",
        "packages": ["no-such-package", "numpy", "onnxruntime"],
        "providers": ["CPUExecutionProvider"],
        "int8": "none",
        "saturates": False,
    }
    version = _staged(delivered, environment=trained, needs=needs)
    with serving(delivered) as gateway:
        state, reason = until(lambda: _ready(delivered, gateway, version), "it is judged")
        assert state == "refused"
        assert reason.startswith("this machine does not fit it: error dependencies.no-such-package")
        said = delivered.command("promote", MODEL, str(version), "--reason", "try")
        assert said.returncode == 5
        assert "no-such-package" in said.stderr
        status = delivered.command("status").stdout
        assert f"on {MODEL} version {version}: this machine does not fit it: error" in status
        assert gateway.version() == 1


def test_a_policy_stops_the_run_and_production_stays(delivered: Project) -> None:
    """What the pipeline file says goes with the version to the gateway."""
    text = delivered.file.read_text().replace(WITHOUT_SHADOW, "")
    delivered.file.write_text(text.replace("stages:", THREADS_COUNT))
    delivered.rows("training_data", 1500, 11)
    with serving(delivered, OMP_NUM_THREADS="7") as gateway:
        driven = delivered.run()
        assert driven.exit_code == 1, driven.document["errors"]
        assert driven.document["production"] == {"before": 1, "after": 1}
        (stage,) = [s for s in driven.document["stages"] if s["name"] == "deploy_model"]
        promoted = stage["tasks"][0]
        assert promoted["verdict"] == "fail"
        assert "error variables.OMP_NUM_THREADS" in promoted["reason"]
        assert gateway.version() == 1


def test_what_was_delivered_serves_on_after_an_upgrade_and_that_is_told(
    delivered: Project,
) -> None:
    """A machine that no longer fits is no reason to leave everybody without answers."""
    text = delivered.file.read_text().replace(WITHOUT_SHADOW, "")
    delivered.file.write_text(text.replace("stages:", THREADS_COUNT))
    delivered.rows("training_data", 1500, 11)
    driven = delivered.run()
    assert driven.document["production"] == {"before": 1, "after": 2}, driven.document["errors"]
    with serving(delivered, OMP_NUM_THREADS="7") as gateway:
        assert gateway.version() == 2
        until(lambda: _said(delivered, gateway, 2)[1], "what differs is said")
        state, reason = _said(delivered, gateway, 2)
        assert state == "serving"
        assert reason.startswith("it serves because it was delivered before, but: error variables")
        assert _proven(gateway, 2) == [("ready", reason)]
        # what was in production before is prepared all the same: a rollback loads nothing
        until(lambda: _said(delivered, gateway, 1)[0] == "ready", "version 1 is ready")
        with delivered.stores() as stores:
            kinds = [event.kind for event in stores.ledger.events()]
        assert kinds.count("version_served") == 1  # said once, though more was said about it


@pytest.mark.parametrize(("fault", "how"), [("segv", "SIGSEGV"), ("raise", "exit code 1")])
def test_a_machine_that_cannot_be_compared_stops_only_what_was_never_delivered(
    delivered: Project, fault: str, how: str
) -> None:
    """Of what was delivered before the answers are known, and a rollback needs it."""
    assert delivered.retrain(seed=11) == 2
    assert delivered.command("promote", MODEL, "2", "--reason", "on").returncode == 0
    new = _staged(delivered, environment={})
    why = "its environment could not be compared: the process that looks ended with " + how
    with serving(delivered, PYTHONPATH=COMPARING, SEATRIAL_COMPARING=fault) as gateway:
        until(lambda: _said(delivered, gateway, new)[0], "the new one is judged")
        assert _said(delivered, gateway, new) == ("failed", why)
        assert delivered.command("promote", MODEL, str(new), "--reason", "try").returncode == 5
        assert gateway.version() == 2
        until(lambda: _said(delivered, gateway, 1) == ("ready", why), "version 1 is ready")
        said = delivered.command("rollback", MODEL, "--reason", "it is worse")
        assert said.returncode == 0, said.stderr
        assert gateway.version() == 1


def test_what_a_library_prints_while_it_is_asked_hurts_nobody(delivered: Project) -> None:
    version = _staged(delivered, environment={})
    with serving(delivered, PYTHONPATH=COMPARING, SEATRIAL_COMPARING="print") as gateway:
        until(lambda: _said(delivered, gateway, version)[0], "it is judged")
        assert _said(delivered, gateway, version) == ("ready", "")
        until(lambda: _proven(gateway, 1), "what answers is compared too")
        assert _proven(gateway, 1) == [("ready", "")]
        assert gateway.version() == 1
