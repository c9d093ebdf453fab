"""A candidate beside production, from the pipeline file to the verdict, on real traffic."""

from __future__ import annotations

import json
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from running import MODEL, serving, until
from seatrial.ledger import runs
from seatrial.registry import shadows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from running import Gateway, Project

FAULTS = Path(__file__).parents[1] / "faults" / "shadow_faults"
TEST = "evaluate_model.shadow_tests"
SHORT = (f"{TEST}.traffic_percentage=100", f"{TEST}.duration_hours={6 / 3600}")


@contextmanager
def traffic(*gateways: Gateway, labels: bool = False) -> Iterator[list[BaseException]]:
    """Requests at a steady pace until the block ends; whatever failed."""
    stop, failed = threading.Event(), []

    def ask(client: Gateway, seed: int) -> None:
        random = np.random.default_rng(seed)
        try:
            while not stop.is_set():
                row = random.normal(size=3)
                said = client.infer([*row.round(3).tolist()])
                if labels:
                    truth = int(row @ np.array([1.0, 0.5, -0.3]) > 0)
                    told = json.dumps({"id": said["id"], "label": truth})
                    assert client.ask("POST", f"/v2/models/{MODEL}/feedback", told)[0] == 202
                time.sleep(0.002)
        except BaseException as error:  # noqa: BLE001 - the test tells it
            failed.append(error)
        finally:
            client.connection.close()

    threads = [
        threading.Thread(target=ask, args=(each.client(), seed))
        for seed, each in enumerate(gateways)
    ]
    for thread in threads:
        thread.start()
    try:
        yield failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def begin(project: Project, *changes: str) -> str:
    """Retrain, and come as far as the shadow test; the run."""
    project.rows("training_data", 1500, 21)
    driven = project.run(*(changes or SHORT))
    assert driven.exit_code == 4, driven.document
    return str(driven.document["run"])


def ended(project: Project, run: str) -> dict[str, Any]:
    """Wait until the scheduler has brought the run to its end; what the shadow test said."""
    with project.stores() as stores:
        until(
            lambda: (
                runs.get(stores.ledger, run).state
                in {runs.State.FINISHED, runs.State.REVIEW, runs.State.STOPPED}
            ),
            "the run ends",
            within_s=90,
        )
        steps = {step.address: step for step in runs.steps(stores.ledger, run)}
        outcome = steps[TEST].outcome
        assert outcome is not None, steps[TEST].reason
        kept = json.loads(stores.registry.blobs.get(outcome.blobs["shadow"]))
    return {
        "course": kept["course"],
        "verdict": str(outcome.verdict),
        "reason": outcome.reason,
        "measures": {measure.name: measure for measure in outcome.measures},
    }


@pytest.mark.slow
def test_candidate_that_holds_is_promoted_at_the_deadline(delivered: Project) -> None:
    with serving(delivered) as gateway:
        until(gateway.ready, "ready")
        with traffic(gateway, labels=True) as failed:
            run = begin(delivered)
            said = ended(delivered, run)
            assert said["verdict"] == "pass", said
            until(lambda: gateway.version() == 2, "version 2 serves")
        assert not failed
        measures = said["measures"]
        assert measures["achieved_share"].value > 0.8
        assert measures["errors"].value == 0
        assert measures["disagreement"].n > 300
        compared = said["course"]["compared"]
        assert len(compared) > 3
        assert compared == sorted(compared)
        assert compared[-1] == measures["disagreement"].n
        quality = [m for name, m in measures.items() if "accuracy" in name]
        assert quality, measures
        assert quality[0].n > 300


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", ["sleep", "raise", "exit", "segv", "memory", "burn", "shape", "nan"]
)
def test_faulty_candidate_never_passes_and_hurts_nobody(delivered: Project, fault: str) -> None:
    with serving(delivered, PYTHONPATH=str(FAULTS), SEATRIAL_FAULT=fault) as gateway:
        with traffic(gateway) as failed:
            said = ended(delivered, begin(delivered))
        assert said["verdict"] in {"fail", "inconclusive"}, said
        if fault in {"raise", "shape", "nan", "memory"}:
            assert said["verdict"] == "fail"
            assert said["measures"]["errors"].value == 1
        assert not failed
        assert gateway.version() == 1


@pytest.mark.slow
def test_survives_the_death_of_everything(delivered: Project) -> None:
    # requests stop while the gateway is dead: longer, and a bound that 99 of them reach
    changes = (SHORT[0], f"{TEST}.duration_hours={20 / 3600}", f"{TEST}.errors_percent=3")
    with serving(delivered) as gateway:
        with traffic(gateway) as failed:
            run = begin(delivered, *changes)
            time.sleep(3)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait()
    with serving(delivered) as gateway, traffic(gateway) as failed:
        said = ended(delivered, run)
        assert said["verdict"] == "pass", said
        assert not failed


@pytest.mark.slow
def test_counts_of_two_gateways_add_up(delivered: Project) -> None:
    with serving(delivered) as one, serving(delivered) as other:
        with traffic(one, other) as failed:
            run = begin(delivered)
            said = ended(delivered, run)
        assert not failed
        assert said["verdict"] == "pass", said
        with delivered.stores() as stores:
            told = shadows.tallies(stores.ledger, f"{run}/{TEST}")
        counted = {each.gateway: each.document["requests"] for each in told}
        assert counted.keys() == {one.identity, other.identity}
        assert min(counted.values()) > 100
        assert said["measures"]["achieved_share"].n == sum(counted.values())


@pytest.mark.slow
def test_no_traffic_is_no_evidence(delivered: Project) -> None:
    with serving(delivered) as gateway:
        said = ended(delivered, begin(delivered, SHORT[0], f"{TEST}.duration_hours={2 / 3600}"))
        assert said["verdict"] == "inconclusive"
        assert gateway.version() == 1


@pytest.mark.slow
def test_recorded_traffic_judges_without_a_gateway(delivered: Project) -> None:
    with serving(delivered) as gateway, traffic(gateway, labels=True) as failed:
        time.sleep(4)
    assert not failed
    delivered.rows("training_data", 1500, 21)
    driven = delivered.run(SHORT[0], f"{TEST}.source=recorded")
    assert driven.exit_code == 0, driven.document
    assert driven.document["production"] == {"before": 1, "after": 2}


@pytest.mark.slow
def test_log_that_cannot_be_written_stops_no_answer(delivered: Project) -> None:
    blocked = delivered.home / "traffic"
    blocked.write_text("in the way")
    with serving(delivered) as gateway:
        for _ in range(50):
            gateway.infer()
        until(lambda: "not written" in [line["event"] for line in gateway.logged()], "it is told")
        assert gateway.version() == 1
        blocked.unlink()
        until(
            lambda: gateway.metrics().get("seatrial_log_written_total") == 51,
            "what waited is written",
        )
