"""All figures of one vessel map against an observer's, inside the field of view and whole.

``dice`` is the F1 score, ``sensitivity`` the recall: one number each, under one name.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.quality.metrics import Mask, auc, confusion, dice
from retina_viewer.quality.records import Record
from retina_viewer.vessels.segment import VesselSegmenter

# The eight neighbours P2..P9 of Zhang and Suen: from above, clockwise, as (row, column).
_AROUND = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
THIN = 3
"""Pixels; vessels at most so wide count as thin."""


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


def vessel_figures(
    probability: NDArray[np.float32], mask: Mask, truth: Mask, inside: Mask | None
) -> dict[str, float]:
    """AUC of ``probability``; Dice and rates of ``mask``; all ``(H, W)`` or all flat."""
    return {
        "auc": auc(probability, truth, inside),
        "dice": dice(mask, truth, inside),
        "sensitivity": sensitivity(mask, truth, inside),
        "specificity": specificity(mask, truth, inside),
        "accuracy": accuracy(mask, truth, inside),
        "precision": precision(mask, truth, inside),
    }


def all_vessel_figures(
    probability: NDArray[np.float32], mask: Mask, truth: Mask, inside: Mask
) -> dict[str, float]:
    """:func:`vessel_figures` inside, the same of the whole image as ``..._whole``, and the tree's.

    Args:
        probability: ``(H, W)`` float32.
        mask: ``(H, W)`` bool, of the same map.
        truth: ``(H, W)`` bool, an observer's vessels.
        inside: ``(H, W)`` bool, the field of view.

    Returns:
        Also ``cldice``, and ``sensitivity_thin`` where there are thin vessels. What is not
        defined (the precision of an empty map) is left out.
    """
    figures = vessel_figures(probability, mask, truth, inside)
    whole = vessel_figures(probability, mask, truth, None)
    figures |= {f"{name}_whole": value for name, value in whole.items()}
    figures["cldice"] = cl_dice(mask, truth, inside)
    figures["cldice_whole"] = cl_dice(mask, truth)
    thin = thin_vessels(truth)
    for name, part in (("sensitivity_thin", thin & inside), ("sensitivity_thin_whole", thin)):
        figures[name] = sensitivity(mask, part, part)
    return {name: value for name, value in figures.items() if not np.isnan(value)}


def found_vessels(
    segmenter: VesselSegmenter,
    rgb8: NDArray[np.uint8],
    seen: FieldOfView,
    truth: Mask,
    inside: Mask,
) -> Record:
    """:func:`all_vessel_figures` of what a network finds in ``rgb8``.

    ``seen`` is the original's field of view even for an enlargement: how well it is found again is
    not asked.
    """
    probability = segmenter.probability(rgb8, seen)
    threshold = segmenter.card.threshold
    assert threshold is not None  # a vessel model has one
    return {**all_vessel_figures(probability, probability >= threshold, truth, inside)}


def thin_vessels(truth: Mask) -> Mask:
    """The part of a vessel mask ``(H, W)`` that is at most 3 pixels wide.

    Where no square of 4 x 4 pixels fits; ragged edges of wider vessels do not count.
    """
    square = np.ones((THIN + 1, THIN + 1), np.uint8)
    wide = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_OPEN, square)
    near_wide = cv2.dilate(wide, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(truth & ~near_wide)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def accuracy(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """Pixels classified correctly over all pixels inside ``mask``; NaN for none."""
    tp, fp, fn, tn = confusion(prediction, truth, mask)
    return _ratio(tp + tn, tp + fp + fn + tn)


def sensitivity(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True positives over all true pixels inside ``mask``; NaN where there are none."""
    tp, _, fn, _ = confusion(prediction, truth, mask)
    return _ratio(tp, tp + fn)


def specificity(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True negatives over all false pixels inside ``mask``; NaN where there are none."""
    _, fp, _, tn = confusion(prediction, truth, mask)
    return _ratio(tn, tn + fp)


def precision(prediction: Mask, truth: Mask, mask: Mask | None = None) -> float:
    """True positives over all predicted pixels inside ``mask``; NaN where there are none."""
    tp, fp, _, _ = confusion(prediction, truth, mask)
    return _ratio(tp, tp + fp)
