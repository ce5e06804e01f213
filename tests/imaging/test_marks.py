"""Labels in corners: outside the field of view, or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from retina_viewer.imaging.layer_art import (
    AMBER,
    VESSEL_LEGEND,
    SaliencyStyle,
    saliency_legend,
    uncertainty_legend,
)
from retina_viewer.imaging.marks import Stamp, ai_stamp, stamps_of
from retina_viewer.imaging.readers import open_image


def disc(height: int, width: int, radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.asarray(np.hypot(y - height / 2, x - width / 2) < radius)


def covered(stamp: Stamp, mask: np.ndarray, scale: int) -> int:
    large = mask.repeat(scale, axis=0).repeat(scale, axis=1)
    height, width = stamp.pixels.shape[:2]
    assert stamp.x >= 0
    assert stamp.y >= 0
    assert stamp.x + width <= large.shape[1]
    assert stamp.y + height <= large.shape[0]
    return int(large[stamp.y : stamp.y + height, stamp.x : stamp.x + width].sum())


@pytest.mark.parametrize("name", ["chase_14L.jpg", "fives_28_A.png", "hrf_08_h.jpg"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_the_mark_lies_outside_the_field_of_real_photographs(
    samples: Path, name: str, scale: int
) -> None:
    mask = open_image(samples / name).field_of_view.mask
    stamp = ai_stamp("AI x4", mask, scale)
    assert stamp is not None
    assert covered(stamp, mask, scale) == 0
    assert (stamp.pixels == AMBER).all(axis=2).mean() > 0.5
    assert (stamp.pixels.max(axis=2) < 60).sum() > 20  # letters
    share = stamp.pixels[..., 0].size / (mask.size * scale**2)
    assert 0.0003 < share < 0.01  # small, but seen


def test_without_a_free_corner_there_is_no_mark() -> None:
    assert ai_stamp("AI x4", np.ones((300, 400), bool), 4) is None
    assert ai_stamp("AI x4", disc(400, 400, 280), 4) is None
    one_corner = np.ones((400, 400), bool)
    one_corner[:60, :120] = False
    stamp = ai_stamp("AI x4", one_corner, 2)
    assert stamp is not None
    assert stamp.x < 100
    assert stamp.y < 100


def test_legends_and_mark_take_a_corner_each() -> None:
    mask = disc(900, 1200, 440)
    legends = [
        saliency_legend("inferno", SaliencyStyle.COLOURS), uncertainty_legend(), VESSEL_LEGEND
    ]  # fmt: skip
    stamps = stamps_of(legends, mask, 2, "AI x2")
    taken = {(stamp.x < 1200, stamp.y < 900) for stamp in stamps}
    assert len(stamps) == len(taken) == 4
    assert [covered(stamp, mask, 2) for stamp in stamps] == [0] * 4


def test_where_the_field_fills_the_picture_legends_are_still_given() -> None:
    mask = np.ones((200, 200), bool)
    assert len(stamps_of([uncertainty_legend()], mask, 1)) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_stamp_written_tile_by_tile_is_the_same(dtype: type) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 50, 3), dtype=np.uint8)
    stamp = Stamp(30, 25, pixels)
    whole: NDArray[Any] = np.zeros((64, 96, 3), dtype)
    stamp.onto(whole)
    pieces = np.zeros_like(whole)
    for top in range(0, 64, 16):
        for left in range(0, 96, 32):
            stamp.onto(pieces[top : top + 16, left : left + 32], left, top)
    np.testing.assert_array_equal(whole, pieces)
    widened = 1 if dtype is np.uint8 else 257
    np.testing.assert_array_equal(whole[25:45, 30:80], pixels.astype(dtype) * widened)
