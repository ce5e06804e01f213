import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.colour import clahe, luminance, red_free


def test_red_free_is_green_as_grey(crop: NDArray[np.uint8]) -> None:
    shown = red_free(crop)
    assert shown.shape == crop.shape
    for channel in range(3):
        np.testing.assert_array_equal(shown[..., channel], crop[..., 1])


def test_clahe_raises_local_contrast_and_keeps_the_input(crop: NDArray[np.uint8]) -> None:
    before = crop.copy()
    shown = clahe(crop)
    assert shown.dtype == np.uint8
    assert shown.shape == crop.shape
    assert luminance(shown).std() > 1.1 * luminance(crop).std()
    np.testing.assert_array_equal(crop, before)


def test_clahe_keeps_grey_grey(crop: NDArray[np.uint8]) -> None:
    shown = clahe(red_free(crop))
    assert np.ptp(shown, axis=2).max() <= 1
