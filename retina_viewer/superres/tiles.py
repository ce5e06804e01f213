"""The loop over tiles: bounded memory, cancel between tiles."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress
from retina_viewer.imaging.decoded import Pixels
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhancer import Enhancer, FloatImage

LARGEST_RESULT_TILE = 2048
"""Pixels. A tile of float results never exceeds 2048 x 2048 x 3 x 4 bytes, 48 MiB."""


def tile_side(tile: int, scale: int) -> int:
    """The side of a source tile: ``tile``, less where the result tile would grow too large. Raises
    UserError: ``tile`` is not positive."""
    if tile < 1:
        raise UserError(f"A tile of {tile} pixels is not possible.", "512 is usual.")
    return max(1, min(tile, LARGEST_RESULT_TILE // scale))


def regions_of(enhancer: Enhancer, width: int, height: int, tile: int) -> list[Rect]:
    """The source regions to compute, row by row; one where the method needs the whole image."""
    if enhancer.whole_image_only:
        return [Rect(0, 0, width, height)]
    return list(tiles_covering(width, height, tile_side(tile, enhancer.scale)))


def quantised(result: FloatImage, dtype: np.dtype[Any]) -> Pixels:
    """Float in [0, 1] to the full range of ``uint8`` or ``uint16``, rounded to nearest."""
    peak = np.iinfo(dtype).max
    # In place: a result tile is the largest array of the whole program.
    scaled = np.multiply(np.clip(result, 0.0, 1.0), np.float32(peak))
    pixels: Pixels = np.rint(scaled, out=scaled).astype(dtype)
    return pixels


class ResultGuard:
    """Refuses results that are no image: not finite, black or constant where the source is not."""

    def __init__(self, source: FloatImage) -> None:
        brightest = float(source.max())
        self._source_is_bright = brightest > 4 / 255
        self._source_varies = brightest - float(source.min()) > 4 / 255
        self._low, self._high = np.inf, -np.inf

    def see(self, result: FloatImage) -> None:
        """Look at one tile before it is quantised. Raises UserError: it holds NaN or infinity."""
        low, high = float(result.min()), float(result.max())
        if not (np.isfinite(low) and np.isfinite(high)):  # NaN travels through min and max
            raise UserError(
                "The result is not an image: some of its values are not numbers.",
                "Try the device cpu; if it happens again, the model file is unsuitable.",
            )
        self._low, self._high = min(self._low, low), max(self._high, high)

    def finish(self) -> None:
        """Judge the whole, after the last tile. Raises UserError: black or constant, to within half
        an 8-bit grey level, from a source that is neither, by four."""
        black = self._source_is_bright and self._high < 0.5 / 255
        constant = self._source_varies and self._high - self._low < 0.5 / 255
        if black or constant:
            shade = "black" if black else "of one colour"
            raise UserError(
                f"The result is {shade}, which the photograph is not; it was discarded.",
                "Try the device cpu; if it happens again, the model file is unsuitable.",
            )


def enhanced_tiles(
    enhancer: Enhancer,
    rgb: FloatImage,
    regions: list[Rect],
    dtype: np.dtype[Any],
    progress: Progress = no_progress,
) -> Iterator[tuple[Rect, Pixels]]:
    """Compute region after region: the place of each result in result pixels, and its quantised
    pixels. Raises UserError: a result that is no image (see :class:`ResultGuard`).

    Args:
        rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].
        regions: in source pixels; together they should cover the photograph once.
        dtype: uint8 or uint16.
        progress: called before every region; it may cancel.
    """
    guard = ResultGuard(rgb)
    total, done = sum(region.area for region in regions), 0
    for region in regions:
        progress(done / total, f"Enlarging x{enhancer.scale}")
        result = enhancer.enhance_region(rgb, region)
        guard.see(result)
        done += region.area
        yield region.scaled(enhancer.scale), quantised(result, dtype)
    guard.finish()
    progress(1.0, f"Enlarging x{enhancer.scale}")


def enhance_image(
    enhancer: Enhancer,
    image: FundusImage | NDArray[Any],
    *,
    tile: int = 512,
    progress: Progress = no_progress,
) -> Pixels:
    """Enlarge a whole photograph, tile by tile, with the enhancer fitted to it.

    Besides the result itself it holds one tile of floats and the source as float.

    Args:
        image: a photograph, or ``(H, W, 3)`` uint8, uint16 or float in [0, 1].
        tile: side of a tile in source pixels; smaller needs less memory.
        progress: called before every tile; it may cancel.

    Returns:
        ``(H * scale, W * scale, 3)``; uint16 for 16-bit sources, otherwise uint8.

    Raises:
        UserError: a result that is no image, or one that does not fit into memory.
    """
    dtype: np.dtype[Any] = np.dtype(np.uint8)
    if isinstance(image, np.ndarray) and image.dtype.kind == "f":
        rgb = np.asarray(image, np.float32)
    else:
        photograph = image if isinstance(image, FundusImage) else FundusImage.from_array(image)
        rgb, dtype = photograph.unit_rgb(), photograph.pixels.dtype
    return enhanced_whole(enhancer.fitted_to(rgb), rgb, dtype, tile=tile, progress=progress)


def enhanced_whole(
    enhancer: Enhancer,
    rgb: FloatImage,
    dtype: np.dtype[Any],
    *,
    tile: int = 512,
    progress: Progress = no_progress,
) -> Pixels:
    """As :func:`enhance_image`, of ``(H, W, 3)`` float32 in [0, 1] with an enhancer that is fitted
    already, to uint8 or uint16."""
    whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
    regions = regions_of(enhancer, whole.width, whole.height, tile)
    whole = whole.scaled(enhancer.scale)
    try:
        result: Pixels = np.zeros((whole.height, whole.width, 3), dtype=dtype)
    except MemoryError as error:
        raise UserError(
            f"A result of {whole.width} x {whole.height} pixels does not fit into memory.",
            "Choose a smaller scale, or export to .tif, which is written tile by tile.",
        ) from error
    for place, pixels in enhanced_tiles(enhancer, rgb, regions, dtype, progress):
        result[place.slices()] = pixels
    return result
