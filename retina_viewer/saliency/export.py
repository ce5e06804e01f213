"""A saliency map as files: the numbers as 16-bit grey, and the colours over the photograph."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layers import (
    SALIENCY_OPACITY,
    SaliencyStyle,
    paint,
    saliency_art,
    saliency_legend,
)
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.overlay import Bytes
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.networks.devices import device_name
from retina_viewer.saliency.layer import FIELD


def export_saliency(
    image: FundusImage,
    values: NDArray[np.float32],
    map_path: Path,
    overlay_path: Path,
    *,
    device: str,
    field: float | None = FIELD,
) -> Provenance:
    """Write the saliency map of a photograph.

    Args:
        image: the photograph.
        values: its saliency, ``(H, W)`` float32 in [0, 1].
        map_path: ``.png``, 16-bit grey, 0 to 65535 for saliency 0 to 1.
        overlay_path: ``.png``, sRGB: the map over the photograph as the window shows it.
        device: what it was computed on, for the provenance.
        field: the width of the field of view that it was computed at, px; None for the
            photograph's own.

    Returns:
        What was written into both files and beside the map.

    Raises:
        UserError: a name is taken or cannot be written.
    """
    provenance = Provenance(
        kind="saliency",
        method=method_of(image, field),
        device=device_name(device),
        **image.as_source(),
    )
    grey = np.rint(values * np.float32(65535)).astype(np.uint16)
    write_image(map_path, grey, provenance=provenance)
    write_image(overlay_path, saliency_overlay(image, values), provenance=provenance)
    write_sidecar(map_path, provenance)
    return provenance


def method_of(image: FundusImage, field: float | None) -> str:
    """What provenance calls the map of a photograph, computed at a field that wide."""
    if field is None or image.field_of_view.diameter <= field:
        return "local saliency"
    return f"local saliency, of a field averaged to {field:g} pixels"


def saliency_overlay(image: FundusImage, values: NDArray[np.float32]) -> Bytes:
    """The map over the photograph with its legend: ``(H, W, 3)`` uint8 sRGB."""
    picture, mask = image.display_rgb.copy(), image.field_of_view.mask
    look = ("inferno", SaliencyStyle.COLOURS)
    paint(picture, [(saliency_art(values, mask, *look), SALIENCY_OPACITY)])
    for stamp in stamps_of([saliency_legend(*look)], mask):
        stamp.onto(picture)
    return picture
