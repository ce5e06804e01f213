"""A consistency map as files: the numbers as 16-bit grey, and the colours over the photograph."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, computed_field

from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.layers import GUESS_OPACITY, guess_legend, guess_veil, paint
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.superres.consistency import THRESHOLD, ConsistencyMap
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import provenance_of

LEVELS_TO_16_BIT = 256
"""A value of the 16-bit file is the expected error in grey levels, times this."""


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
        overlay_path: ``.png``, sRGB: the map over the photograph as the window shows it, with its
            legend.

    Returns:
        What was written into both files and beside the map.

    Raises:
        UserError: a name is taken or cannot be written.
    """
    if found.expected_error.shape != (image.height, image.width):
        raise ValueError("the map does not cover the photograph")
    known = np.isfinite(found.mean)
    provenance = ConsistencyProvenance(
        **provenance_of(image, enhancer).model_dump(
            exclude={"kind", "statement", "generative", "learned"}
        ),
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
    """The map over the photograph, with a legend in grey levels and the numbers.

    Returns:
        ``(H, W, 3)`` uint8 sRGB.
    """
    picture, mask = image.display_rgb.copy(), image.field_of_view.mask
    paint(picture, [(guess_veil(found.expected_error, mask), GUESS_OPACITY)])
    legend = replace(guess_legend(), note=_numbers(found))
    for stamp in stamps_of([legend], mask, ai_text=f"AI x{found.scale}: its guesswork"):
        stamp.onto(picture)
    return picture


def _numbers(found: ConsistencyMap) -> str:
    if not np.isfinite(found.mean):
        return f"x{found.scale}: no field of view"
    share = f"{found.guessed:.0%} of the field above {THRESHOLD:g}"
    return f"x{found.scale}: mean {found.mean:.1f}; {share}"
