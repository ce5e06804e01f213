"""Two pictures in one: their pixels unchanged, their titles readable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retina_viewer.imaging.marks import GAP, HEADROOM, Title, beside, sheet


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
