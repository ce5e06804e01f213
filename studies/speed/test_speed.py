"""How long the main work takes on this machine. Run with ``make bench``."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from retina_viewer.core.geometry import Rect
from retina_viewer.core.paths import resources_dir
from retina_viewer.imaging.field_of_view import find_field_of_view
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import open_image
from retina_viewer.imaging.writers import write_image
from retina_viewer.saliency.local import saliency_map
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.tiles import enhance_image
from retina_viewer.vessels.segment import load_segmenter

SAMPLES = resources_dir() / "samples"


@pytest.fixture(scope="module")
def square() -> NDArray[np.uint8]:
    """A photograph of 1024 x 1024 pixels."""
    return np.asarray(open_image(SAMPLES / "fives_28_A.png").pixels, dtype=np.uint8)


def smaller(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    side = pixels.shape[0] // factor
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("scale", [2, 4, 8, 16])
@pytest.mark.parametrize("method", ["pixel", "bicubic"])
def test_enhance_to_1024(
    benchmark: BenchmarkFixture, square: NDArray[np.uint8], method: str, scale: int
) -> None:
    """A result of 1024 x 1024 pixels."""
    enhancer = make_enhancer(EnhanceSettings(method).at(scale))
    source = smaller(square, scale)
    result = benchmark.pedantic(enhance_image, (enhancer, source), rounds=3, warmup_rounds=1)
    assert result.shape == square.shape


def test_one_viewer_tile(benchmark: BenchmarkFixture, square: NDArray[np.uint8]) -> None:
    """What the window computes at a time: 256 x 256 result pixels at x4."""
    enhancer = make_enhancer(EnhanceSettings("pixel"))
    rgb = square.astype(np.float32) / np.float32(255)
    region = Rect(480, 480, 64, 64)
    result = benchmark.pedantic(enhancer.enhance_region, (rgb, region), rounds=5, warmup_rounds=1)
    assert result.shape == (256, 256, 3)


def test_saliency_of_1024(benchmark: BenchmarkFixture, square: NDArray[np.uint8]) -> None:
    mask = find_field_of_view(square).mask
    result = benchmark.pedantic(saliency_map, (square, mask), rounds=5, warmup_rounds=1)
    assert result.shape == square.shape[:2]


def test_vessels_of_1024(benchmark: BenchmarkFixture, square: NDArray[np.uint8]) -> None:
    segmenter = load_segmenter()
    image = FundusImage.from_array(square)
    found = benchmark.pedantic(segmenter.segment, (image,), rounds=3, warmup_rounds=1)
    assert found.mask.shape == square.shape[:2]


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_open_4288_by_2848(benchmark: BenchmarkFixture, tmp_path: Path, suffix: str) -> None:
    """The size of IDRiD's camera, made from a sample."""
    small = open_image(SAMPLES / "idrid_53_half.jpg").pixels
    large = np.asarray(cv2.resize(small, (4288, 2848), interpolation=cv2.INTER_CUBIC), np.uint8)
    path = tmp_path / f"large.{suffix}"
    write_image(path, large)
    image = benchmark.pedantic(open_image, (path,), rounds=5, warmup_rounds=1)
    assert (image.width, image.height) == (4288, 2848)


@pytest.mark.parametrize("name", ["chase_14L.jpg", "hrf_08_h.jpg"])
def test_field_of_view(benchmark: BenchmarkFixture, name: str) -> None:
    pixels = open_image(SAMPLES / name).display_rgb
    found = benchmark.pedantic(find_field_of_view, (pixels,), rounds=5, warmup_rounds=1)
    assert found.mask.any()
