"""Drift is told from chance, and where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from seatrial.data import profile as profiles
from seatrial.data.drift import compare
from seatrial.errors import FileError, FormError
from seatrial.outcome import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from seatrial.data.drift import Drift

    from .conftest import Opened

RNG = np.random.default_rng(7)
DELAYS = np.round(RNG.gamma(0.8, 20, 8000) - 6)
CARRIERS = RNG.choice(["AA", "B6", "DL", "EV", "9E"], 8000, p=[0.3, 0.3, 0.2, 0.15, 0.05])


def _csv(delays: NDArray[np.float64], carriers: NDArray[np.str_]) -> str:
    rows = zip(delays, carriers, strict=True)
    return "delay,carrier,late\n" + "".join(f"{d},{c},{int(d > 15)}\n" for d, c in rows)


def _verdicts(drift: Drift) -> dict[str, str]:
    return {m.name: m.verdict for m in drift.measures}


def test_same_data_is_exactly_nothing(opened: Opened) -> None:
    table = opened(_csv(DELAYS, CARRIERS))
    drift = compare(profiles.make(table), table, 0.1)
    assert [m.name for m in drift.measures] == ["kl.delay", "kl.carrier", "kl.late"]
    assert all((m.value, m.low, m.high) == (0, 0, 0) for m in drift.measures)
    assert all((m.limit, m.n, m.verdict) == (0.1, 8000, "pass") for m in drift.measures)
    assert drift.findings == ()
    assert drift.verdict is Verdict.PASS


def test_shuffled_halves_pass(opened: Opened) -> None:
    order = np.random.default_rng(3).permutation(8000)
    first, second = order[:4000], order[4000:]
    made = profiles.make(opened(_csv(DELAYS[first], CARRIERS[first])))
    drift = compare(made, opened(_csv(DELAYS[second], CARRIERS[second]), "e.csv"), 0.1)
    assert drift.verdict is Verdict.PASS


@pytest.mark.parametrize("rows", [300, 8000])
def test_wrong_unit_fails(opened: Opened, rows: int) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    drift = compare(made, opened(_csv(DELAYS[:rows] * 60, CARRIERS[:rows]), "e.csv"), 0.1)
    assert _verdicts(drift)["kl.delay"] == "fail"
    assert _verdicts(drift)["kl.carrier"] == "pass"
    assert drift.verdict is Verdict.FAIL
    assert any("`delay > " in f.what and "rose from" in f.what for f in drift.findings)


def test_contributors_and_unseen_values(opened: Opened) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    later = np.where(CARRIERS == "AA", "9E", CARRIERS)
    later[:80] = "ZZ"
    drift = compare(made, opened(_csv(DELAYS, later), "e.csv"), 0.1)
    told = [f.what for f in drift.findings]
    assert any("80 rows hold a value never seen before: 'ZZ' (80)" in what for what in told)
    assert any(what.startswith("`carrier = 9E` rose from 5") for what in told)
    assert any(
        what.startswith("`carrier = AA` fell from ") and what.endswith(" to 0 %") for what in told
    )


def test_new_missing_values(opened: Opened) -> None:
    made = profiles.make(opened(_csv(DELAYS, CARRIERS)))
    gone = DELAYS.astype(object)
    gone[:4000] = ""
    text = "delay,carrier,late\n" + "".join(f"{d},AA,0\n" for d in gone)
    drift = compare(made, opened(text, "e.csv"), 0.1, columns=["delay"])
    assert _verdicts(drift) == {"kl.delay": "fail"}
    assert "4000 of 8000 values are missing, none was before" in drift.findings[0].what


def test_a_column_all_missing_is_drift_not_another_kind(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n" + "1,1\n2,2\n" * 200))
    drift = compare(made, opened("a,b\n" + ",1\n,2\n" * 200, "e.csv"), 0.1)
    assert _verdicts(drift) == {"kl.a": "fail", "kl.b": "pass"}
    assert not drift.broken


def test_a_constant_that_moves(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n" + "5,1\n" * 200))
    for moved in ("4", "6", "5.5"):
        drift = compare(made, opened("a,b\n" + f"{moved},1\n" * 200, "e.csv"), 0.1)
        assert _verdicts(drift) == {"kl.a": "fail", "kl.b": "pass"}


def test_missing_new_and_other_columns(opened: Opened) -> None:
    made = profiles.make(opened("carrier,n,m\nAA,1,1\nDL,2,2\n"))
    drift = compare(made, opened("carier,n,m\nAA,x,1\nDL,y,2\n", "e.csv"), 0.1)
    assert drift.broken == ("carrier", "n")
    assert drift.verdict is Verdict.FAIL
    told = {f.what: f.hint for f in drift.findings}
    assert told["column 'carrier' of the profile is missing"] == "nearest column: carier"
    assert "column 'n' holds text, the profile numbers" in told
    assert "column 'carier' is not in the profile and was not compared" in told


def test_profile_of_other_columns(opened: Opened) -> None:
    made = profiles.make(opened("a,b\n1,2\n"))
    with pytest.raises(FormError, match="is of other columns: a, b"):
        compare(made, opened("c,d\n1,2\n", "e.csv"), 0.1)


def test_keys_times_and_excluded_are_left_out(opened: Opened) -> None:
    text = "id,t,skip,x\n" + "".join(f"{i},2024-01-01,{i},{i % 7}\n" for i in range(500))
    made = profiles.make(opened(text))
    later = "id,t,skip,x\n" + "".join(f"{i + 900},2024-02-01,{-i},{i % 7}\n" for i in range(500))
    drift = compare(made, opened(later, "f.csv", key="id", time="t", exclude=("skip",)), 0.1)
    assert _verdicts(drift) == {"kl.x": "pass"}


def test_unknown_measure(opened: Opened) -> None:
    table = opened("a\n1\n")
    with pytest.raises(FileError, match="unknown drift measure 'kll'"):
        compare(profiles.make(table), table, 0.1, measure="kll")


def test_awkward_names_and_values(opened: Opened) -> None:
    table = opened('"a""b c","d\'e"\n"x\'y",1\n"?",2\n')
    drift = compare(profiles.make(table), table, 0.1)
    assert drift.verdict is Verdict.PASS
