"""The fit finds what the windows were made with, and never a weight below zero."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls
from scipy.stats import spearmanr

from retina_viewer.quality.calibration import (
    Windows,
    _non_negative_fit,
    _pooled,
    fit_calibration,
    load_windows,
    save_windows,
)
from studies.consistency import deciles, spearman


def windows(seed: int, count: int = 4000) -> Windows:
    """Errors that follow one evidence, ignore a second and fall with a third."""
    rng = np.random.default_rng(seed)
    telling = rng.lognormal(0.5, 0.8, count).astype(np.float32)
    idle = rng.lognormal(0.5, 0.8, count).astype(np.float32)
    error = (0.7 * telling**0.8 * rng.lognormal(0, 0.3, count)).astype(np.float32)
    falling = (1 / (error + 1)).astype(np.float32)
    return Windows(error, {"telling": telling, "idle": idle, "falling": falling})


def test_damaged_windows_are_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "windows.npz"
    assert load_windows(path) is None
    save_windows(path, windows(1, 50))
    again = load_windows(path)
    assert again is not None
    np.testing.assert_array_equal(again.error, windows(1, 50).error)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", b"PK\x03\x04", b"nothing"):
        path.write_bytes(damaged)
        assert load_windows(path) is None


def test_it_finds_the_telling_evidence_and_is_calibrated_on_new_windows() -> None:
    fitted = fit_calibration([windows(1), windows(2, 500)])
    assert fitted.weights["telling"] == pytest.approx(0.8, abs=0.08)
    assert fitted.weights.get("idle", 0.0) < 0.03
    assert "falling" not in fitted.weights
    fresh = windows(3)
    expected = fitted.expected_error(fresh.planes)
    for wanted, true in deciles(expected, fresh.error):
        assert wanted == pytest.approx(true, rel=0.12)
    assert spearman(expected, fresh.error) > 0.85


def test_every_photograph_counts_alike() -> None:
    few, many = windows(1, 300), windows(2, 6000)
    louder = Windows(many.error * 5, many.planes)
    top = fit_calibration([few, louder]).errors[-1]
    assert fit_calibration([few, few, few, louder]).errors[-1] < 0.8 * top


def test_evidence_that_some_photographs_lack_is_none_there() -> None:
    with_twin = windows(1)
    without = Windows(with_twin.error, {"idle": with_twin.planes["idle"]})
    fitted = fit_calibration([with_twin, without])
    assert 0 < fitted.weights["telling"] < 0.7


def test_evidence_that_tells_nothing_gives_a_flat_curve() -> None:
    rng = np.random.default_rng(0)
    constant = np.ones(500, np.float32)
    sample = Windows(rng.random(500).astype(np.float32), {"constant": constant})
    with pytest.raises(ValueError, match="no evidence"):
        fit_calibration([sample])
    with pytest.raises(ValueError, match="no windows"):
        fit_calibration([Windows(np.empty(0, np.float32), {"constant": np.empty(0, np.float32)})])


@given(seed=st.integers(0, 10_000), columns=st.integers(1, 5))
def test_the_subset_search_is_the_non_negative_least_squares_solution(
    seed: int, columns: int
) -> None:
    rng = np.random.default_rng(seed)
    matrix, target = rng.normal(size=(40, columns)), rng.normal(size=40)
    weight = rng.uniform(0.5, 2, 40)
    share = weight / weight.sum()
    centred, aim = matrix - share @ matrix, target - share @ target
    known, _ = nnls(centred * np.sqrt(share)[:, None], aim * np.sqrt(share))
    if not known.any():
        with pytest.raises(ValueError, match="no evidence"):
            _non_negative_fit(matrix, target, weight)
        return
    np.testing.assert_allclose(_non_negative_fit(matrix, target, weight), known, atol=1e-6)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20))
def test_pooling_rises_and_keeps_the_mean(values: list[float]) -> None:
    row = np.array(values)
    rising = _pooled(row, np.ones(row.size))
    assert (np.diff(rising) >= 0).all()
    assert rising.mean() == pytest.approx(row.mean(), abs=1e-9)
    if (np.diff(row) >= 0).all():
        np.testing.assert_array_equal(rising, row)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=30))
def test_rank_correlation_agrees_with_scipy_also_with_ties(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(spearmanr(first, second).statistic, abs=1e-9)
