"""A feature that gives the target away is found; an honest one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from seatrial.data.leakage.target_copy import copies

if TYPE_CHECKING:
    from numpy.typing import NDArray

N = 4000


def _text(values: NDArray[Any]) -> NDArray[np.object_]:
    return np.array([str(value) for value in values], dtype=object)


def _delays() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    delay = np.random.default_rng(11).exponential(20, N)
    return delay, (delay > 30).astype(np.int64)


def test_a_copy_is_found_in_any_disguise() -> None:
    delay, late = _delays()
    copied: dict[str, NDArray[Any]] = {
        "itself": late.astype(np.float32),
        "as text": _text(np.where(late == 1, "yes", "no")),
        "the number behind it": delay.astype(np.float32),
        "rounded": delay.round().astype(np.float32),
        "scaled and turned": (-60 * delay + 7).astype(np.float32),
        "coded": np.array([3, 1, 7, 2], np.float32)[np.digitize(delay, [10, 30, 60])],
        "present only where it is": np.where(late == 1, delay % 7, np.nan).astype(np.float32),
        "folded": (delay * np.where(delay % 2 < 1, 1, -1)).astype(np.float32),
    }
    honest = {"honest": np.random.default_rng(1).normal(size=N).astype(np.float32)}
    found = copies(honest | copied, late, "classes")
    assert {copy.feature for copy in found} == set(copied)
    assert all(copy.share > 0.995 for copy in found)


def test_classes_may_be_text_and_rare() -> None:
    random = np.random.default_rng(2)
    kinds = random.choice(["a", "b", "c"], N, p=[0.9, 0.09, 0.01])
    features = {
        "kind_code": _text(np.char.add("k", kinds)),
        "other": _text(random.integers(0, 9, N)),
    }
    (found,) = copies(features, _text(kinds), "classes")
    assert (found.feature, found.share) == ("kind_code", 1.0)


def test_a_copy_of_a_number_is_found_though_its_tail_is_long() -> None:
    price = np.random.default_rng(4).pareto(0.8, N)
    features = {
        "cents": (100 * price).astype(np.float32),
        "log": np.log1p(price).astype(np.float32),
        "noise": np.random.default_rng(5).normal(size=N).astype(np.float32),
    }
    found = copies(features, price, "numbers")
    assert sorted(copy.feature for copy in found) == ["cents", "log"]


def test_a_value_of_its_own_in_every_row_gives_nothing_away() -> None:
    _, late = _delays()
    own = {"id": _text(np.arange(N)), "row": np.arange(N, dtype=np.float32)}
    assert copies(own, late, "classes") == ()
    assert copies(own, np.random.default_rng(8).normal(size=N), "numbers") == ()


def test_a_good_feature_is_no_copy() -> None:
    """Right in 97 of 100 rows, or correlated at 0.99: honest features can be as good."""
    random = np.random.default_rng(6)
    _, late = _delays()
    good = np.where(random.random(N) < 0.97, late, 1 - late).astype(np.float32)
    assert copies({"good": good}, late, "classes") == ()
    price = random.normal(size=N)
    near = (price + random.normal(scale=0.14, size=N)).astype(np.float32)
    assert copies({"near": near}, price, "numbers") == ()


def test_few_rows_and_noise_give_no_alarm() -> None:
    """1500 looks at columns of noise, where a copy has to be told from luck."""
    random = np.random.default_rng(9)
    for count in (10, 40, 60, 200):
        for _ in range(25):
            late = (random.random(count) < 0.4).astype(np.int64)
            noise: dict[str, NDArray[Any]] = {
                f"n{i}": random.normal(size=count).astype(np.float32) for i in range(5)
            }
            noise |= {f"t{k}": _text(random.integers(0, k, count)) for k in (2, 5, 20, 99, 999)}
            assert copies(noise, late, "classes") == ()
            assert copies(noise, random.normal(size=count), "numbers") == ()


def test_one_class_or_hardly_any_rows_say_nothing() -> None:
    column = {"x": np.arange(15, dtype=np.float32)}
    assert copies(column, np.zeros(15, np.int64), "classes") == ()
    assert copies(column, np.arange(15) % 2, "classes") == ()
    assert copies(column, np.arange(15.0), "numbers") == ()
