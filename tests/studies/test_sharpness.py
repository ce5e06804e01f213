"""S3 against plain formulas, known spectra and a real photograph."""

from itertools import combinations, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from studies.sharpness import (
    sharpness,
    sharpness_map,
    spatial_sharpness,
    spectral_sharpness,
)


@pytest.fixture(scope="module")
def grey(samples: Path) -> NDArray[np.float32]:
    with Image.open(samples / "chase_14L.jpg") as image:
        return np.asarray(image.convert("L"), dtype=np.float32)[380:540, 300:492]


def test_spatial_sharpness_is_the_largest_variation_of_both_grids(
    grey: NDArray[np.float32],
) -> None:
    plane = grey[:40, :48]
    expected = np.zeros((5, 6))
    for offset in (0, 4):
        for row in range((40 - offset) // 8):
            for column in range((48 - offset) // 8):
                y, x = offset + 8 * row, offset + 8 * column
                largest = 0.0
                for i in range(y, y + 7):
                    for j in range(x, x + 7):
                        window = plane[i : i + 2, j : j + 2].ravel().astype(float)
                        total = sum(abs(p - q) for p, q in combinations(window, 2)) / 255.0
                        largest = max(largest, total / 4.0)
                reached = expected[y // 8 : (y + 7) // 8 + 1, x // 8 : (x + 7) // 8 + 1]
                np.maximum(reached, largest, out=reached)
    np.testing.assert_allclose(spatial_sharpness(plane), expected, rtol=1e-5)


def test_spectral_sharpness_falls_with_the_slope_of_the_spectrum() -> None:
    size = 256
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1.0
    noise = np.fft.fft2(np.random.default_rng(0).normal(size=(size, size)))
    medians = []
    for alpha in (0.5, 1.0, 1.5, 2.0, 2.5):
        plane = np.fft.ifft2(noise / frequency**alpha).real
        plane = np.clip(128.0 + 30.0 * (plane - plane.mean()) / plane.std(), 0.0, 255.0)
        medians.append(float(np.median(spectral_sharpness(plane.astype(np.float32)))))
    assert medians == sorted(medians, reverse=True)
    assert medians[0] > 0.85 and medians[-1] < 0.05


def test_spectral_sharpness_is_the_logistic_of_the_fitted_slope(grey: NDArray[np.float32]) -> None:
    row, column = 9, 11
    block = grey[8 * row - 12 : 8 * row + 20, 8 * column - 12 : 8 * column + 20].astype(float)
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, 33) / 33)
    amplitude = np.fft.fftshift(np.abs(np.fft.fft2(block * np.outer(taper, taper))))
    amplitude = np.pad(amplitude, ((0, 1), (0, 1)), mode="wrap")
    radii = np.arange(1, 17)
    angles = np.arange(0.0, 2 * np.pi, np.pi / 64)
    levels = [
        map_coordinates(
            amplitude, [16 + r * np.sin(angles), 16 + r * np.cos(angles)], order=1
        ).mean()
        for r in radii
    ]
    slope, _ = np.polyfit(np.log(radii), np.log(levels), 1)
    expected = 1.0 - 1.0 / (1.0 + np.exp(-3.0 * (-slope - 2.0)))
    assert spectral_sharpness(grey)[row, column] == pytest.approx(expected, rel=1e-3)


def test_blur_takes_sharpness_away(grey: NDArray[np.float32]) -> None:
    blurred = [cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (0.7, 1.5, 3.0)]
    values = [sharpness(plane) for plane in (grey, *blurred)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3.0 * values[-1]


def test_noise_passes_for_sharpness(grey: NDArray[np.float32]) -> None:
    noisy = grey + np.random.default_rng(0).normal(0.0, 8.0, grey.shape)
    assert sharpness(noisy) > 1.1 * sharpness(grey)


def test_an_area_without_contrast_is_not_sharp() -> None:
    flat = np.full((64, 72), 90.0, np.float32)
    assert not sharpness_map(flat).any()
    faint = flat + np.random.default_rng(0).uniform(0, 1, flat.shape).astype(np.float32)
    assert not spectral_sharpness(faint).any()


def test_the_map_has_one_value_a_block_where_the_sharp_part_is(grey: NDArray[np.float32]) -> None:
    plane = cv2.GaussianBlur(grey, (0, 0), 4.0)
    plane[64:128, 96:160] = grey[64:128, 96:160]
    blocks = sharpness_map(plane)
    assert blocks.shape == (20, 24) and blocks.dtype == np.float32
    assert blocks[9:15, 13:19].mean() > 2.0 * np.delete(blocks, slice(7, 17), axis=0).mean()


def test_the_mask_keeps_the_rim_out(grey: NDArray[np.float32]) -> None:
    mask = np.zeros(grey.shape, bool)
    mask[16:-16, 16:-16] = True
    plane = np.where(mask, cv2.GaussianBlur(grey, (0, 0), 3.0), 0.0)
    assert sharpness(plane, mask) < 0.3 * sharpness(plane)


def test_what_cannot_be_measured_is_refused(grey: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="too small"):
        sharpness(grey[:39])
    with pytest.raises(ValueError, match="inside"):
        sharpness(grey, np.zeros(grey.shape, bool))


def test_constructed_images_come_in_the_order_of_their_sharpness() -> None:
    y, x = np.mgrid[0:96, 0:96].astype(np.float32)
    squares = np.where((x // 12 + y // 12) % 2 > 0, 200.0, 56.0).astype(np.float32)
    planes = [np.full_like(x, 128)]
    planes += [cv2.GaussianBlur(squares, (0, 0), sigma) for sigma in (4.0, 2.0, 1.0, 0.5)]
    planes.append(squares)
    values = [sharpness(plane) for plane in planes]
    assert values == sorted(values) and values[0] == 0.0
    assert all(later > 1.15 * earlier for earlier, later in pairwise(values))


def test_the_index_is_that_of_the_paper_block_by_block(grey: NDArray[np.float32]) -> None:
    """S1 of 32x32 blocks around each 8x8, S2 on both grids, their geometric mean, the top 1 %."""
    plane = grey[:64, :72].astype(float)
    padded = np.pad(plane, 16, mode="symmetric")
    variation = np.zeros(plane.shape)
    for i in range(plane.shape[0] - 1):
        for j in range(plane.shape[1] - 1):
            pairs = combinations(plane[i : i + 2, j : j + 2].ravel(), 2)
            variation[i, j] = sum(abs(p - q) for p, q in pairs) / 255 / 4
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, 33) / 33)
    values = []
    for top in range(0, plane.shape[0], 8):
        for left in range(0, plane.shape[1], 8):
            block = padded[top + 4 : top + 36, left + 4 : left + 36]
            values.append(np.sqrt(_s1(block, taper) * _s2(variation, top, left)))
    expected = np.sort(values)[-max(1, round(0.01 * len(values))) :].mean()
    assert sharpness(plane) == pytest.approx(expected, rel=2e-3)


def _s1(block: NDArray[np.float64], taper: NDArray[np.float64]) -> float:
    shown = (0.7656 + 0.0364 * block) ** 2.2
    parts = [shown[i : i + 8, j : j + 8] for i in range(0, 25, 4) for j in range(0, 25, 4)]
    if not any(part.mean() > 2 and np.ptp(part) > 5 for part in parts):
        return 0.0
    spectrum = np.fft.fftshift(np.abs(np.fft.fft2(block * np.outer(taper, taper))))
    spectrum = np.pad(spectrum, ((0, 1), (0, 1)), mode="wrap")
    angles = np.arange(0.0, 2 * np.pi, np.pi / 64)
    rings = [
        map_coordinates(spectrum, [16 + r * np.sin(angles), 16 + r * np.cos(angles)], order=1)
        for r in range(1, 17)
    ]
    slope, _ = np.polyfit(np.log(np.arange(1, 17)), np.log([ring.mean() for ring in rings]), 1)
    return float(1 - 1 / (1 + np.exp(-3 * (-slope - 2))))


def _s2(variation: NDArray[np.float64], top: int, left: int) -> float:
    """The largest over the block at (top, left) and those at offset 4 that overlap it."""
    largest = variation[top : top + 7, left : left + 7].max()
    for y in (top - 4, top + 4):
        for x in (left - 4, left + 4):
            inside = min(y, x) >= 0 and y + 8 <= variation.shape[0]
            if inside and x + 8 <= variation.shape[1]:
                largest = max(largest, variation[y : y + 7, x : x + 7].max())
    return float(largest)
