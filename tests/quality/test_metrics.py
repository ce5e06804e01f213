import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity
from sklearn.metrics import roc_auc_score

from retina_viewer.quality.metrics import (
    auc,
    dice,
    evaluation_mask,
    luminance_full,
    luminance_studio,
    psnr,
    rmse,
    ssim,
    ssim_map,
)
from studies.vessel_metrics import accuracy, precision, sensitivity, specificity


@pytest.fixture(scope="module")
def photograph(samples: Path) -> NDArray[np.uint8]:
    with Image.open(samples / "chase_14L.jpg") as image:
        return np.asarray(image.convert("RGB"))[400:500, 300:420]


def test_studio_luminance_runs_from_16_to_235() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0]]], np.uint8)
    # ITU-R BT.601, table of 8-bit studio codes.
    expected = [[16.0, 235.0, 81.481, 144.553]]
    np.testing.assert_allclose(luminance_studio(colours), expected, atol=1e-3)
    np.testing.assert_allclose(luminance_full(colours), [[0, 255, 76.245, 149.685]], atol=1e-9)


def test_the_full_range_reads_1_3_db_lower(photograph: NDArray[np.uint8]) -> None:
    other = photograph // 2 + 60
    studio = psnr(luminance_studio(photograph), luminance_studio(other))
    full = psnr(luminance_full(photograph), luminance_full(other))
    assert studio - full == pytest.approx(20 * np.log10(255 / 219), abs=1e-9)


def test_luminance_refuses_what_is_not_8_bit_rgb() -> None:
    with pytest.raises(ValueError, match="uint8"):
        luminance_studio(np.zeros((4, 4, 3), np.float32))


def test_psnr_and_rmse_of_a_known_error() -> None:
    truth = np.full((10, 10), 100.0)
    wrong = truth.copy()
    wrong[:5] += 4.0
    assert rmse(truth, wrong) == pytest.approx(np.sqrt(8.0))
    assert psnr(truth, wrong) == pytest.approx(20 * np.log10(255 / np.sqrt(8.0)))
    inside = np.zeros((10, 10), bool)
    inside[:5] = True
    assert rmse(truth, wrong, inside) == pytest.approx(4.0)
    assert psnr(truth, wrong, ~inside) == float("inf")


def test_masks_that_do_not_fit_are_refused() -> None:
    plane = np.zeros((4, 4))
    with pytest.raises(ValueError, match="empty"):
        rmse(plane, plane, np.zeros((4, 4), bool))
    with pytest.raises(ValueError, match="fit"):
        rmse(plane, plane, np.ones((4, 5), bool))
    with pytest.raises(ValueError, match="one shape"):
        rmse(plane, np.zeros((5, 4)))


@given(seed=st.integers(0, 1000), noise=st.floats(0.5, 40.0))
@settings(max_examples=10, deadline=None)
def test_ssim_is_wangs(seed: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    first = random.integers(0, 256, (30, 26)).astype(np.float64)
    second = np.clip(first + random.normal(0, noise, first.shape), 0, 255)
    expected, everywhere = structural_similarity(
        first,
        second,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
        full=True,
    )
    assert ssim(first, second) == pytest.approx(expected, abs=1e-9)
    np.testing.assert_allclose(ssim_map(first, second), everywhere, atol=1e-9)


def test_ssim_inside_a_mask_is_the_mean_of_its_map(photograph: NDArray[np.uint8]) -> None:
    first = luminance_studio(photograph)
    second = first.copy()
    second[:50] = 255 - second[:50]
    mask = np.zeros(first.shape, bool)
    mask[70:90, 20:80] = True
    assert ssim(first, second, mask) == pytest.approx(1.0)
    assert ssim(first, second, ~mask) < 0.9
    assert ssim(first, second, ~mask) == pytest.approx(ssim_map(first, second)[~mask].mean())
    with pytest.raises(ValueError, match="window"):
        ssim(first[:9, :9], second[:9, :9])


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_the_evaluation_mask_is_eroded_by_2r_plus_4(scale: int) -> None:
    y, x = np.mgrid[0:120, 0:140]
    radius = np.hypot(y - 60, x - 70)
    eroded = evaluation_mask(radius <= 50, scale)
    reach = 50 - (2 * scale + 4)
    assert eroded[radius < reach - 1].all()
    assert not eroded[radius > reach + 1].any()


def test_the_images_border_erodes_the_evaluation_mask() -> None:
    eroded = evaluation_mask(np.ones((40, 50), bool), 2)
    expected = np.zeros((40, 50), bool)
    expected[8:-8, 8:-8] = True
    np.testing.assert_array_equal(eroded, expected)


@given(
    size=st.integers(2, 300),
    levels=st.integers(1, 40),
    seed=st.integers(0, 10_000),
    kind=st.sampled_from([np.uint8, np.float32, np.float64]),
)
@settings(deadline=None)
def test_auc_is_the_exact_rank_statistic_with_ties(
    size: int, levels: int, seed: int, kind: type[np.generic]
) -> None:
    random = np.random.default_rng(seed)
    score = random.integers(0, levels, size).astype(kind)
    truth = random.random(size) < 0.3
    truth[:2] = [True, False]
    assert auc(score, truth) == pytest.approx(roc_auc_score(truth, score), abs=1e-12)


def test_auc_ignores_what_lies_outside_the_mask() -> None:
    score = np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.6]])
    truth = np.array([[False, True, True], [False, False, True]])
    mask = np.array([[True, True, True], [False, True, True]])
    assert auc(score, truth, mask) == 1.0
    assert auc(score, truth) == pytest.approx(7 / 9)


def test_auc_needs_both_classes_and_numbers() -> None:
    with pytest.raises(ValueError, match="both classes"):
        auc(np.arange(4.0), np.ones(4, bool))
    with pytest.raises(ValueError, match="NaN"):
        auc(np.array([0.0, np.nan]), np.array([True, False]))


def test_auc_of_300_000_pixels_takes_no_time() -> None:
    random = np.random.default_rng(0)
    score, truth = random.random(300_000, np.float32), random.random(300_000) < 0.1
    start = time.process_time()
    auc(score, truth)
    assert time.process_time() - start < 2.0


def test_rates_of_a_counted_example() -> None:
    truth = np.array([True] * 6 + [False] * 14)
    prediction = np.zeros(20, bool)
    prediction[2:9] = True  # 4 hits, 3 false alarms, 2 misses, 11 rejections
    assert dice(prediction, truth) == pytest.approx(8 / 13)
    assert sensitivity(prediction, truth) == pytest.approx(4 / 6)
    assert specificity(prediction, truth) == pytest.approx(11 / 14)
    assert accuracy(prediction, truth) == pytest.approx(15 / 20)
    assert precision(prediction, truth) == pytest.approx(4 / 7)
    mask = np.arange(20) < 6
    assert dice(prediction, truth, mask) == pytest.approx(8 / 10)


def test_rates_of_nothing() -> None:
    nothing, everything = np.zeros(5, bool), np.ones(5, bool)
    assert dice(nothing, nothing) == 1.0
    assert np.isnan(sensitivity(nothing, nothing))
    assert np.isnan(specificity(nothing, everything))
    assert np.isnan(precision(nothing, everything))
