"""Thinning against scikit-image on drawn vessels; clDice on trees of known overlap."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, label
from skimage.morphology import skeletonize

from retina_viewer.quality.datasets import read_mask
from studies.vessel_metrics import centre_lines, cl_dice

_EIGHT = np.ones((3, 3), int)


@pytest.fixture(scope="module")
def drawn(samples: Path) -> np.ndarray:
    return read_mask(samples / "chase_14L_vessels.png")[300:540, 300:572]


def thinned_pixel_by_pixel(mask: np.ndarray) -> np.ndarray:
    """Zhang and Suen's paper, step by step."""
    image = np.pad(mask, 1).astype(int)
    removed = True
    while removed:
        removed = False
        for step in (1, 2):
            gone = []
            for y, x in np.argwhere(image):
                p2, p3, p4 = image[y - 1, x], image[y - 1, x + 1], image[y, x + 1]
                p5, p6, p7 = image[y + 1, x + 1], image[y + 1, x], image[y + 1, x - 1]
                p8, p9 = image[y, x - 1], image[y - 1, x - 1]
                ring = [p2, p3, p4, p5, p6, p7, p8, p9, p2]
                rises = sum(ring[k] == 0 and ring[k + 1] == 1 for k in range(8))
                if step == 1:
                    free = p2 * p4 * p6 == 0 and p4 * p6 * p8 == 0
                else:
                    free = p2 * p4 * p8 == 0 and p2 * p6 * p8 == 0
                if 2 <= sum(ring[:8]) <= 6 and rises == 1 and free:
                    gone.append((y, x))
            for y, x in gone:
                image[y, x] = 0
                removed = True
    return image[1:-1, 1:-1] > 0


def test_thinning_is_that_of_zhang_and_suen(drawn: np.ndarray) -> None:
    part = drawn[60:120, 80:150]
    assert 100 < part.sum() < part.size / 2
    np.testing.assert_array_equal(centre_lines(part), thinned_pixel_by_pixel(part))


def test_thinning_is_near_that_of_scikit_image(drawn: np.ndarray) -> None:
    ours, theirs = centre_lines(drawn), skeletonize(drawn)
    assert (theirs & ours).sum() > 0.95 * theirs.sum()  # which takes corners away besides
    near = binary_dilation(theirs, np.ones((3, 3)))
    assert (ours & near).sum() > 0.95 * ours.sum()


@given(seed=st.integers(0, 10_000), share=st.floats(0.2, 0.7))
@settings(max_examples=25)
def test_thinning_keeps_the_parts_and_adds_nothing(seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((20, 24)) < share
    thin = centre_lines(mask)
    assert not (thin & ~mask).any()
    parts, count = label(mask, _EIGHT)
    # The method takes lone squares of 2 x 2 away; nothing else may vanish or fall apart.
    for part in range(1, count + 1):
        rest = label(thin & (parts == part), _EIGHT)[1]
        assert rest == 1 or (rest == 0 and (parts == part).sum() == 4)


def test_width_does_not_matter_and_length_does() -> None:
    truth = np.zeros((60, 80), bool)
    truth[28:33, 5:75] = True
    narrow = np.zeros_like(truth)
    narrow[30, 5:75] = True
    assert cl_dice(narrow, truth) == 1.0
    half = truth.copy()
    half[:, 40:] = False
    found = cl_dice(half, truth)
    assert found == pytest.approx(2 * 0.5 / 1.5, abs=0.03)  # all of it true, half of it found
    assert cl_dice(half, truth) == cl_dice(truth, half)


def test_a_lost_thin_vessel_costs_its_length() -> None:
    truth = np.zeros((60, 80), bool)
    truth[10:20, 5:75] = True
    truth[40, 5:75] = True
    found = truth.copy()
    found[40] = False
    overlap = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    assert overlap > 0.95 and cl_dice(found, truth) < 0.7


def test_only_centre_lines_inside_count(drawn: np.ndarray) -> None:
    inside = np.zeros(drawn.shape, bool)
    inside[:, :130] = True
    found = drawn & inside
    assert cl_dice(found, drawn, inside) > 0.97
    assert cl_dice(found, drawn) < 0.9


def test_nothing_against_nothing_and_something() -> None:
    nothing, something = np.zeros((8, 8), bool), np.eye(8, dtype=bool)
    assert cl_dice(nothing, nothing) == 1.0
    assert cl_dice(nothing, something) == cl_dice(something, nothing) == 0.0
    with pytest.raises(ValueError, match="shape"):
        cl_dice(nothing, something[:4])
