"""Blur as one number: what it says of known kernels, and shrinking with it."""

from pathlib import Path

import numpy as np
import pytest

from retina_viewer.imaging.degradation import Kernel, degrade, degrade_with_blur, sampling_blur
from retina_viewer.imaging.readers import open_image


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
