from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from retina_viewer.imaging.degradation import (
    Kernel,
    crop_to_multiple,
    degrade,
    degrade_with_blur,
    gaussian_taps,
    sampling_blur,
    to_8bit,
)
from retina_viewer.imaging.readers import open_image

KERNELS: tuple[Kernel, ...] = ("gaussian", "bicubic", "area")


@pytest.fixture(scope="module")
def photograph(samples: Path) -> NDArray[np.float32]:
    with Image.open(samples / "chase_14L.jpg") as image:
        pixels = np.asarray(image.convert("RGB"))[300:428, 350:510]
    return pixels.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("scale", [2, 3, 4, 5, 8, 16])
def test_gaussian_is_blur_then_bilinear_sampling(
    photograph: NDArray[np.float32], scale: int
) -> None:
    # The definition, by another library and in double precision: SciPy's "mirror" reflects about
    # the centre of the outermost pixel.
    sigma = 0.4 * scale
    height, width = (side // scale for side in photograph.shape[:2])
    rows, columns = ((np.arange(n) + 0.5) * scale - 0.5 for n in (height, width))
    whole = photograph[: height * scale, : width * scale].astype(np.float64)
    for channel in range(3):
        blurred = ndimage.gaussian_filter(whole[..., channel], sigma, truncate=4, mode="mirror")
        grid = np.meshgrid(rows, columns, indexing="ij")
        expected = ndimage.map_coordinates(blurred, grid, order=1)
        np.testing.assert_allclose(degrade(photograph, scale)[..., channel], expected, atol=1e-6)


def test_another_sigma_is_used(photograph: NDArray[np.float32]) -> None:
    sharp, soft = degrade(photograph, 4, sigma=0.8), degrade(photograph, 4, sigma=2.4)
    assert np.var(sharp) > np.var(degrade(photograph, 4)) > np.var(soft)
    np.testing.assert_array_equal(degrade(photograph, 4, sigma=1.6), degrade(photograph, 4))


def test_scale_one_without_blur_changes_nothing(photograph: NDArray[np.float32]) -> None:
    np.testing.assert_array_equal(degrade(photograph, 1, sigma=0), photograph)


def test_bicubic_agrees_with_pillow_on_bytes(photograph: NDArray[np.float32]) -> None:
    source = Image.fromarray(to_8bit(photograph))
    expected = np.asarray(source.resize((40, 32), Image.Resampling.BICUBIC)).astype(int)
    found = to_8bit(degrade(photograph, 4, "bicubic")).astype(int)
    assert np.abs(found - expected).max() <= 1


def test_area_is_the_mean_of_each_block(photograph: NDArray[np.float32]) -> None:
    blocks = photograph.reshape(32, 4, 40, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(degrade(photograph, 4, "area"), blocks, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("shape", [(37, 50, 3), (37, 50), (16, 16, 3), (33, 17, 3)])
def test_shape_type_and_range(
    photograph: NDArray[np.float32], kernel: Kernel, shape: tuple[int, ...]
) -> None:
    part = photograph[: shape[0], : shape[1]] if len(shape) == 3 else photograph[:37, :50, 1]
    small = degrade(part, 16, kernel)
    assert small.shape == (shape[0] // 16, shape[1] // 16, *shape[2:])
    assert small.dtype == np.float32
    assert 0 <= small.min() <= small.max() <= 1


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_does_not_fit_is_cut_at_the_bottom_and_the_right(
    photograph: NDArray[np.float32], kernel: Kernel
) -> None:
    odd = photograph[:61, :83]
    np.testing.assert_array_equal(degrade(odd, 4, kernel), degrade(odd[:60, :80], 4, kernel))


@given(
    level=st.floats(0, 1, width=32),
    scale=st.integers(1, 9),
    kernel=st.sampled_from(KERNELS),
)
def test_a_constant_stays_constant(level: float, scale: int, kernel: Kernel) -> None:
    flat = np.full((27, 20, 3), level, np.float32)
    np.testing.assert_allclose(degrade(flat, scale, kernel), level, atol=2e-6)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16))
def test_cropping_gives_the_largest_multiple(height: int, width: int, scale: int) -> None:
    image = np.arange(height * width).reshape(height, width)
    cut = crop_to_multiple(image, scale)
    assert all(side % scale == 0 for side in cut.shape)
    assert all(0 <= a - b < scale for a, b in zip(image.shape, cut.shape, strict=True))
    np.testing.assert_array_equal(cut, image[: cut.shape[0], : cut.shape[1]])


@given(st.floats(0.2, 8))
def test_taps_are_a_truncated_gaussian(sigma: float) -> None:
    taps = gaussian_taps(sigma)
    assert len(taps) == 2 * int(4 * sigma + 0.5) + 1
    assert taps.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(taps, taps[::-1])


def test_rounding_clips() -> None:
    values = np.array([-0.5, 0.0, 0.4999 / 255, 0.5001 / 255, 1.0, 1.5], np.float32)
    assert to_8bit(values).tolist() == [0, 0, 0, 1, 255, 255]


@pytest.mark.parametrize(("scale", "side"), [(0, 20), (-2, 20), (8, 7)])
def test_a_scale_that_does_not_fit_is_refused(scale: int, side: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        degrade(np.zeros((side, side, 3), np.float32), scale)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize(
    ("kernel", "sigma"), [("bicubic", None), ("area", None), ("gaussian", 0.4)]
)
def test_the_blur_is_the_deviation_of_the_kernel(
    kernel: Kernel, sigma: float | None, scale: int
) -> None:
    """Measured on the kernel itself: the response of one small pixel to a shifted point."""
    width = None if sigma is None else sigma * scale
    side = 24 * scale
    response = np.zeros(side)
    for column in range(side):
        line = np.full((scale, side), 0.25, np.float32)
        line[:, column] += 0.5
        response[column] = degrade(line, scale, kernel, width)[0, 12] - 0.25
    place = (np.arange(side) + 0.5) / scale
    centre = (response * place).sum() / response.sum()
    variance = (response * (place - centre) ** 2).sum() / response.sum()
    assert variance == pytest.approx(sampling_blur(kernel, scale, width) ** 2, abs=2e-3)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_shrinking_by_a_blur_agrees_with_the_kernels_it_joins(samples: Path, scale: int) -> None:
    rgb = open_image(samples / "chase_14L.jpg").unit_rgb()[400:528, 300:428]
    known: list[tuple[Kernel, float | None]] = [
        ("bicubic", None), ("area", None), ("gaussian", 0.3), ("gaussian", 0.4), ("gaussian", 0.55)
    ]  # fmt: skip
    for kernel, sigma in known:
        width = None if sigma is None else sigma * scale
        expected = degrade(rgb, scale, kernel, width)
        found = degrade_with_blur(rgb, scale, sampling_blur(kernel, scale, width))
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_more_blur_leaves_less_contrast(samples: Path) -> None:
    rgb = open_image(samples / "chase_14L.jpg").unit_rgb()[400:528, 300:428]
    contrast = [
        np.diff(degrade_with_blur(rgb, 4, blur), axis=0).std() for blur in np.linspace(0.3, 0.7, 9)
    ]
    assert np.all(np.diff(contrast) < 0)
