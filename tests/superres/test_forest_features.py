"""What forests see: the derivatives that the docstring names, exact wherever a patch lies."""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.superres.forest import (
    CONSTANT,
    FINER,
    LEVELS,
    PROJECTION_UNIT,
    derivatives,
    doubled,
    luminance_of,
    overlapped,
    projected,
)
from studies.forest_run import residual_patches


def light_of(photograph: NDArray[np.uint8]) -> NDArray[np.float32]:
    return luminance_of(photograph.astype(np.float32) / np.float32(255))


def test_derivatives_are_those_of_the_doubled_level(photograph: NDArray[np.uint8]) -> None:
    small = light_of(photograph)[:24, :30]
    patches = derivatives(small)
    assert patches.shape == (24 - 10 + 2, 30 - 10 + 2, 144)
    level = np.rint(doubled(small) * LEVELS).astype(int)
    row, column = 3, 7  # of the patches; its first pixel on the doubled level, reflected rim apart:
    y, x = 2 * row + 2, 2 * column + 2
    for down in range(6):
        for right in range(6):
            at, one = down * 6 + right, (y + down, x + right)
            middle = level[one]
            expected = (
                level[one[0], one[1] + 1] - level[one[0], one[1] - 1],
                level[one[0] + 1, one[1]] - level[one[0] - 1, one[1]],
                level[one[0], one[1] + 2] - 2 * middle + level[one[0], one[1] - 2],
                level[one[0] + 2, one[1]] - 2 * middle + level[one[0] - 2, one[1]],
            )
            assert tuple(patches[row, column, at::36]) == expected


def test_overlapping_patches_of_a_plane_give_it_back_nine_times() -> None:
    plane = np.random.default_rng(0).random((2 * (5 + 4), 2 * (7 + 4)))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (6, 6))[::2, ::2]
    patches = windows.reshape(7, 9, 36)
    np.testing.assert_allclose(overlapped(patches), 9 * plane[4:-4, 4:-4])


def test_bicubic_and_what_it_lacks_make_the_truth(photograph: NDArray[np.uint8]) -> None:
    large = light_of(photograph)
    small = large.reshape(24, 2, 32, 2).mean(axis=(1, 3))
    lacking = residual_patches(small, large[6:-6, 6:-6])
    mean = overlapped(lacking.astype(np.float64)) / (9 * LEVELS * FINER)
    made = doubled(small[3:-3, 3:-3]) + mean
    np.testing.assert_allclose(made, large[10:-10, 10:-10], atol=1e-6)


def test_features_do_not_depend_on_their_company(photograph: NDArray[np.uint8]) -> None:
    patches = derivatives(light_of(photograph)).reshape(-1, 144)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(144, 20)))[0]
    projection = np.rint(axes * (PROJECTION_UNIT - 1)).astype(np.int16)
    together = projected(patches, projection)
    alone = np.concatenate([projected(patch[None], projection) for patch in patches[::97]])
    np.testing.assert_array_equal(alone, together[::97])
    assert (together[:, -2] == 0).all()
    assert (together[:, -1] == CONSTANT).all()
