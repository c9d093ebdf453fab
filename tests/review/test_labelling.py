"""Labels of the requests on which two versions differ settle the question, once and soundly."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.review.differing import EQUAL, WORSE, Differing, known_ids
from tests.tasks.conftest import MODEL, _delivered, _fresh, delivered  # noqa: F401 - fixtures
from tests.tasks.traffic import HEALTHY, Gateway

from seatrial.errors import StoreError, UsageError
from seatrial.evidence.sequence import Trail
from seatrial.evidence.watching import Rule, judge
from seatrial.ledger import runs
from seatrial.ledger.runs import State
from seatrial.ledger.verify import verify
from seatrial.outcome import Verdict
from seatrial.registry import watches
from seatrial.registry.collect import collect
from seatrial.review import drawing, items, labelling
from seatrial.review.by_hand import ROLLBACK, move_by_hand
from seatrial.review.drawing import features_of
from seatrial.review.items import Status
from seatrial.tasks import shadow_tests
from seatrial.traffic import files
from seatrial.watch import by_labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tasks.conftest import Project

    from seatrial.registry.project import Project as Stores
    from seatrial.review.drawing import Place
    from seatrial.review.items import Item
    from seatrial.review.labelling import Sheet

pytestmark = pytest.mark.slow  # each is quick, and there are many

SHADOW = "evaluate_model.shadow_tests"


@pytest.fixture(autouse=True)
def _known_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    known_ids(monkeypatch)


@pytest.fixture(scope="module")
def _equal(_delivered: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:  # noqa: F811
    return _trained(_delivered, tmp_path_factory.mktemp("equal") / "project", EQUAL)


@pytest.fixture(scope="module")
def _worse(_delivered: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:  # noqa: F811
    return _trained(_delivered, tmp_path_factory.mktemp("worse") / "project", WORSE)


def _trained(project: Project, folder: Path, hyperparameters: str) -> Project:
    copied = _copy(project, folder)
    Differing.make(copied, hyperparameters)
    return copied


def _copy(project: Project, folder: Path) -> Project:
    return type(project)(shutil.copytree(project.folder, folder))


@pytest.fixture
def equal(_equal: Project, tmp_path: Path) -> Differing:
    """Version 2 is as good as version 1."""
    return Differing.of(_copy(_equal, tmp_path / "equal"))


@pytest.fixture
def worse(_worse: Project, tmp_path: Path) -> Differing:
    """Version 2 is much worse."""
    return Differing.of(_copy(_worse, tmp_path / "worse"))


@pytest.fixture
def opened() -> Iterator[Any]:
    """Opens the stores of a project, and closes them."""
    found: list[Stores] = []

    def of(differing: Differing) -> Stores:
        found.append(differing.open())
        return found[-1]

    yield of
    for each in found:
        each.ledger.close()


def _labelled(stores: Stores, sheet: Sheet, truth: dict[str, int], by: str = "ada") -> Sheet:
    """One label after the other, until it is settled or none is left."""
    while sheet.waiting:
        place = sheet.waiting[0]
        sheet = labelling.record(stores, sheet, {place: truth[place.id]}, by)
    return sheet


def _sheet(stores: Stores, item: Item) -> Sheet:
    return labelling.open_sheet(stores, items.get(stores.ledger, item.id))


def _events(stores: Stores, kind: str) -> list[Any]:
    return [event.body for event in stores.ledger.events(kind)]


def test_labels_of_a_good_version_close_the_question(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    stores = opened(equal)
    sheet = _labelled(stores, _sheet(stores, item), equal.truth)
    assert sheet.so_far.measure.verdict is Verdict.PASS
    assert sheet.so_far.labels < 30
    assert sheet.so_far.requests > 100
    closed = labelling.conclude(stores, sheet)
    assert (closed.status, closed.by) == (Status.LABELLED, None)
    assert (
        closed.reason == f"labels of {sheet.so_far.labels} requests by ada: {sheet.so_far.reason}"
    )
    (settled,) = _events(stores, "review_settled")
    assert (settled["review"], settled["verdict"]) == (item.id, "pass")
    assert labelling.conclude(stores, sheet) == closed
    assert len(_events(stores, "review_settled")) == 1
    verify(stores.ledger)


def test_what_follows_is_told_as_production_stands_then(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    stores = opened(equal)
    sheet = _labelled(stores, _sheet(stores, item), equal.truth)
    assert by_labels.conclude(stores, sheet) == ["version 2 stays"]
    move_by_hand(stores, MODEL, 1, ROLLBACK, "complaints", by="ada")
    told = by_labels.conclude(stores, sheet)
    assert told == ["version 2 is not in production any more: version 1 is"]


def test_the_kept_evidence_gives_the_verdict_again(worse: Differing, opened: Any) -> None:
    item = worse.watched()
    stores = opened(worse)
    sheet = _labelled(stores, _sheet(stores, item), worse.truth)
    labelling.conclude(stores, sheet)
    (settled,) = _events(stores, "review_settled")
    collect(stores.registry, timedelta(0), timedelta(days=-1))  # nothing is too young
    told = json.loads(stores.registry.blobs.get(settled["evidence"]))
    rule = Rule(**told["rule"])
    again = judge("degradation.accuracy", Trail.from_json(told["trail"]), rule)
    assert again.measure.verdict is Verdict.FAIL
    assert told["reason"] == sheet.so_far.reason
    assert len(told["rows"]) == sheet.so_far.labels
    assert {row["by"] for row in told["rows"]} == {"ada"}
    assert all(row["label"] == worse.truth[row["id"]] for row in told["rows"])


def test_which_side_a_label_speaks_for(worse: Differing, opened: Any) -> None:
    """Of a watch the served version is the new one."""
    item = worse.watched()
    stores = opened(worse)
    sheet = _sheet(stores, item)
    given: dict[Place, Any] = {each.place: each.served for each in sheet.rows}
    sheet = labelling.record(stores, sheet, given, "ada")
    assert sheet.so_far.measure.verdict is Verdict.PASS
    turned = labelling._read(stores, item, replace(sheet.asked, new=1, old=2))
    assert turned.so_far.measure.verdict is Verdict.FAIL


def test_only_rows_that_differ_are_asked_about_in_an_order_that_stays(
    equal: Differing, opened: Any
) -> None:
    item = equal.watched()
    stores = opened(equal)
    sheet = _sheet(stores, item)
    assert 5 < len(sheet.rows) < 80
    assert len(sheet.rows) + sum(sheet.alike) == 800
    assert all(each.served != each.other for each in sheet.rows)
    places = [int(each.place.id.removeprefix("r")) for each in sheet.rows]
    assert places != sorted(places)
    assert _sheet(stores, item).rows == sheet.rows
    assert len(_events(stores, "review_drawn")) == 1
    # nobody can tell from the order who says what
    assert {each.served for each in sheet.rows} == {0, 1}


def test_requests_that_have_a_label_are_the_watchs(equal: Differing, opened: Any) -> None:
    equal.promote()
    equal.answer(400, version=2)
    equal.feedback(*[f"r{n}" for n in range(0, 400, 2)], version=2)
    equal.clocked.clock.move(milliseconds=1)
    stores = opened(equal)
    sheet = _sheet(stores, equal.ask())
    assert len(sheet.rows) + sum(sheet.alike) == 200
    assert all(int(each.place.id.removeprefix("r")) % 2 for each in sheet.rows)


def test_of_a_request_of_several_rows_one_counts(equal: Differing, opened: Any) -> None:
    equal.promote()
    equal.answer(20, version=2, rows=30)
    equal.clocked.clock.move(milliseconds=1)
    sheet = _sheet(opened(equal), equal.ask())
    assert len(sheet.rows) + sum(sheet.alike) == 20
    assert len({each.place.id for each in sheet.rows}) == len(sheet.rows)


def test_a_second_call_goes_on_where_the_first_stopped(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    stores = opened(equal)
    first = _sheet(stores, item)
    place = first.waiting[0]
    labelling.record(stores, first, {place: equal.truth[place.id]}, "ada")
    second = _sheet(stores, item)
    assert second.waiting == first.waiting[1:]
    assert second.so_far.labels == 1


def test_when_all_have_their_label_the_requests_since_are_drawn(
    equal: Differing, opened: Any
) -> None:
    item = equal.watched(requests=60)
    stores = opened(equal)
    sheet = _labelled(stores, _sheet(stores, item), equal.truth)
    assert not sheet.so_far.done
    rows = sheet.rows
    equal.answer(700, version=2, seed=8)
    equal.clocked.clock.move(milliseconds=1)
    sheet = _sheet(stores, item)
    assert sheet.rows[: len(rows)] == rows
    assert len(sheet.rows) + sum(sheet.alike) == 760
    assert _labelled(stores, sheet, equal.truth).so_far.measure.verdict is Verdict.PASS


def test_two_people_never_count_a_row_twice(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    ada, bob = opened(equal), opened(equal)
    mine, theirs = _sheet(ada, item), _sheet(bob, item)
    place = mine.waiting[0]
    truth = equal.truth[place.id]
    mine = labelling.record(ada, mine, {place: truth}, "ada")
    theirs = labelling.record(bob, theirs, {place: 1 - truth}, "bob")
    assert theirs.given == mine.given
    assert theirs.given[place].by == "ada"
    assert (theirs.so_far.labels, len(_events(ada, "review_labelled"))) == (1, 1)


def test_two_people_at_once_settle_it_once(equal: Differing) -> None:
    item = equal.watched()

    def person(name: str) -> Sheet | None:
        stores = equal.open()
        try:
            sheet = _labelled(stores, _sheet(stores, item), equal.truth, name)
            if not sheet.so_far.done:
                return None  # what was left to label, the other has just labelled
            labelling.conclude(stores, sheet)
            return sheet
        finally:
            stores.ledger.close()

    def allowed(name: str) -> Sheet | None:
        try:
            return person(name)
        except UsageError as error:
            assert "has left the queue" in str(error)  # noqa: PT017 - the other was quicker
            return None

    with ThreadPoolExecutor(2) as people:
        sheets = [each for each in people.map(allowed, ["ada", "bob"]) if each is not None]
    stores = equal.open()
    labelled = [(body["id"], body["row"]) for body in _events(stores, "review_labelled")]
    assert len(labelled) == len(set(labelled))
    assert len(_events(stores, "review_settled")) == 1
    assert sheets
    assert {each.so_far.measure.verdict for each in sheets} == {Verdict.PASS}
    verify(stores.ledger)
    stores.ledger.close()


def test_a_killed_process_loses_nothing(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    stores = opened(equal)
    _sheet(stores, item)
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from seatrial import workspace\n"
        "from seatrial.registry.project import open_project\n"
        "from seatrial.review import items, labelling\n"
        "project = open_project(workspace.at(Path(sys.argv[1])))\n"
        "sheet = labelling.open_sheet(project, items.get(project.ledger, sys.argv[2]))\n"
        "for place in sheet.waiting[:3]:\n"
        "    sheet = labelling.record(project, sheet, {place: 1}, 'ada')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    went = subprocess.run(
        [sys.executable, "-c", program, str(equal.folder), item.id], check=False, timeout=60
    )
    assert went.returncode == -signal.SIGKILL
    assert len(_sheet(stores, item).given) == 3
    verify(stores.ledger)


def test_killed_before_it_was_closed_it_is_closed_by_the_next(
    equal: Differing, opened: Any
) -> None:
    item = equal.watched()
    stores = opened(equal)
    settled = _labelled(stores, _sheet(stores, item), equal.truth)
    again = _sheet(stores, item)
    assert (again.so_far.reason, again.waiting) == (settled.so_far.reason, ())
    assert labelling.conclude(stores, again).status is Status.LABELLED


def test_labels_after_a_gap_wait_until_it_is_closed(equal: Differing, opened: Any) -> None:
    item = equal.watched()
    stores = opened(equal)
    sheet = _sheet(stores, item)
    first, second, third = sheet.waiting[:3]
    later: dict[Place, Any] = {each: equal.truth[each.id] for each in (second, third)}
    sheet = labelling.record(stores, sheet, later, "ada")
    assert (sheet.so_far.labels, sheet.idle, sheet.waiting[0]) == (0, 2, first)
    sheet = labelling.record(stores, sheet, {first: equal.truth[first.id]}, "ada")
    assert (sheet.so_far.labels, sheet.idle) == (3, 0)


def test_skipping_all_hard_rows_is_no_way_to_a_pass(worse: Differing, opened: Any) -> None:
    item = worse.watched()
    stores = opened(worse)
    sheet = _sheet(stores, item)
    sheet = labelling.record(stores, sheet, dict.fromkeys(sheet.waiting), "ada")
    assert (sheet.so_far.skipped, sheet.so_far.done) == (len(sheet.rows), False)


def test_an_answer_that_is_no_number_is_wrong(equal: Differing, opened: Any) -> None:
    """Missing features alone do not break these models; what a NaN answer counts is known."""
    item = equal.watched()
    stores = opened(equal)
    sheet = _sheet(stores, item)
    broken = tuple(replace(each, served=None) for each in sheet.rows)
    d = labelling._differences(sheet.asked, broken, {b.place: _said(b.other) for b in broken})
    assert set(d) == {1}


def _said(label: int | str | None) -> labelling.Given:
    return labelling.Given(label, "ada")


def test_features_are_shown_as_they_were_sent(equal: Differing, opened: Any) -> None:
    equal.promote()
    equal.answer(300, version=2, missing=True)
    equal.clocked.clock.move(milliseconds=1)
    item, stores = equal.ask(), opened(equal)
    sheet = _sheet(stores, item)
    shown = features_of(stores.workspace.traffic, MODEL, 2, sheet.waiting)
    assert [*shown] != []
    assert set(shown) == set(sheet.waiting)
    for features in shown.values():
        assert [*features] == ["feature_1", "feature_2", "feature_3"]
        assert features["feature_3"] is None
        assert len(str(features["feature_1"])) < 16


def test_a_redacted_column_is_a_clear_error(equal: Differing, opened: Any) -> None:
    equal.promote()
    equal.answer(200, version=2, redacted=["feature_2"])
    equal.clocked.clock.move(milliseconds=1)
    item, stores = equal.ask(), opened(equal)
    with pytest.raises(StoreError, match="does not hold 'feature_2'"):
        _sheet(stores, item)


def test_requests_without_a_column_are_left_out_and_counted(equal: Differing, opened: Any) -> None:
    equal.promote()
    equal.answer(200, version=2, redacted=["feature_2"])
    equal.answer(150, version=2, seed=8)
    equal.clocked.clock.move(milliseconds=1)
    item, stores = equal.ask(), opened(equal)
    sheet = _sheet(stores, item)
    assert (len(sheet.rows) + sum(sheet.alike), sheet.incomplete) == (150, 200)
    shown = features_of(stores.workspace.traffic, MODEL, 2, sheet.waiting)
    assert {len(features) for features in shown.values()} == {3}


def test_a_damaged_file_of_the_log_is_named(equal: Differing, opened: Any) -> None:
    item, stores = equal.watched(), opened(equal)
    folder = files.version_folder(stores.workspace.traffic, MODEL, 2)
    (folder / "2026-11-05T14-X-0.parquet").write_bytes(b"no parquet")
    with pytest.raises(StoreError, match="is damaged"):
        _sheet(stores, item)


def test_so_many_rows_are_enough(
    worse: Differing, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "MOST_LABELS", 10)
    monkeypatch.setattr(drawing, "MOST_REQUESTS", 500)
    sheet = _sheet(opened(worse), worse.watched())
    assert len(sheet.rows) == 10
    assert len(sheet.rows) + sum(sheet.alike) < 500


def test_an_item_that_left_the_queue_takes_no_label(equal: Differing, opened: Any) -> None:
    item, stores = equal.watched(), opened(equal)
    sheet = _sheet(stores, item)
    items.decide(stores.ledger, item.id, "approve", "bob", "looked")
    with pytest.raises(UsageError, match="has left the queue: approved by bob"):
        labelling.record(stores, sheet, {sheet.waiting[0]: 1}, "ada")
    with pytest.raises(UsageError, match="has left the queue"):
        _sheet(stores, item)


@pytest.mark.parametrize(
    ("kind", "policy", "said"),
    [
        ("retrain", {}, "a question of the kind retrain"),
        ("disagreement", {"metric": "neg_brier_score"}, "neg_brier_score is judged here"),
        ("watch_inconclusive", {"metric": None}, "no metric is judged here"),
    ],
)
def test_what_labels_cannot_settle_is_said(
    equal: Differing, opened: Any, kind: str, policy: dict[str, Any], said: str
) -> None:
    equal.promote(**policy)
    item = equal.ask(kind)
    with pytest.raises(UsageError, match=said) as refused:
        _sheet(opened(equal), item)
    assert "feedback" in str(refused.value) or f"seatrial approve {item.id}" in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 6


def test_a_question_of_an_earlier_watch_takes_no_label(equal: Differing, opened: Any) -> None:
    item, stores = equal.watched(), opened(equal)
    watch = watches.latest(stores.ledger, MODEL, 2)
    assert watch is not None
    stores.ledger.write(lambda t: watches.open_watch(t, 999_999, MODEL, 2, 1, dict(watch.policy)))
    equal.clocked.clock.move(milliseconds=1)
    with pytest.raises(UsageError, match="promoted anew"):
        _sheet(stores, item)


@pytest.fixture
def _no_last_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow_tests, "LAST_REPORT_S", 0.0)


HOURS = 48
UNSETTLED = replace(HEALTHY, seen=6000, sampled=300, reached=300, compared=300, rows=300)
"""Of 300 requests too many may differ: quality is not proven by agreement."""


def _tested(differing: Differing, share: float | None = None, **tally: Any) -> Item:
    """A shadow test of version 2 that cannot say; production's traffic is logged meanwhile."""
    with Gateway(differing.clocked) as gateway:
        gateway.obey()
        assert differing.clocked.run().code == 4
        gateway.count(replace(UNSETTLED, **tally))
        differing.answer(800, version=1, differing=share)
        differing.clocked.clock.move(hours=HOURS)
        went = differing.clocked.run()
    assert went.code == 3, went.document
    (item,) = went.driven.asked
    return item


@pytest.mark.usefixtures("_no_last_report")
def test_a_shadow_test_passes_by_labels_and_the_run_goes_on(equal: Differing, opened: Any) -> None:
    item = _tested(equal, disagreed=25)
    assert (item.kind, item.asked.step) == ("gate_inconclusive", SHADOW)
    stores = opened(equal)
    sheet = _labelled(stores, _sheet(stores, item), equal.truth)
    assert (sheet.asked.new, sheet.asked.old, sheet.asked.served) == (2, 1, 1)
    closed = labelling.conclude(stores, sheet)
    assert closed.status is Status.RESOLVED
    (run,) = [each for each in runs.unfinished(stores.ledger) if each.id == item.asked.run]
    assert run.state is State.WAITING
    with Gateway(equal.clocked, "G2") as gateway:
        gateway.obey()
        went = equal.clocked.run()
    assert (went.run, went.code, went.production) == (item.asked.run, 0, (1, 2)), went.document
    assert went.reason("shadow_tests").startswith("labels of ")
    measure = went.measures("shadow_tests")["degradation.accuracy"]
    assert (measure["verdict"], measure["n"]) == ("pass", sheet.so_far.requests)
    assert went.measures("shadow_tests")["disagreement"]["verdict"] in {"pass", "skip"}
    verify(stores.ledger)


@pytest.mark.usefixtures("_no_last_report")
def test_a_shadow_test_fails_by_labels_and_the_run_ends(equal: Differing, opened: Any) -> None:
    item = _tested(equal, disagreed=25, share=0.2)
    stores = opened(equal)
    sheet = _sheet(stores, item)
    while sheet.waiting:  # whatever production said is true
        first = next(each for each in sheet.rows if each.place == sheet.waiting[0])
        sheet = labelling.record(stores, sheet, {first.place: first.served}, "ada")
    assert sheet.so_far.measure.verdict is Verdict.FAIL
    labelling.conclude(stores, sheet)
    went = equal.clocked.run()
    assert (went.run, went.code, went.production) == (item.asked.run, 1, (1, 1))
    assert went.verdict("shadow_tests") == "fail"
    verify(stores.ledger)


@pytest.mark.usefixtures("_no_last_report")
def test_labels_do_not_stand_for_what_they_say_nothing_of(equal: Differing, opened: Any) -> None:
    item = _tested(equal, disagreed=6, reached=100, compared=100)
    with pytest.raises(UsageError, match="labels say nothing of achieved_share, errors"):
        _sheet(opened(equal), item)


@pytest.mark.usefixtures("_no_last_report")
def test_a_step_that_is_asked_again_does_not_take_the_labels(equal: Differing, opened: Any) -> None:
    item = _tested(equal, disagreed=25)
    stores = opened(equal)
    sheet = _labelled(stores, _sheet(stores, item), equal.truth)
    assert equal.clocked.run().code == 5  # begins another test, and meets no gateway
    with pytest.raises(UsageError, match="is being asked again"):
        labelling.conclude(stores, sheet)
    assert not _events(stores, "review_settled")


@pytest.mark.usefixtures("_no_last_report")
def test_who_may_not_approve_may_not_label(equal: Differing, opened: Any) -> None:
    text = equal.project.file.read_text()
    equal.project.file.write_text(f"review: {{four_eyes: true}}\n{text}")
    item = _tested(equal, disagreed=25)
    stores = opened(equal)
    sheet = _sheet(stores, item)
    with pytest.raises(UsageError, match="cannot label for it"):
        labelling.record(stores, sheet, {sheet.waiting[0]: 1}, str(item.asked.by))
    assert labelling.record(stores, sheet, {sheet.waiting[0]: 1}, "somebody else").given


def test_another_gate_names_what_would_settle_it(equal: Differing, opened: Any) -> None:
    equal.project.rows("validation_data", 120, 9)
    went = equal.clocked.run("evaluate_model.integration_tests.performance_threshold=0.94")
    (item,) = went.driven.asked
    assert item.asked.step != SHADOW
    with pytest.raises(UsageError, match="compared no live answers") as refused:
        _sheet(opened(equal), item)
    assert item.asked.resolves in str(refused.value)
