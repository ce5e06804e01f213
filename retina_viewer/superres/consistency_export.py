"""A consistency map as files: the numbers as 16-bit grey, and the colours over the photograph."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field, computed_field

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.overlay import lookup_table, overlay
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.superres.consistency import THRESHOLD, ConsistencyMap
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import provenance_of

LEVELS_TO_16_BIT = 256
"""A value of the 16-bit file is the expected error in grey levels, times this."""
COLOURS = "inferno"
TOP_LEVEL = 8.0
"""Grey levels: the brightest colour. The same for all photographs, so that maps can be compared."""
OVERLAY_OPACITY = 0.7
_LEGEND_HEIGHT = 56
_INK, _PAPER = (235, 235, 235), (18, 18, 18)
_LEAST_WIDTH = 480
"""Pixels: smaller photographs are shown enlarged, so that the legend can be read."""


class ConsistencyProvenance(Provenance):
    """What is written into the files of a map: how the enlargement came about, and the numbers.

    Attributes:
        mean_expected_error: inside the field of view less its rim, grey levels of luminance.
        guessed_share: of the same, whose expected error is above ``threshold``.
        threshold: grey levels.
        window: side of the window that errors are averaged in, result pixels.
        levels_to_value: a value of the 16-bit map is grey levels times this.
    """

    mean_expected_error: float | None = None
    guessed_share: float | None = None
    threshold: float = THRESHOLD
    window: int = Field(gt=0)
    levels_to_value: int = LEVELS_TO_16_BIT

    @computed_field  # type: ignore[prop-decorator]
    @property
    def statement(self) -> str:
        """What a reader of the map must know."""
        return (
            "Expected error of an enlargement by a neural network, for research use. "
            "It ranks errors and cannot rule them out: verify on the original."
        )


def default_names(image: FundusImage, enhancer: Enhancer) -> list[str]:
    """Of the map and of its overlay: ``<stem>_consistency_x4_<model>.png``, ``..._overlay.png``."""
    stem = f"{image.stem}_consistency_x{enhancer.scale}_{enhancer.model or enhancer.method}"
    return [f"{stem}.png", f"{stem}_overlay.png"]


def export_consistency(
    image: FundusImage,
    enhancer: Enhancer,
    found: ConsistencyMap,
    map_path: Path,
    overlay_path: Path,
) -> ConsistencyProvenance:
    """Write the consistency map of a whole photograph.

    Args:
        image: the photograph.
        enhancer: fitted to it; what the map is about.
        found: of all of the photograph.
        map_path: ``.png``, 16-bit grey, one pixel a source pixel: expected error in grey levels
            times 256; 0 outside the field of view.
        overlay_path: ``.png``, sRGB: the map in colours over the photograph, a legend below.

    Returns:
        What was written into both files and beside the map.

    Raises:
        UserError: a name is taken or cannot be written.
    """
    if found.expected_error.shape != (image.height, image.width):
        raise ValueError("the map does not cover the photograph")
    known = np.isfinite(found.mean)
    provenance = ConsistencyProvenance(
        **provenance_of(image, enhancer).model_dump(exclude={"kind", "statement"}),
        kind="consistency",
        mean_expected_error=round(found.mean, 3) if known else None,
        guessed_share=round(found.guessed, 4) if known else None,
        window=found.window,
    )
    values = np.rint(found.expected_error * np.float32(LEVELS_TO_16_BIT))
    write_image(map_path, np.clip(values, 0, 65535).astype(np.uint16), provenance=provenance)
    write_image(overlay_path, heat_map(image, found), provenance=provenance)
    write_sidecar(map_path, provenance)
    return provenance


def heat_map(image: FundusImage, found: ConsistencyMap) -> NDArray[np.uint8]:
    """The map over the photograph, with a legend in grey levels and the numbers below it.

    Returns:
        ``(H, W, 3)`` uint8 sRGB; photographs narrower than 480 pixels are enlarged by a whole
        factor.
    """
    picture = overlay(
        image.display_rgb,
        found.expected_error,
        lookup_table(COLOURS),
        OVERLAY_OPACITY,
        mask=image.field_of_view.mask,
        levels=(0.0, TOP_LEVEL),
    )
    factor = -(-_LEAST_WIDTH // image.width)
    if factor > 1:
        size = (image.width * factor, image.height * factor)
        enlarged = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
        picture = np.asarray(enlarged, np.uint8)
    strip = _legend(picture.shape[1], found)
    return np.concatenate([picture, strip])


def _legend(width: int, found: ConsistencyMap) -> NDArray[np.uint8]:
    """A strip with the colour bar, its grey levels, and the numbers of the photograph."""
    zoom = max(1.0, width / 1000)  # readable too where a large photograph is shown small
    height = round(_LEGEND_HEIGHT * zoom)
    strip = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(size=13 * zoom)
    left, top = round(12 * zoom), round(10 * zoom)
    bar_width, bar_height = round(min(200 * zoom, width * 0.42)), round(12 * zoom)
    ramp = lookup_table(COLOURS)[np.linspace(0, 255, bar_width).round().astype(int)]
    bar = np.repeat(ramp[None], bar_height, axis=0)
    strip.paste(Image.fromarray(np.ascontiguousarray(bar)), (left, top))
    below = top + bar_height + round(4 * zoom)
    for level in (0, THRESHOLD, TOP_LEVEL / 2, TOP_LEVEL):
        at = left + bar_width * level / TOP_LEVEL
        text = f"{level:g}+" if level == TOP_LEVEL else f"{level:g}"
        draw.text((at, below), text, fill=_INK, font=font, anchor="ma")
    words = left + bar_width + round(24 * zoom)
    draw.text((words, top - round(2 * zoom)), "expected error, grey levels", fill=_INK, font=font)
    draw.text((words, below), _numbers(found), fill=_INK, font=font)
    return np.asarray(strip)


def _numbers(found: ConsistencyMap) -> str:
    if not np.isfinite(found.mean):
        return f"x{found.scale}: no field of view"
    share = f"{found.guessed:.0%} of the field above {THRESHOLD:g}"
    return f"x{found.scale}: mean {found.mean:.1f}; {share}"
