"""A version is delivered on evidence about it, against what was there; else nothing moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.tasks.traffic import Clocked, Gateway

from seatrial.cli import root
from seatrial.engines._resume import resume
from seatrial.errors import StoreError
from seatrial.ledger import runs
from seatrial.registry import standing, watches
from seatrial.review import by_hand
from seatrial.tasks import promote
from seatrial.watch.act import act
from seatrial.watch.decide import RollBack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from click.testing import Result
    from tests.tasks.conftest import Project

pytestmark = pytest.mark.slow  # each is quick, and there are many

MODEL = "ml_model_training_pipeline"
INTEGRATION = "evaluate_model.integration_tests"
UNIT = "evaluate_model.unit_tests"


def _by_hand(monkeypatch: pytest.MonkeyPatch, project: Project, *words: str) -> None:
    monkeypatch.chdir(project.folder)
    ended = CliRunner().invoke(root, list(words), standalone_mode=False)
    assert ended.exception is None, ended.output


def test_without_a_bound_on_held_out_rows_nothing_is_proven(fresh: Project) -> None:
    fresh.edit("          performance_threshold: 0.82\n", "")
    went = fresh.run(f"{UNIT}.performance_threshold=0.6")
    assert went.verdict("unit_tests") == "pass"
    assert went.verdict("promote") == "inconclusive"
    assert "no bound on held-out rows passed" in went.reason("promote")
    (finding,) = went.task("promote")["findings"]
    assert "integration_tests" in finding["hint"]
    assert (went.code, went.production) == (3, (None, None))
    assert went.task("rollback_plan")["state"] == "not_reached"


def test_production_that_was_moved_meanwhile_is_left_alone(
    fresh: Project, monkeypatch: pytest.MonkeyPatch, stores: Callable[[Project], Any]
) -> None:
    def say(line: str) -> None:
        if line.startswith(INTEGRATION):
            _by_hand(monkeypatch, fresh, "promote", MODEL, "1", "--reason", "in a hurry")

    went = fresh.run(say=say)
    assert (went.code, went.verdict("promote")) == (3, "inconclusive")
    assert "moved meanwhile" in went.reason("promote")
    history = stores(fresh).registry.history()
    assert [move["reason"] for move in history] == ["in a hurry"]


def test_the_model_that_served_when_the_run_began_may_serve_no_more(
    delivered: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same model again, while somebody replaces it: it does not stay in production."""
    delivered.edit(WITHOUT_SHADOW, "")
    hyperparameters = (delivered.folder / "config" / "hyperparameters.yaml").read_text()
    delivered.hyperparameters("n_estimators: 21\nlearning_rate: 0.2\nnum_leaves: 15\n")
    assert delivered.run().production == (1, 2)
    _by_hand(monkeypatch, delivered, "rollback", MODEL, "--reason", "complaints")
    delivered.hyperparameters(hyperparameters)

    def say(line: str) -> None:
        if line.startswith(INTEGRATION):
            _by_hand(monkeypatch, delivered, "promote", MODEL, "2", "--reason", "in a hurry")

    went = delivered.run(say=say)
    assert (went.code, went.verdict("promote")) == (3, "inconclusive"), went.reason("promote")
    assert "moved meanwhile (to version 2)" in went.reason("promote")


def test_staging_that_was_moved_meanwhile_is_left_alone(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    registry = stores(fresh).registry

    def say(line: str) -> None:
        if line.startswith(INTEGRATION):
            manifest = registry.manifest(registry.version(MODEL, 1))
            other = {**manifest, "metrics": {}}
            registry.register(MODEL, other, label="other", run="another", by="another")

    went = fresh.run(say=say)
    assert (went.code, went.verdict("promote")) == (3, "inconclusive")
    assert "staging was moved to version 2 by another run" in went.reason("promote")
    assert registry.channel(MODEL, "production") is None


def test_the_history_says_why(delivered: Project, stores: Callable[[Project], Any]) -> None:
    (move,) = stores(delivered).registry.history()
    assert move["event"] == "promote"
    assert move["version"] == 1
    assert move["by"].startswith("run ")
    assert "accuracy 0.9" in move["reason"]
    assert "path.differs" not in move["reason"]


def test_a_stage_without_a_plan_installs_no_policy(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    fresh.edit(
        "      - rollback_plan:\n          previous_version: retained\n"
        "          auto_rollback_threshold: degradation > 0.05\n",
        "",
    )
    went = fresh.run()
    assert (went.code, went.production) == (0, (None, 1))
    assert stores(fresh).registry.policy(MODEL) is None


def test_what_was_promised_of_another_metric_is_not_held_against_it(
    fresh: Project, stores: Callable[[Project], Any]
) -> None:
    """The bound of 0.82 is one of accuracy; what is followed is the Brier score."""
    fresh.edit("stages:", "watch: {metric: neg_brier_score, margin: 0.02}\nstages:")
    assert fresh.run().code == 0
    policy = stores(fresh).registry.policy(MODEL)
    assert (policy["metric"], policy["degradation_margin"]) == ("neg_brier_score", 0.02)
    assert policy["promised"] is None


def test_the_plan_alone_renews_the_policy(
    delivered: Project, stores: Callable[[Project], Any]
) -> None:
    """The same model again promotes nothing, but the file's new number counts from now on."""
    went = delivered.run('deploy_model.rollback_plan.auto_rollback_threshold="degradation > 0.02"')
    assert (went.code, went.verdict("rollback_plan")) == (0, "pass")
    assert "no previous version" in went.reason("rollback_plan")
    assert stores(delivered).registry.policy(MODEL)["degradation_margin"] == 0.02


WITHOUT_SHADOW = (
    "      - shadow_tests:\n          traffic_percentage: 5\n          duration_hours: 48\n"
)


@pytest.fixture
def clocked(delivered: Project) -> Clocked:
    """Version 1 is in production; the next run makes version 2, and tests no traffic."""
    delivered.edit(WITHOUT_SHADOW, "")
    made = Clocked(delivered)
    made.retrain()
    return made


@pytest.fixture
def gateway(clocked: Clocked) -> Iterator[Gateway]:
    with Gateway(clocked) as living:
        yield living


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for what never comes takes half a minute otherwise."""
    monkeypatch.setattr(standing, "READY_S", 0.2)
    monkeypatch.setattr(standing, "SERVING_S", 0.2)
    monkeypatch.setattr(by_hand, "ROLLBACK_S", 0.2)


def _command(monkeypatch: pytest.MonkeyPatch, clocked: Clocked, *words: str) -> Result:
    monkeypatch.chdir(clocked.project.folder)
    return CliRunner().invoke(root, [*words, "--reason", "why"], standalone_mode=False)


def _production(clocked: Clocked) -> int:
    stores = clocked.open()
    at = stores.registry.channel(MODEL, "production")
    stores.ledger.close()
    assert at is not None
    return at.version


def test_it_waits_until_every_live_gateway_has_it_and_serves_it(
    clocked: Clocked, gateway: Gateway
) -> None:
    with Gateway(clocked, "G2") as other:
        gateway.obey()
        other.obey()
        went = clocked.run()
    assert (went.code, went.production) == (0, (1, 2)), went.document
    assert "(was version 1); 2 gateways serve it" in went.reason("promote")
    kinds = [event.kind for event in gateway.stores.ledger.events()]
    moved = len(kinds) - kinds[::-1].index("channel_moved")
    assert kinds[:moved].count("version_prepared") >= 2
    assert kinds[moved:].count("version_served") == 2


@pytest.mark.usefixtures("impatient")
def test_a_gateway_that_is_silent_stops_it_and_is_named(clocked: Clocked, gateway: Gateway) -> None:
    went = clocked.run()
    assert (went.code, went.production) == (5, (1, 1))
    assert "gateway http://127.0.0.1:8080" in went.errors
    assert "has not prepared ml_model_training_pipeline version 2 within" in went.errors
    gateway.obey()
    again = clocked.run()
    assert (again.code, again.run, again.production) == (0, went.run, (1, 2))


def test_a_refusal_changes_nothing(clocked: Clocked, gateway: Gateway) -> None:
    _staged_and(gateway, "refused", "golden rows differ by 0.3", clocked)
    went = clocked.run()
    assert (went.code, went.verdict("promote"), went.production) == (1, "fail", (1, 1))
    assert "golden rows differ by 0.3" in went.reason("promote")
    (finding,) = went.task("promote")["findings"]
    assert finding["where"] == "gateway G1"
    assert _production(clocked) == 1


def test_a_failure_to_load_is_no_verdict(clocked: Clocked, gateway: Gateway) -> None:
    _staged_and(gateway, "failed", "no memory", clocked)
    went = clocked.run()
    assert (went.code, went.document["verdict"], went.production) == (5, None, (1, 1))
    assert "cannot load ml_model_training_pipeline version 2: no memory" in went.errors
    gateway.say(2, "ready")
    gateway.obey()
    assert clocked.run().production == (1, 2)


def _staged_and(gateway: Gateway, state: str, reason: str, clocked: Clocked) -> None:
    """Version 2 is made and staged by a run that stops before it promotes; then this is said."""
    text = clocked.project.file.read_text()
    clocked.project.edit("performance_threshold: 0.82", "performance_threshold: 0.999")
    assert clocked.run().production == (1, 1)
    clocked.project.file.write_text(text)
    gateway.say(2, state, reason)


@pytest.mark.usefixtures("impatient")
def test_a_dead_gateway_does_not_block(clocked: Clocked, gateway: Gateway) -> None:
    with Gateway(clocked, "G2") as dead:
        dead.die()
        gateway.obey()
        went = clocked.run()
    assert (went.code, went.production) == (0, (1, 2))
    assert "; 1 gateway serves it" in went.reason("promote")


@pytest.mark.parametrize("since", [None, 1])
def test_killed_once_production_has_moved_it_goes_on_from_there(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, since: int | None
) -> None:
    """What it promoted is being watched by now, and may have been rolled back: both are its own."""

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    gateway.obey()
    with monkeypatch.context() as patched:
        patched.setattr(promote, "_delivered", kill)
        with pytest.raises(KeyboardInterrupt):
            clocked.run()
    assert _production(clocked) == 2
    watch = watches.current(gateway.stores.ledger, MODEL)
    assert watch is not None
    if since is None:
        wait = (gateway.stores.ledger, gateway.stores.workspace.home, MODEL, 2, "serving", 5.0)
        assert not standing.wait(*wait).missing
    else:
        act(gateway.stores, watch, RollBack("0.09 worse", "quality"), {})
    (run,) = runs.unfinished(gateway.stores.ledger)
    went = resume(gateway.stores, run.id)
    (stage,) = [each for each in went.document["stages"] if each["name"] == "deploy_model"]  # type: ignore[attr-defined]
    said = stage["tasks"][0]
    assert said["verdict"] == "pass", said
    assert went.document["production"] == {"before": 1, "after": since or 2}
    told = "version 1 serves since: 0.09 worse" if since else "(was version 1); 1 gateway serves it"
    assert told in said["reason"]
    assert len(gateway.stores.registry.history()) == (3 if since else 2)


@pytest.mark.usefixtures("impatient")
def test_what_is_not_confirmed_is_said(clocked: Clocked, gateway: Gateway) -> None:
    """Production has moved: that cannot be taken back by a gateway that is slow."""
    _staged_and(gateway, "ready", "", clocked)
    went = clocked.run()
    assert (went.code, went.production) == (0, (1, 2))
    assert "0 of 1 gateways have confirmed it" in went.reason("promote")
    (finding,) = went.task("promote")["findings"]
    assert finding["where"].startswith("gateway http://127.0.0.1:8080")


@pytest.mark.usefixtures("impatient")
def test_where_a_machine_differs_that_serves_it_is_said(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning stops nothing: it shall be known."""
    differs = "warn libc: glibc 2.36 -> musl 1.2 (another C library has other mathematics)"
    _staged_and(gateway, "ready", differs, clocked)
    went = clocked.run()
    assert (went.code, went.production) == (0, (1, 2))
    (finding,) = [f for f in went.task("promote")["findings"] if f["where"] == "gateway G1"]
    assert finding["what"] == differs
    gateway.say(1, "ready", differs)
    told = _command(monkeypatch, clocked, "rollback", MODEL)
    assert differs in told.output


def test_by_hand_one_hears_how_many_serve_it_and_how_soon(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.say(1, "serving")
    _staged_and(gateway, "ready", "", clocked)
    gateway.obey()
    for words, version in ((("promote", MODEL, "2"), 2), (("rollback", MODEL), 1)):
        told = _command(monkeypatch, clocked, *words)
        assert told.exception is None, told.output
        assert f"version {version} is in production (was: {3 - version})" in told.output
        assert "; 1 gateway serves it, " in told.output
        assert "ms after the move" in told.output
        assert _production(clocked) == version
    assert "why" not in _stagings(gateway)


def test_by_hand_a_version_that_is_not_loaded_is_staged_first(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    _staged_and(gateway, "ready", "", clocked)
    gateway.obey()
    assert _command(monkeypatch, clocked, "promote", MODEL, "2").exception is None
    gateway.say(1, "dropped")  # as with `retain: disk`
    assert _command(monkeypatch, clocked, "rollback", MODEL).exception is None
    assert _production(clocked) == 1
    assert _stagings(gateway)[-1] == "why"


def _stagings(gateway: Gateway) -> list[object]:
    """Why something was staged, each time."""
    moves = gateway.stores.ledger.events("channel_moved")
    return [move.body["reason"] for move in moves if move.body["event"] == "stage"]


@pytest.mark.usefixtures("impatient")
def test_by_hand_a_silent_gateway_stops_a_promotion_but_no_rollback(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    _staged_and(gateway, "ready", "", clocked)
    assert _command(monkeypatch, clocked, "promote", MODEL, "2").exception is None
    told = _command(monkeypatch, clocked, "rollback", MODEL)
    assert told.exception is None
    assert "not confirmed by gateway http://127.0.0.1:8080" in told.output
    assert _production(clocked) == 1
    with Gateway(clocked, "G2"):
        refused = _command(monkeypatch, clocked, "promote", MODEL, "2")
    assert isinstance(refused.exception, StoreError)
    assert "has not prepared" in str(refused.exception)
    assert _production(clocked) == 1


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_by_hand_a_refusal_stops_any_move(
    clocked: Clocked, gateway: Gateway, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    _staged_and(gateway, "ready", "", clocked)
    if command == "rollback":
        gateway.obey()
        assert _command(monkeypatch, clocked, "promote", MODEL, "2").exception is None
    version, serving = (2, 1) if command == "promote" else (1, 2)
    gateway.say(version, "refused", "golden rows differ")
    refused = _command(monkeypatch, clocked, command, MODEL, str(version))
    assert isinstance(refused.exception, StoreError)
    assert "golden rows differ" in str(refused.exception)
    assert _production(clocked) == serving
