"""What results are measured against, and whether it shows the same scene. In worker threads.

Two kinds: a photograph of the same scene that is larger by the scale, pixel on pixel; or the open
photograph itself, which is then shrunk, enlarged again, and compared with what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.degradation import crop_to_multiple, degrade, to_8bit
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.quality.metrics import evaluation_mask, luminance_full
from retina_viewer.superres.enhance_settings import SCALES, EnhanceSettings, Scale
from retina_viewer.ui.canvas.photo import Photo
from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.tile_requests import (
    CACHE_BYTES,
    Recipe,
    TileCache,
    TileKey,
    tile_side,
    tiles_over,
)
from retina_viewer.ui.view.state import Tone

Bytes = NDArray[np.uint8]
LEAST_LIKENESS = 0.6
"""Correlation of fine structure: the same scene with noise reaches 0.9, another eye 0.1."""
MOST_SHIFT = 0.5
"""Source pixels: beyond, the figures would measure the shift."""
_DETAIL = 4.0
"""Source pixels: structure up to this size is compared; every retina is round and bright."""


@dataclass(frozen=True, eq=False)
class Reference:
    """The truth for one photograph at one scale.

    Attributes:
        photo: what is enlarged: the open photograph, or its shrunk copy.
        scale: how many times larger the truth is.
        rgb8: ``(h * scale, w * scale, 3)`` uint8 sRGB, for a photograph of ``w`` x ``h``.
        mask: its field of view, eroded by ``2 * scale + 4`` pixels, ``(h * scale, w * scale)``.
        tiles: its pixels cut as results are, so that it is drawn in the same places.
        name: the file's name; empty where the photograph itself was shrunk.
    """

    photo: Photo
    scale: Scale
    rgb8: Bytes
    mask: NDArray[np.bool_]
    tiles: TileCache
    name: str = ""

    @classmethod
    def made(
        cls, photo: Photo, scale: Scale, rgb8: Bytes, mask: NDArray[np.bool_], name: str = ""
    ) -> Reference:
        """With its field of view eroded and its tiles cut."""
        tiles, recipe = TileCache(CACHE_BYTES), recipe_of(photo, scale)
        for rect in tiles_over(photo.bounds, photo.bounds, tile_side(scale)):
            part = Pyramid.from_rgb(rgb8[rect.scaled(scale).slices()])
            tiles.put(TileKey(recipe, rect), part)
        return cls(photo, scale, rgb8, evaluation_mask(mask, scale), tiles, name)

    @property
    def recipe(self) -> Recipe:
        """By which its tiles are found."""
        return recipe_of(self.photo, self.scale)

    @property
    def is_trial(self) -> bool:
        """Whether the photograph was shrunk for it."""
        return not self.name


def recipe_of(photo: Photo, scale: Scale) -> Recipe:
    """Of no method: of what is to be made."""
    return Recipe(photo.key, EnhanceSettings("reference", scale), Tone.COLOUR)


def trial_of(photo: Photo, scale: Scale) -> Reference:
    """The photograph as its own truth: shrunk by METHODS' forward model, to be enlarged again.

    Raises:
        UserError: the photograph is too small for it.
    """
    image = photo.image
    least = 32 * scale
    if min(image.width, image.height) < least:
        raise UserError(
            f"{image.name} is too small to be shrunk {scale} times.",
            f"Choose a smaller scale, or a photograph of at least {least} pixels a side.",
        )
    truth = crop_to_multiple(image.display_rgb, scale)
    small = to_8bit(degrade(truth.astype(np.float32) / np.float32(255), scale))
    shrunk = FundusImage.from_array(small, f"{image.stem}, shrunk ×{scale}")
    mask = crop_to_multiple(image.field_of_view.mask, scale)
    key = f"{photo.key} shrunk {scale}"
    return Reference.made(Photo(shrunk, key), scale, truth, mask)


def scale_between(image: FundusImage, reference: FundusImage) -> int | None:
    """1, 2, 4, 8 or 16: how many times larger the reference is; None for none of these."""
    for scale in (1, *SCALES):
        if (reference.width // scale, reference.height // scale) == (image.width, image.height):
            return scale
    return None


def reference_from(photo: Photo, reference: FundusImage, scale: Scale) -> Reference:
    """A given image as the truth, checked.

    Args:
        photo: the open photograph.
        reference: 2, 4, 8 or 16 times as large; or of its own size, then it is shrunk by ``scale``.

    Raises:
        UserError: it has another size, shows another scene, or is shifted.
    """
    image = photo.image
    found = scale_between(image, reference)
    if found is None:
        sizes = ", ".join(f"{image.width * s} × {image.height * s} (×{s})" for s in SCALES[:3])
        raise UserError(
            f"{reference.name} has {reference.width} × {reference.height} pixels; a reference of "
            f"this photograph has {sizes}, and so on.",
            "Give the same scene at one of these sizes, or the photograph itself: it is then "
            "shrunk and enlarged again.",
        )
    check_same_scene(image, reference, found)
    if found == 1:
        return trial_of(photo, scale)
    height, width = image.height * found, image.width * found
    truth = np.ascontiguousarray(reference.display_rgb[:height, :width])
    mask = reference.field_of_view.mask[:height, :width]
    chosen = next(one for one in SCALES if one == found)
    return Reference.made(photo, chosen, truth, mask, reference.name)


def check_same_scene(image: FundusImage, reference: FundusImage, scale: int) -> None:
    """Refuse what does not lie pixel on pixel.

    Raises:
        UserError: another scene, or the same one shifted by more than half a source pixel.
    """
    likeness, shift = registration(image, reference, scale)
    far = float(np.hypot(*shift))
    if likeness >= LEAST_LIKENESS and far <= MOST_SHIFT:
        return
    if MOST_SHIFT < far < 32 and _likeness_moved(image, reference, scale, shift) >= LEAST_LIKENESS:
        across, down = shift
        raise UserError(
            f"{reference.name} shows the same scene, but shifted by {across:+.1f} × {down:+.1f} "
            "pixels of the photograph.",
            "Every figure would measure the shift. Register the two first.",
        )
    raise UserError(
        f"{reference.name} does not show the same scene, or not in the same place.",
        "A reference must lie over the photograph pixel on pixel.",
    )


def registration(
    image: FundusImage, reference: FundusImage, scale: int
) -> tuple[float, tuple[float, float]]:
    """How alike fine structure is, and how far it is shifted.

    Returns:
        Correlation, -1 to 1, and (x, y) in source pixels.
    """
    one, two = _detail(image.display_rgb), _shrunk_detail(image, reference, scale)
    return _correlation(one, two), _shift(one, two)


def _shift(one: NDArray[np.float32], two: NDArray[np.float32]) -> tuple[float, float]:
    """How far ``two`` lies to the right of ``one`` and below it, where both match best.

    Not phase correlation: of small smooth photographs its peak is off by half a pixel.
    """
    height, width = one.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    spectrum = np.conj(np.fft.rfft2(one * window)) * np.fft.rfft2(two * window)
    match = np.fft.irfft2(spectrum, s=(height, width))
    y, x = (int(place) for place in np.unravel_index(int(np.argmax(match)), match.shape))
    across = _peak([float(match[y, (x + step) % width]) for step in (-1, 0, 1)])
    down = _peak([float(match[(y + step) % height, x]) for step in (-1, 0, 1)])
    whole_x = x - width if x > width // 2 else x
    whole_y = y - height if y > height // 2 else y
    return whole_x + across, whole_y + down


def _peak(values: Sequence[float]) -> float:
    """Where the parabola through three neighbours has its top, from the middle one."""
    left, middle, right = values
    bend = left - 2 * middle + right
    return 0.0 if bend == 0 else 0.5 * (left - right) / bend


def _likeness_moved(
    image: FundusImage, reference: FundusImage, scale: int, shift: tuple[float, float]
) -> float:
    one, two = _detail(image.display_rgb), _shrunk_detail(image, reference, scale)
    across, down = (round(part) for part in shift)
    back = np.roll(two, (-down, -across), axis=(0, 1))
    rim = 1 + max(abs(across), abs(down))
    inner = (slice(rim, -rim), slice(rim, -rim))
    return _correlation(one[inner], back[inner])


def _shrunk_detail(image: FundusImage, reference: FundusImage, scale: int) -> NDArray[np.float32]:
    rgb = reference.display_rgb[: image.height * scale, : image.width * scale]
    if scale > 1:
        size = (image.width, image.height)
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return _detail(rgb)


def _detail(rgb8: Bytes) -> NDArray[np.float32]:
    """Luminance without what is larger than vessels, its contrast limited: the hard rim of the
    field of view would outweigh all vessels together."""
    plane = luminance_full(rgb8).astype(np.float32)
    fine = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), _DETAIL)
    spread = float(np.median(np.abs(fine[plane > 24]))) if (plane > 24).any() else 1.0
    limit = max(3 * spread, 0.5)
    return np.asarray(np.clip(fine, -limit, limit), np.float32)


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), two - two.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else 0.0
