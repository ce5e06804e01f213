"""S3 against plain formulas, known spectra and a real photograph."""

from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from retina_viewer.evaluation.sharpness import (
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
