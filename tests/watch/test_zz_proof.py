from __future__ import annotations
import socket, json, sqlite3
from contextlib import closing
import pytest
from tests.tasks.conftest import MODEL
from tests.tasks.traffic import Clocked, Gateway
from tests.watch.test_watcher import Sea, good, bad, _sea
from seatrial.errors import PassingError
from seatrial.registry import watches
from seatrial.registry.registry import Move, PRODUCTION
from seatrial.watch import watcher as w
from seatrial.watch.act import act as real_act
from seatrial.watch.decide import Ask

def stop(sea):
    sea.watcher.end(); sea.watcher.project.ledger.close()

def test_F1_hostname(good, monkeypatch):
    good.requests(150); good.turn()
    stop(good)
    monkeypatch.setattr(socket, "gethostname", lambda: "another-container")
    good.watcher = good.start()
    good.turn()
    f = good.watcher._followed[MODEL]
    assert f.judged()["quality"].measure.n == 150

def test_F2_differing_kept(bad):
    bad.requests(20, labelled=0); bad.turn(1); bad.turn(2)
    n = bad.watcher._followed[MODEL].evidence.differing.n
    assert n > 0
    stop(bad)
    bad.watcher = bad.start(); bad.turn(1)
    assert bad.watcher._followed[MODEL].evidence.differing.n == n

def test_F3_end_then_ask(good, monkeypatch):
    good.requests(40)
    def act(project, watch, action, evidence):
        if isinstance(action, Ask):
            raise PassingError("locked")
        return real_act(project, watch, action, evidence)
    good.turn()
    with monkeypatch.context() as m:
        m.setattr(w, "act", act)
        good.pass_hours(169)
    good.turn(3)
    assert "watch_inconclusive" in good.questions()

def _another(sea):
    stores = sea.gateway.stores
    manifest = {"files": {"model.onnx": stores.registry.blobs.put(b"no model")}}
    registry = stores.registry
    for name in ("one", "two"):
        version = registry.register("another", {**manifest, "name": name}, label=name, run="R1", by="ada")
        now = registry.channel("another", PRODUCTION)
        registry.move(Move(model="another", channel=PRODUCTION, version=version.version, expect=now.revision if now else 0, event="promote", by="ada", reason="see"), {"degradation_margin": 0.05, "metric": "accuracy"})

def test_F5_tend(good):
    _another(good)
    good.requests(40)
    good.pass_hours(169)
    assert "watch_inconclusive" in good.questions()
    good.clocked.clock.move(hours=25)
    good.seconds += 11
    good.turn()
    assert good.questions()["watch_inconclusive"].status == "expired"

def test_F6_before_broken(good, monkeypatch):
    from seatrial.errors import FormError
    from seatrial.watch import followed as fo
    real = fo.open_version
    def openv(project, model, number):
        if number == 1: raise FormError("onnxruntime cannot open it")
        return real(project, model, number)
    monkeypatch.setattr(fo, "open_version", openv)
    good.requests(40); good.turn()
    assert good.watcher.trouble == ""
    assert "cannot be read" in good.watcher._followed[MODEL].unpaired

def test_F7_folder(good):
    r = good.gateway.stores.registry
    d = r.manifest(r.version(MODEL, 1))["files"]["model.onnx"]
    p = r.blobs.path(d); p.unlink(); p.mkdir()
    good.requests(40); good.turn()
    assert "cannot be read" in good.watcher._followed[MODEL].unpaired

def test_clock_back(good):
    good.turn()
    good.clocked.clock.move(hours=-3)
    r = good.gateway.stores.registry
    now = r.channel(MODEL, PRODUCTION)
    r.move(Move(model=MODEL, channel=PRODUCTION, version=1, expect=now.revision, event="rollback", by="ada", reason="x"))
    now = r.channel(MODEL, PRODUCTION)
    r.move(Move(model=MODEL, channel=PRODUCTION, version=2, expect=now.revision, event="promote", by="ada", reason="x"))
    good.turn()
    cur = watches.current(good.gateway.stores.ledger, MODEL)
    assert watches.latest(good.gateway.stores.ledger, MODEL, 2).id == cur.id
    good.gauge.answered, good.gauge.faults = 50, 50
    good.turn(2)
    assert good.production == 1
    assert good.watch.state == "failed"
