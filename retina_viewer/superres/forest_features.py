"""What a super-resolution forest sees of a photograph (Schulter et al. 2015, section 3.4).

First and second derivatives of the bicubic doubled luminance, over patches of three small pixels,
one patch a small pixel. All in whole numbers, so that sums are exact in whatever order they are
made: the same patch gives the same bits in every region.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from retina_viewer.networks.forest import DERIVATIVES, PATCH, STEP_MARGIN, TARGETS
from retina_viewer.superres.classical import cubic, interpolated, phase_weights

LEVELS = 4080
"""Whole numbers a unit of luminance: sixteen an 8-bit grey level."""
FINER = 16
"""Features and predictions are in sixteenths of those."""
CONSTANT = 1024
"""The feature that is the same for all patches."""
PROJECTION_UNIT = 1 << 15

_REACH = 2  # small pixels, of bicubic interpolation
_BICUBIC = phase_weights(cubic, _REACH, 2)

Plane = NDArray[np.float32]
Whole = NDArray[np.int32]


def luminance_of(rgb: NDArray[np.float32]) -> Plane:
    """BT.601, ``(h, w, 3)`` to ``(h, w)``; each pixel summed in the same order wherever it lies."""
    parts = [rgb[..., c] * np.float32(w) for c, w in enumerate((0.299, 0.587, 0.114))]
    return np.asarray(parts[0] + parts[1] + parts[2], np.float32)


def doubled(plane: Plane) -> Plane:
    """Bicubic (a = -0.5), not clamped: ``(h + 4, w + 4)`` to ``(2 h, 2 w)`` float32."""
    return interpolated(plane, _BICUBIC)


def derivatives(small: Plane) -> NDArray[np.int16]:
    """The patches' derivatives.

    Args:
        small: ``(h + 10, w + 10)`` luminance in [0, 1]: h x w pixels with :data:`STEP_MARGIN`.

    Returns:
        ``(h + 2, w + 2, 144)``: one patch for each of the h x w pixels and of their neighbours;
        the derivatives along x, y, twice along x and twice along y, each 6 x 6 row by row.
    """
    level = np.rint(doubled(small) * np.float32(LEVELS)).astype(np.int16)
    inner = level[2:-2, 2:-2]
    maps = (
        level[2:-2, 3:-1] - level[2:-2, 1:-3],
        level[3:-1, 2:-2] - level[1:-3, 2:-2],
        level[2:-2, 4:] - 2 * inner + level[2:-2, :-4],
        level[4:, 2:-2] - 2 * inner + level[:-4, 2:-2],
    )
    patches = [sliding_window_view(one, (PATCH, PATCH))[::2, ::2] for one in maps]
    height, width = patches[0].shape[:2]
    stacked = np.stack(patches, axis=2)
    return np.ascontiguousarray(stacked.reshape(height, width, DERIVATIVES), np.int16)


def projected(patches: NDArray[np.int16], projection: NDArray[np.int16]) -> Whole:
    """Features: ``(n, 144)`` by ``(144, d)`` to ``(n, d + 2)``; then a zero and a constant.

    ``projection`` is in units of ``1 / PROJECTION_UNIT``. At most 144 * 2^14 * 2^15 < 2^53: exact.
    """
    sums = patches.astype(np.float64) @ projection.astype(np.float64)
    features = np.zeros((len(patches), projection.shape[1] + 2), np.int32)
    features[:, :-2] = np.rint(sums * (FINER / PROJECTION_UNIT))
    features[:, -1] = CONSTANT
    return features


def residual_patches(small: Plane, large: Plane) -> NDArray[np.float32]:
    """What bicubic lacks, for training.

    Args:
        small: as for :func:`derivatives`.
        large: ``(2 (h + 4), 2 (w + 4))``: the truth at those pixels and two more around.

    Returns:
        ``(h + 2, w + 2, 36)``, in sixteenths of :data:`LEVELS`, patches as the derivatives'.
    """
    rim = STEP_MARGIN - _REACH - 2  # of the doubled plane, beyond the patches
    lacking = (large - doubled(small)[2 * rim : -2 * rim, 2 * rim : -2 * rim]) * np.float32(
        LEVELS * FINER
    )
    patches = sliding_window_view(lacking, (PATCH, PATCH))[::2, ::2]
    return np.ascontiguousarray(patches.reshape(*patches.shape[:2], TARGETS), np.float32)


def overlapped(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of overlapping patches: ``(h + 2, w + 2, 36)`` to ``(2 h, 2 w)``; nine at each place."""
    height, width = patches.shape[0] - 2, patches.shape[1] - 2
    blocks = patches.reshape(height + 2, width + 2, 3, 2, 3, 2)
    total = np.zeros((height, 2, width, 2))
    for row in range(3):  # a patch's first row lies one small pixel above its centre
        for column in range(3):
            part = blocks[2 - row : 2 - row + height, 2 - column : 2 - column + width]
            total += part[:, :, row, :, column].transpose(0, 2, 1, 3)
    return total.reshape(2 * height, 2 * width)
