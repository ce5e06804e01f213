"""Original and result are toned by the same curves, without seams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.paths import resources_dir
from retina_viewer.imaging.readers import open_image
from retina_viewer.ui.canvas.photo import ToneMap
from retina_viewer.ui.canvas.scene import Tone


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    return open_image(resources_dir() / "samples" / "chase_14L.jpg").display_rgb[200:560, 300:700]


@pytest.fixture(scope="module")
def clahe(rgb: NDArray[np.uint8]) -> ToneMap:
    return ToneMap(rgb, Tone.CLAHE)


@pytest.fixture(scope="module")
def whole(rgb: NDArray[np.uint8], clahe: ToneMap) -> NDArray[np.uint8]:
    return clahe.apply(rgb)


@given(x=st.integers(0, 350), y=st.integers(0, 300), side=st.integers(1, 50))
def test_a_part_toned_alone_equals_the_part_of_the_whole(
    rgb: NDArray[np.uint8],
    clahe: ToneMap,
    whole: NDArray[np.uint8],
    x: int,
    y: int,
    side: int,
) -> None:
    part = np.s_[y : y + side, x : x + side]
    toned = clahe.apply(rgb[part], x=x, y=y)
    np.testing.assert_array_equal(toned, whole[part])


def test_an_enlargement_is_toned_like_the_original(
    rgb: NDArray[np.uint8], clahe: ToneMap, whole: NDArray[np.uint8]
) -> None:
    enlarged = rgb[100:140, 50:110].repeat(4, axis=0).repeat(4, axis=1)
    toned = clahe.apply(enlarged, x=50, y=100, scale=4)[2::4, 2::4]
    # The sampled pixels lie an eighth of a source pixel beside the original's centres.
    difference = np.abs(toned.astype(int) - whole[100:140, 50:110])
    assert difference.max() <= 4
    assert difference.mean() < 0.5


def test_clahe_raises_local_contrast(rgb: NDArray[np.uint8], whole: NDArray[np.uint8]) -> None:
    def local(pixels: NDArray[np.uint8]) -> float:
        green = pixels[..., 1].astype(float)
        return float(np.abs(np.diff(green, axis=1)).mean())

    assert local(whole) > 1.2 * local(rgb)


def test_red_free_is_grey_and_colour_is_untouched(rgb: NDArray[np.uint8]) -> None:
    grey = ToneMap(rgb, Tone.RED_FREE).apply(rgb)
    assert np.ptp(grey, axis=-1).max() == 0
    assert ToneMap(rgb, Tone.COLOUR).apply(rgb) is rgb
