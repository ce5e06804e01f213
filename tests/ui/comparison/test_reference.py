"""What may be a reference: the same scene, pixel on pixel, at a size that fits."""

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.degradation import degrade, to_8bit
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.quality.metrics import Bytes
from retina_viewer.quality.registration import registration
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.scene import Tone
from retina_viewer.ui.canvas.tile_requests import TileKey, tile_side, tiles_over
from retina_viewer.ui.comparison.reference import (
    scale_between,
    trial_of,
    truth_from,
)
from tests.ui.conftest import SAMPLES

NAMES = ("chase_14L.jpg", "fives_28_A.png", "hrf_08_h.jpg", "idrid_53_half.jpg")


@cache
def large(name: str) -> Bytes:
    """A bundled photograph of 480 x 448 pixels."""
    with Image.open(SAMPLES / name) as image:
        small = image.convert("RGB").resize((480, 448), Image.Resampling.BOX)
    return np.asarray(small)


@cache
def shrunk(name: str) -> Bytes:
    return to_8bit(degrade(large(name).astype(np.float32) / np.float32(255), 2))


def image_of(pixels: Bytes, name: str) -> FundusImage:
    return FundusImage.from_array(pixels, name)


def photo_of(pixels: Bytes) -> Photo:
    return Photo(image_of(pixels, "photograph.png"), "key")


@pytest.mark.parametrize("name", NAMES)
def test_the_same_scene_is_taken_with_its_scale(name: str) -> None:
    photo = photo_of(shrunk(name))
    reference = truth_from(photo, image_of(large(name), "sharp.png"), 8)
    assert reference.scale == 2
    assert not reference.is_trial
    np.testing.assert_array_equal(reference.rgb8, large(name))
    assert 0.3 < reference.mask.mean() < 1


def test_noise_and_another_exposure_are_the_same_scene() -> None:
    name = NAMES[0]
    noise = np.random.default_rng(0).normal(0, 4, shrunk(name).shape)
    darker = np.clip(shrunk(name) * 0.8 + noise, 0, 255).astype(np.uint8)
    assert truth_from(photo_of(darker), image_of(large(name), "sharp.png"), 2).scale == 2


@pytest.mark.parametrize(("name", "other"), [*pairwise(NAMES)])
def test_another_eye_is_refused(name: str, other: str) -> None:
    with pytest.raises(UserError, match="does not show the same scene"):
        truth_from(photo_of(shrunk(name)), image_of(large(other), "sharp.png"), 2)


@settings(max_examples=8)
@given(st.integers(-6, 6), st.integers(-6, 6))
def test_a_shift_is_found_and_refused(right: int, down: int) -> None:
    moved = np.roll(large(NAMES[1]), (2 * down, 2 * right), axis=(0, 1))
    photo, reference = photo_of(shrunk(NAMES[1])), image_of(moved, "moved.png")
    _, found = registration(photo.image, reference, 2)
    assert found == pytest.approx((right, down), abs=0.2)
    if right or down:
        with pytest.raises(UserError, match="but shifted by"):
            truth_from(photo, reference, 2)


@settings(max_examples=30)
@given(st.integers(20, 120), st.integers(20, 120), st.sampled_from([1, 2, 4, 8, 16]), st.data())
def test_sizes_that_fit(width: int, height: int, scale: int, data: st.DataObject) -> None:
    right, down = (data.draw(st.integers(0, scale - 1)) for _ in range(2))
    image = FundusImage.from_array(np.zeros((height, width), np.uint8))
    fitting = FundusImage.from_array(
        np.zeros((height * scale + down, width * scale + right), np.uint8)
    )
    assert scale_between(image, fitting) == scale
    wrong = FundusImage.from_array(np.zeros((height * scale + scale, width * scale), np.uint8))
    assert scale_between(image, wrong) is None


def test_a_size_that_does_not_fit_is_refused_with_those_that_do() -> None:
    small = cv2.resize(large(NAMES[0]), (300, 280))
    wrong = image_of(np.asarray(small, np.uint8), "wrong.png")
    with pytest.raises(UserError, match=r"480 × 448 \(×2\), 960 × 896 \(×4\)"):
        truth_from(photo_of(shrunk(NAMES[0])), wrong, 2)


def test_the_photograph_itself_becomes_a_test() -> None:
    photo = photo_of(large(NAMES[0]))
    reference = truth_from(photo, image_of(large(NAMES[0]), "again.png"), 4)
    assert reference.is_trial
    assert (reference.photo.bounds.width, reference.photo.bounds.height) == (120, 112)
    np.testing.assert_array_equal(reference.rgb8, large(NAMES[0]))


@pytest.mark.parametrize("tone", Tone)
def test_its_tiles_are_its_pixels(tone: Tone) -> None:
    truth = trial_of(photo_of(large(NAMES[2])), 4)
    image, shown = truth.photo.bounds, truth.shown(tone)
    tone_map = truth.photo.toned(tone).tone_map
    for rect in tiles_over(image, image, tile_side(4)):
        tile = shown.tiles.get(TileKey(shown.request, rect))
        assert tile is not None
        drawn = tile.levels[0].pixels[..., 2::-1]
        part = truth.rgb8[rect.scaled(4).slices()]
        np.testing.assert_array_equal(drawn, tone_map.apply(part, x=rect.x, y=rect.y, scale=4))
    assert truth.ready(tone) is shown


def test_a_photograph_too_small_to_be_shrunk_says_so() -> None:
    with pytest.raises(UserError, match="too small to be shrunk 16 times"):
        trial_of(photo_of(large(NAMES[0])), 16)
