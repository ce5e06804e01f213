"""The saliency layer of a photograph: the exact map at one size of the retina.

The map looks at 7 x 7 pixels. On a photograph of twelve megapixels these hold noise alone, so the
photograph is averaged first until its field of view is as wide as the 2017 paper's pictures; the
map then means the same for every camera (docs/decisions/saliency.md).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging import layer_art
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.networks.devices import device_name
from retina_viewer.saliency.local import continued, saliency_map

FIELD = 1024
"""The field of view's diameter, px, that the layer is computed at."""
_LEAST_SIDE = 8
"""Pixels that the map needs a side: an extreme strip is shrunk no further across."""
_LEAST_CONTRAST = 4 / 255
"""Between the 1st and the 99th percentile of luminance; the map would stretch less, that is
rounding and noise, to its full range."""


def saliency_layer(
    image: FundusImage,
    *,
    field: float | None = FIELD,
    device: str = "cpu",
    progress: Progress = no_progress,
) -> NDArray[np.float32]:
    """The saliency of a photograph, at its own size. Returns ``(H, W)`` float32 in [0, 1], resized
    bilinearly; zero outside the field of view, and everywhere where there is no contrast. Raises
    UserError: the photograph is smaller than 8 x 8 pixels.

    Args:
        field: the diameter of its field of view that the map is computed at, px; a photograph
            whose field is narrower is taken as it is. None: every photograph as it is.
        device: ``cpu``, ``cuda`` or ``auto``.
    """
    mask = image.field_of_view.mask
    rgb = image.unit_rgb()
    if _contrast(rgb, mask) < _LEAST_CONTRAST:
        return np.zeros(mask.shape, np.float32)
    factor = 1.0 if field is None else field / image.field_of_view.diameter
    if factor >= 1:
        return saliency_map(rgb, mask, device=device, progress=progress)
    width, height = (
        min(side, max(_LEAST_SIDE, round(side * factor))) for side in (image.width, image.height)
    )
    size = (width, height)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = np.asarray(share >= min(0.5, float(share.max())))
    values = saliency_map(small, inside, device=device, progress=progress)
    # Beyond the rim the nearest value stands in, so that the rim does not fade.
    values = continued(values, inside)
    full = cv2.resize(values, (image.width, image.height), interpolation=cv2.INTER_LINEAR)
    return np.where(mask, full, 0).astype(np.float32)


def _contrast(rgb: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    luminance = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[mask]
    low, high = np.percentile(luminance, [1.0, 99.0])
    return float(high - low)


def export_saliency(
    image: FundusImage,
    values: NDArray[np.float32],
    map_path: Path,
    overlay_path: Path,
    *,
    device: str,
    field: float | None = FIELD,
) -> Provenance:
    """Write the saliency map of a photograph. Returns what was written into both files and beside
    the map. Raises UserError: a name is taken or cannot be written.

    Args:
        values: its saliency, ``(H, W)`` float32 in [0, 1].
        map_path: ``.png``, 16-bit grey, 0 to 65535 for saliency 0 to 1.
        overlay_path: ``.png``, sRGB: the map over the photograph as the window shows it.
        device, field: what it was computed with, as in :func:`saliency_layer`.
    """
    method, on = method_of(image, field), device_name(device)
    provenance = Provenance(kind="saliency", method=method, device=on, **image.as_source())
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


def saliency_overlay(image: FundusImage, values: NDArray[np.float32]) -> layer_art.Bytes:
    """The map over the photograph with its legend: ``(H, W, 3)`` uint8 sRGB."""
    picture, mask = image.display_rgb.copy(), image.field_of_view.mask
    look = ("inferno", layer_art.SaliencyStyle.COLOURS)
    layer_art.paint(
        picture, [(layer_art.saliency_art(values, mask, *look), layer_art.SALIENCY_OPACITY)]
    )
    for stamp in stamps_of([layer_art.saliency_legend(*look)], mask):
        stamp.onto(picture)
    return picture
