"""All figures of one vessel map against an observer's, inside the field of view and whole.

``dice`` is the F1 score, ``sensitivity`` the recall: one number each, under one name.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.quality.metrics import (
    Mask,
    accuracy,
    auc,
    dice,
    precision,
    sensitivity,
    specificity,
)
from studies.centrelines import cl_dice

THIN = 3
"""Pixels; vessels at most so wide count as thin."""


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


def thin_vessels(truth: Mask) -> Mask:
    """The part of a vessel mask ``(H, W)`` that is at most 3 pixels wide.

    Where no square of 4 x 4 pixels fits; ragged edges of wider vessels do not count.
    """
    square = np.ones((THIN + 1, THIN + 1), np.uint8)
    wide = cv2.morphologyEx(truth.astype(np.uint8), cv2.MORPH_OPEN, square)
    near_wide = cv2.dilate(wide, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(truth & ~near_wide)
