"""The tile loop: the same pixels however it is cut, cancel between tiles, no false images."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.core.errors import Cancelled, UserError
from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.classical import bicubic, lanczos
from retina_viewer.superres.enhancer import FloatImage
from retina_viewer.superres.tiles import enhance_image, tile_side


@dataclass
class Spoiled:
    """An enhancer whose result is one value everywhere; it records what it was asked for."""

    value: float
    whole_image_only: bool = False
    scale: int = 2
    margin: int = 0
    method: str = "spoiled"
    model: str | None = None
    degradation: None = None
    fidelity: None = None
    back_projection: None = None
    asked: list[Rect] = field(default_factory=list)

    def fitted_to(self, rgb: FloatImage) -> Self:
        return self

    def enhance_region(self, rgb: FloatImage, region: Rect) -> FloatImage:
        self.asked.append(region)
        shape = (region.height * self.scale, region.width * self.scale, 3)
        return np.full(shape, self.value, np.float32)


@given(tile=st.integers(1, 80), scale=st.sampled_from([2, 4]), deep=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_tile_size_does_not_change_a_pixel(tile: int, scale: int, deep: bool) -> None:
    rng = np.random.default_rng(5)
    dtype, top = (np.uint16, 65535) if deep else (np.uint8, 255)
    pixels = rng.integers(0, top, (23, 37, 3), endpoint=True).astype(dtype)
    whole = enhance_image(lanczos(scale), pixels, tile=512)
    assert whole.dtype == dtype
    assert whole.shape == (23 * scale, 37 * scale, 3)
    np.testing.assert_array_equal(enhance_image(lanczos(scale), pixels, tile=tile), whole)


def test_a_photograph_an_array_and_floats_give_the_same(photograph: NDArray[np.uint8]) -> None:
    from_photograph = enhance_image(bicubic(2), FundusImage.from_array(photograph))
    np.testing.assert_array_equal(from_photograph, enhance_image(bicubic(2), photograph))
    floats = photograph.astype(np.float32) / 255
    np.testing.assert_array_equal(from_photograph, enhance_image(bicubic(2), floats))


def test_sixteen_bits_are_finer_than_eight(photograph: NDArray[np.uint8]) -> None:
    deep = enhance_image(bicubic(4), photograph.astype(np.uint16) * 257)
    flat = enhance_image(bicubic(4), photograph)
    assert len(np.unique(deep)) > 4 * len(np.unique(flat))
    np.testing.assert_allclose(deep / 257, flat, atol=0.51)


def test_progress_rises_to_one_and_cancel_stops_between_tiles(
    photograph: NDArray[np.uint8],
) -> None:
    seen: list[float] = []
    enhance_image(
        bicubic(2), photograph, tile=16, progress=lambda fraction, what: seen.append(fraction)
    )
    assert seen == sorted(seen)
    assert (seen[0], seen[-1], len(seen)) == (0, 1, 13)

    def stop(fraction: float, what: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    enhancer = Spoiled(0.5)
    with pytest.raises(Cancelled):
        enhance_image(enhancer, photograph, tile=16, progress=stop)
    assert len(enhancer.asked) == 4


@pytest.mark.parametrize(
    ("value", "word"),
    [(0.0, "black"), (0.6, "one colour"), (np.nan, "not numbers"), (np.inf, "not numbers")],
)
def test_what_is_no_image_is_refused(
    photograph: NDArray[np.uint8], value: float, word: str
) -> None:
    with pytest.raises(UserError, match=word) as caught:
        enhance_image(Spoiled(value), photograph)
    assert caught.value.hint


def test_a_constant_source_may_have_a_constant_result_but_no_black_one() -> None:
    grey = np.full((8, 8, 3), 90, np.uint8)
    assert np.all(enhance_image(bicubic(2), grey) == 90)
    assert np.all(enhance_image(bicubic(2), np.zeros_like(grey)) == 0)
    with pytest.raises(UserError, match="black"):
        enhance_image(Spoiled(0.0), grey)


def test_a_method_for_whole_images_gets_the_whole_image(photograph: NDArray[np.uint8]) -> None:
    enhancer = Spoiled(0.5, whole_image_only=True)
    with pytest.raises(UserError):
        enhance_image(enhancer, photograph, tile=16)
    assert enhancer.asked == [Rect(0, 0, 64, 48)]


def test_result_tiles_stay_bounded() -> None:
    assert tile_side(512, 2) == 512
    assert tile_side(512, 16) * 16 == 2048
    with pytest.raises(UserError):
        tile_side(0, 2)
