"""Windows with a known truth: photographs shrunk and enlarged again, the evidence beside the error.

What is gathered does not depend on the calibration: it is kept in files, so a broken run goes on,
and a new fit needs no new enlargement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.files import atomic_write
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.degradation import Kernel
from retina_viewer.quality.consistency_fit import Windows
from retina_viewer.quality.datasets import Photograph
from retina_viewer.quality.metrics import evaluation_mask
from retina_viewer.quality.protocols import Condition, Truth, prepare, small_image
from retina_viewer.superres.consistency import needs_twin, windowed_evidence
from retina_viewer.superres.consistency_calibration import window_of, windowed
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.methods import make_enhancer
from retina_viewer.superres.tiles import quantised

FIELD_DIAMETERS = (540, 760, 1000)
"""Pixels: as fields of view are in small, usual and large photographs."""
_RESULT_TILE = 256
_LEAST_TILE = 32
"""Source pixels: at x16, smaller tiles would be margin alone."""
_INSIDE = 0.6
"""Share of a tile that the field of view must fill."""


@dataclass(frozen=True)
class Item:
    """One photograph under one condition.

    Attributes:
        diameter: of the field of view that the truth is shrunk to, pixels; None for the
            photograph's own size.
        fidelity: of a model with a twin; None for all others.
    """

    photograph: Photograph
    diameter: int | None
    kernel: Kernel
    scale: int
    fidelity: float | None

    @property
    def key(self) -> str:
        """A file name: letters, digits, ``_``, ``.`` and ``-``."""
        size = "native" if self.diameter is None else str(self.diameter)
        name = self.photograph.name.replace("/", "_")
        free = "" if self.fidelity is None else f"_f{self.fidelity:.2f}"
        return f"{name}_{size}_{self.kernel}_x{self.scale}{free}"


@dataclass
class Enhancers:
    """The enhancers of one model, each made once."""

    model: str
    method: str
    device: str = "auto"

    def __post_init__(self) -> None:
        self._made: dict[tuple[int, float | None], Enhancer] = {}

    def at(self, scale: int, fidelity: float | None) -> Enhancer:
        """Not yet fitted to a photograph; held to it by back-projection, as is usual."""
        key = (scale, fidelity)
        if key not in self._made:
            settings = EnhanceSettings(
                self.method, model=self.model, device=self.device, fidelity=fidelity
            )
            self._made[key] = make_enhancer(settings.at(scale))
        return self._made[key]


def truth_of(photograph: Photograph, diameter: int | None) -> Truth:
    """The photograph, shrunk so that its field of view is ``diameter`` pixels wide.

    At its own size where None, and where it is smaller than that already.
    """
    truth = prepare(photograph, "native")
    columns = np.flatnonzero(truth.mask.any(axis=0))
    width = int(columns[-1] - columns[0] + 1)
    if diameter is None or width <= diameter:
        return truth
    factor = diameter / width
    size = (round(truth.rgb8.shape[1] * factor), round(truth.rgb8.shape[0] * factor))
    rgb8 = cv2.resize(truth.rgb8, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(truth.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    return Truth(np.asarray(rgb8, np.uint8), np.asarray(mask) > 0)


def gather(
    item: Item,
    truth: Truth,
    enhancers: Enhancers,
    *,
    tiles: int | None,
    progress: Progress = no_progress,
) -> Windows:
    """Shrink, enlarge, and compare with the truth, in some tiles of the field of view.

    Args:
        item: names the condition.
        truth: from :func:`truth_of`.
        enhancers: of the model.
        tiles: how many tiles of about 256 result pixels, spread evenly over the field of view;
            None for all of it.
    """
    scale = item.scale
    cropped = truth.cropped(scale)
    small = small_image(cropped, Condition("native", item.kernel, scale))
    rgb = small.astype(np.float32) / np.float32(255)
    enhancer = enhancers.at(scale, item.fidelity).fitted_to(rgb)
    twin = enhancers.at(scale, 1.0).fitted_to(rgb) if needs_twin(enhancer) else None
    inside = _whole_blocks(evaluation_mask(cropped.mask, scale), scale)
    regions = spread_tiles(inside, max(_RESULT_TILE // scale, _LEAST_TILE), tiles)
    parts = []
    for number, region in enumerate(regions):
        share = part_of(progress, number / len(regions), (number + 1) / len(regions))
        planes = windowed_evidence(enhancer, rgb, region, other=twin, progress=share)
        error = true_error(enhancer, rgb, cropped.rgb8, region)
        chosen = inside[region.slices()]
        parts.append(Windows(error[chosen], {name: p[chosen] for name, p in planes.items()}))
    return joined(parts)


def true_error(
    enhancer: Enhancer, rgb: FloatImage, truth: NDArray[np.uint8], region: Rect
) -> NDArray[np.float32]:
    """The mean absolute error of luminance in the window around every source pixel of a region.

    Args:
        enhancer: fitted to ``rgb``.
        rgb: the shrunk photograph, ``(H, W, 3)`` float32 in [0, 1].
        truth: what it was shrunk from, ``(H * scale, W * scale, 3)`` uint8.
        region: in source pixels.

    Returns:
        ``(region.height, region.width)`` float32, grey levels of 0..255, full range.
    """
    scale = enhancer.scale
    whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
    outer = region.expanded(window_of(scale) // 2).intersected(whole)
    result = quantised(enhancer.enhance_region(rgb, outer), np.dtype(np.uint8))
    off = np.abs(luminance(result) - luminance(truth[outer.scaled(scale).slices()]))
    mean = cv2.resize(off, (outer.width, outer.height), interpolation=cv2.INTER_AREA)
    inner = Rect(region.x - outer.x, region.y - outer.y, region.width, region.height)
    error: NDArray[np.float32] = windowed(np.asarray(mean, np.float32), scale)[inner.slices()]
    return error


def _whole_blocks(mask: NDArray[np.bool_], scale: int) -> NDArray[np.bool_]:
    """Source pixels all of whose result pixels are inside, ``(H // scale, W // scale)``."""
    height, width = mask.shape
    blocks = mask.reshape(height // scale, scale, width // scale, scale)
    return np.asarray(blocks.all(axis=(1, 3)))


def spread_tiles(inside: NDArray[np.bool_], side: int, count: int | None) -> list[Rect]:
    """Tiles of the photograph that the field of view fills, evenly spread; all where None.

    The fullest one where none is filled enough; never empty for a mask that is not.
    """
    height, width = inside.shape
    tiles = list(tiles_covering(width, height, side))
    if count is None:
        return [tile for tile in tiles if inside[tile.slices()].any()]
    share = [float(inside[tile.slices()].sum()) / side**2 for tile in tiles]
    full = [tile for tile, filled in zip(tiles, share, strict=True) if filled >= _INSIDE]
    if not full:
        return [tiles[int(np.argmax(share))]]
    # The middles of ``count`` equal parts of the row of tiles: never all at one border.
    places = (np.arange(count) + 0.5) * len(full) / count
    return [full[index] for index in np.unique(places.astype(int))]


def joined(parts: Sequence[Windows]) -> Windows:
    """The windows of several parts as one; all must have the same evidence."""
    names = parts[0].planes.keys()
    return Windows(
        np.concatenate([part.error for part in parts]),
        {name: np.concatenate([part.planes[name] for part in parts]) for name in names},
    )


def load_windows(path: Path) -> Windows | None:
    """Windows that :func:`save_windows` wrote; None where there is no such file, or a damaged one:
    they are measured again then."""
    try:
        with path.open("rb") as stream, np.load(stream) as arrays:
            planes = {name: arrays[name] for name in arrays.files if name != "error"}
            return Windows(arrays["error"], planes)
    except Exception:  # a damaged archive raises anything
        return None


def save_windows(path: Path, windows: Windows) -> None:
    """Keep windows in a ``.npz`` file, in place of an older one.

    Raises:
        UserError: it cannot be written.
    """
    with atomic_write(path, replace=True) as stream:
        np.savez_compressed(stream, allow_pickle=False, error=windows.error, **windows.planes)
