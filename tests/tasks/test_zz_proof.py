from __future__ import annotations
from datetime import timedelta
import pytest
from tests.tasks.test_brakes import *
from tests.tasks.test_brakes import _stormy
from tests.tasks.conftest import MODEL
from tests.tasks.traffic import Clocked, Gateway
from seatrial.ledger import claims
from seatrial.registry import watches, standing
from seatrial.tasks import promote

class Killed(BaseException): ...

def test_F4_killed_after_the_move(clocked, monkeypatch):
    """killed after move committed, before recorded"""
    decided(clocked, End(State.PASSED, "known good"))
    clocked.retrain(22)
    with Gateway(clocked) as g:
        g.say(2, "serving")
        g.obey()
        def die(*a): raise Killed
        with monkeypatch.context() as m:
            m.setattr(promote, "_delivered", die)
            with pytest.raises(Killed):
                clocked.run()
        stores = clocked.open()
        assert stores.registry.channel(MODEL, "production").version == 3
        stores.ledger.close()
        import time; time.sleep(0.3)
        went = clocked.run()
        assert (went.code, went.production) == (0, (2, 3)), (went.document["stages"][-1])

def test_F4b_pinned_moved(clocked):
    """Waits for its predecessor's watch; that is rolled back: no sense in waiting a day more."""
    with Gateway(clocked) as g:
        g.say(2, "serving")
        clocked.retrain(22)
        went = clocked.run()
        waits_until(went)
        decided(clocked, HARM)
        clocked.clock.move(hours=48)
        from seatrial.engines import _drive
        import seatrial
        # as serve's scheduler resumes
    stores = clocked.open()
    from seatrial.ledger import runs
    print(runs.get(stores.ledger, went.run).state)
    stores.ledger.close()
    clocked.clock.move(hours=-47)
    went2 = clocked.run()
    print(went.run, went2.run, went2.code, went2.reason("promote"))
    assert 0
