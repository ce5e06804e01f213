"""Labels in corners: outside the field of view, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from retina_viewer.imaging.layer_art import (
    AMBER,
    VESSEL_LEGEND,
    SaliencyStyle,
    saliency_legend,
    uncertainty_legend,
)
from retina_viewer.imaging.marks import (
    GAP,
    HEADROOM,
    Stamp,
    Title,
    ai_stamp,
    beside,
    sheet,
    stamps_of,
)
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


@settings(max_examples=20)
@given(st.integers(1, 700), st.integers(1, 60), st.sampled_from(["", "a note"]))
def test_the_pictures_are_in_it_unchanged(width: int, height: int, note: str) -> None:
    left = np.full((height, width, 3), 60, np.uint8)
    right = np.full((height, width, 3), 200, np.uint8)
    both = beside(left, right, (Title("ORIGINAL"), Title("AI ×4", marked=True)), note)
    gap = both.shape[1] - 2 * width
    assert 0 < gap <= GAP
    assert both.shape[0] - height <= HEADROOM
    (top,) = np.unique(np.flatnonzero((both[:, 0] == 60).all(axis=-1)))[:1]
    np.testing.assert_array_equal(both[top : top + height, :width], left)
    np.testing.assert_array_equal(both[top : top + height, width + gap :], right)


def test_only_what_a_network_made_is_on_amber() -> None:
    picture = np.zeros((100, 400, 3), np.uint8)
    both = beside(picture, picture, (Title("ORIGINAL"), Title("AI ×4", marked=True)))
    amber = (both == (255, 184, 77)).all(axis=-1)
    assert amber[:, 404:].sum() > 300
    assert not amber[:, :404].any()


def test_a_long_title_stays_over_its_picture() -> None:
    picture = np.zeros((40, 120, 3), np.uint8)
    both = beside(picture, picture, (Title("ORIGINAL " * 20), Title("")))
    assert (both[:20, :120] > 100).any()
    assert not (both[:20, 120:] > 100).any()


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="differ"):
        beside(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3, 3), np.uint8), (Title(""),) * 2)


def test_pictures_in_rows_with_captions_are_unchanged() -> None:
    shades = (60, 100, 140)
    pictures = [np.full((30, 90, 3), shade, np.uint8) for shade in shades]
    page = sheet(
        pictures, [Title("one")] * 3, columns=2, captions=["34 dB"] * 3, notes=["a note " * 20]
    )
    for shade in shades:
        assert (page == shade).all(axis=-1).sum() >= 30 * 90


def test_a_long_note_is_wrapped_and_not_cut() -> None:
    picture = np.zeros((20, 300, 3), np.uint8)
    words = "Verify on the original. " * 8
    long = sheet([picture], [Title("")], columns=1, notes=[words])
    short = sheet([picture], [Title("")], columns=1, notes=[words[:20]])
    assert long.shape[0] > short.shape[0]
    # The last line has letters: nothing was left out.
    assert (long[-24:] > 100).any()


def test_the_multiplication_sign_is_drawn_with_a_letter_that_the_font_has() -> None:
    picture = np.zeros((20, 300, 3), np.uint8)
    sign = sheet([picture], [Title("AI ×4")], columns=1)
    np.testing.assert_array_equal(sign, sheet([picture], [Title("AI x4")], columns=1))
