"""Centre lines of vessels, and how well two vessel maps agree in them.

Dice counts pixels, so wide vessels decide it; clDice (Shit et al. 2021, "clDice: a novel
topology-preserving loss function for tubular structure segmentation") counts lengths.
"""

import numpy as np
from numpy.typing import NDArray

from retina_viewer.quality.metrics import Mask

# The eight neighbours P2..P9 of Zhang and Suen: from above, clockwise, as (row, column).
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))


def _removable(first_pass: bool) -> NDArray[np.bool_]:
    """For each of the 256 neighbourhoods (bit k is P(k + 2)), whether the pixel goes."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    count = bits.sum(axis=1)
    rises = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    up, right, down, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    if first_pass:
        free = (up * right * down == 0) & (right * down * left == 0)
    else:
        free = (up * right * left == 0) & (up * down * left == 0)
    return np.asarray((count >= 2) & (count <= 6) & (rises == 1) & free)


_PASSES = (_removable(True), _removable(False))


def centre_lines(mask: Mask) -> Mask:
    """The mask ``(H, W)`` bool thinned to lines one pixel wide (Zhang and Suen 1984).

    Connected parts stay connected, none appears or vanishes.
    """
    padded = np.pad(mask, 1).astype(np.uint8)
    height, width = mask.shape
    inner = padded[1:-1, 1:-1]
    changed = True
    while changed:
        changed = False
        for removable in _PASSES:
            rows, columns = np.nonzero(inner)
            code = np.zeros(rows.shape, np.uint8)
            for bit, (dy, dx) in enumerate(_AROUND):
                code |= padded[rows + 1 + dy, columns + 1 + dx] << bit
            gone = removable[code]
            inner[rows[gone], columns[gone]] = 0
            changed |= bool(gone.any())
    return np.asarray(padded[1 : height + 1, 1 : width + 1] > 0)


def cl_dice(prediction: Mask, truth: Mask, inside: Mask | None = None) -> float:
    """clDice of two vessel maps ``(H, W)`` bool, 0..1.

    The harmonic mean of the share of the prediction's centre lines that lie on true vessels and
    the share of the true centre lines that lie on predicted vessels.

    Args:
        inside: only centre lines in it count; None for all.

    Returns:
        1 where both are empty, 0 where one is.

    Raises:
        ValueError: the shapes differ.
    """
    if prediction.shape != truth.shape or (inside is not None and inside.shape != truth.shape):
        raise ValueError("prediction, truth and mask must share one shape")
    found, drawn = centre_lines(prediction), centre_lines(truth)
    if inside is not None:
        found, drawn = found & inside, drawn & inside
    if not found.any() or not drawn.any():
        return float(found.any() == drawn.any())
    precision = float(truth[found].mean())
    sensitivity = float(prediction[drawn].mean())
    total = precision + sensitivity
    return 2.0 * precision * sensitivity / total if total else 0.0
