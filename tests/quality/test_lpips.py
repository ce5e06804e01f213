"""LPIPS: zero for equal images, ordered as the eye orders, tiled without seams."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from retina_viewer.imaging.readers import open_image
from retina_viewer.networks.vgg import VGG16Features, read_perceptual_weights
from retina_viewer.quality.lpips import LPIPS, LPIPSReference


def lpips_distance(
    network: LPIPS,
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    mask: NDArray[np.bool_] | None = None,
) -> float:
    return LPIPSReference(network, first).distance(second, mask)


@pytest.fixture(scope="module")
def network() -> LPIPS:
    return LPIPS()


@pytest.fixture(scope="module")
def photograph(sample_path: Callable[[str], Path]) -> np.ndarray:
    return np.ascontiguousarray(open_image(sample_path("chase_14L.jpg")).pixels[300:460, 300:492])


def blurred(rgb8: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(rgb8, (0, 0), sigma), dtype=np.uint8)


def test_equal_images_have_no_distance(network: LPIPS, photograph: np.ndarray) -> None:
    assert lpips_distance(network, photograph, photograph) == 0


def test_more_blur_is_further_away_and_the_order_does_not_matter(
    network: LPIPS, photograph: np.ndarray
) -> None:
    little, much = (
        lpips_distance(network, photograph, blurred(photograph, sigma)) for sigma in (1.0, 3.0)
    )
    assert 0.005 < little < much < 1
    back = lpips_distance(network, blurred(photograph, 3.0), photograph)
    assert back == pytest.approx(much, rel=1e-5)


def test_only_the_masked_pixels_count(network: LPIPS, photograph: np.ndarray) -> None:
    changed = photograph.copy()
    changed[:, :40] = blurred(photograph, 4.0)[:, :40]
    far = np.zeros(photograph.shape[:2], dtype=bool)
    far[:, 160:] = True
    near = ~far
    assert lpips_distance(network, photograph, changed, near) > 20 * lpips_distance(
        network, photograph, changed, far
    )


@pytest.mark.slow
def test_tiles_leave_no_seam(
    network: LPIPS, photograph: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = blurred(photograph, 2.0)
    whole = lpips_distance(network, photograph, other)
    monkeypatch.setattr("retina_viewer.quality.lpips._TILE", 96)
    assert lpips_distance(network, photograph, other) == pytest.approx(whole, rel=5e-3)


def test_images_of_different_size_are_refused(network: LPIPS, photograph: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        lpips_distance(network, photograph, photograph[:-1])


def test_the_distance_is_that_of_the_paper_layer_by_layer(
    network: LPIPS, photograph: np.ndarray
) -> None:
    """Features of unit length, their squared differences weighted by the heads, averaged."""
    first = photograph[:64, :80]
    second = blurred(first, 1.5)
    heads = read_perceptual_weights("lpips_v0.1_vgg16_heads.safetensors")
    taps = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    vgg = VGG16Features(taps)
    with torch.inference_mode():
        one, two = (
            vgg(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255)
            for image in (first, second)
        )
    expected = 0.0
    for number, tap in enumerate(taps):
        units = []
        for found in (one, two):
            values = found[tap][0].double().numpy()
            units.append(values / np.sqrt((values**2).sum(axis=0) + 1e-20))
        weights = heads[f"lin{number}.weight"].double().numpy().ravel()
        expected += float(np.tensordot(weights, (units[0] - units[1]) ** 2, axes=1).mean())
    assert lpips_distance(network, first, second) == pytest.approx(expected, rel=0.01)
