"""The uncertainty map: how wrong an enlargement is likely to be, and where.

A network says nothing about how sure it is, but its results do. Eight of them give features
(:func:`uncertainty_features`), which a calibration fitted to photographs with a known truth turns
into grey levels (:mod:`retina_viewer.superres.uncertainty_calibration`). What the map cannot see is
an error that the network makes the same way every time and that leaves the photograph as it was: it
ranks errors, it does not rule them out. docs/decisions/uncertainty.md has the figures.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, computed_field

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging import layer_art
from retina_viewer.imaging.colour import luminance
from retina_viewer.imaging.degradation import STANDARD, degrade_with_blur
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.marks import stamps_of
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.imaging.writers import write_image, write_sidecar
from retina_viewer.superres import uncertainty_calibration
from retina_viewer.superres.back_projection import BackProjected, shrinking_reach
from retina_viewer.superres.classical import bicubic
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.export import provenance_of
from retina_viewer.superres.uncertainty_calibration import Calibration, Plane, window_of

THRESHOLD = 2.0
"""Grey levels: an expected error from which detail counts as uncertain. Rounding, grain and
compression of photographs alone leave a mean error of 0.5 to 0.8 that no method could remove."""
RIM = 4
"""Source pixels: the hard rim of the field of view is no detail, and is left out of the numbers, as
it is left out of the calibration."""
GREY_LEVELS = np.float32(255)
_RESULT_SIDE = 1024
"""Result pixels: the side of what is enlarged at once; eight results of it are never held."""
_LEAST_SIDE = 128
"""Source pixels: smaller tiles would spend their time on the networks' margins."""


@dataclass(frozen=True, eq=False)
class UncertaintyMap:
    """Where detail is uncertain.

    Attributes:
        expected_error: ``(h, w)`` float32, one value a source pixel: the mean absolute error of
            luminance (BT.601, full range) to be expected of the result in the window around it,
            in grey levels of 0..255; 0 outside the field of view.
        region: the part of the photograph that it covers, source pixels.
        mean, uncertain: of ``expected_error`` inside the field of view less its rim
            (:func:`inner_field`), and the share of it above :data:`THRESHOLD`; NaN without any.
        counted: how many pixels the two numbers are of, so that those of parts can be put together.
    """

    expected_error: NDArray[np.float32]
    region: Rect
    scale: int
    mean: float
    uncertain: float
    counted: int = 0

    @property
    def window(self) -> int:
        """Side of the window in result pixels."""
        return window_of(self.scale) * self.scale


def uncertainty_map(
    image: FundusImage,
    enhancer: Enhancer,
    region: Rect | None = None,
    *,
    other: Enhancer | None = None,
    calibration: Calibration | None = None,
    progress: Progress = no_progress,
) -> UncertaintyMap:
    """The error to be expected of an enlargement, at every pixel of a photograph or of a part.

    Takes about eight times as long as the enlargement itself (nine with ``other``). No value of a
    map is divided by a mean or a largest one: the map of a region is the crop of the whole map, but
    for the numbers, which are of the region, and reads no more of the photograph than it depends
    on. Outside the field of view nothing is computed.

    Args:
        enhancer: a network, fitted to the photograph (``Enhancer.fitted_to``).
        region: in source pixels, inside the photograph; all of it where None.
        other: the enhancer of the other set of weights, fitted likewise: what a GAN at less than
            full fidelity is compared with is its pixel-trained twin (see :func:`needs_twin`).
        calibration: where None, that of the enhancer's model.
        progress: called before every enlargement; it may cancel.

    Raises:
        UserError: the method has no network, or its model no calibration for this scale; or as
            ``Enhancer.enhance_region``.
    """
    region = region or image.bounds
    curve = (calibration or calibration_of(enhancer)).at(enhancer.scale)
    mask = image.field_of_view.mask[region.slices()]
    if not mask.any():
        nothing = np.zeros(mask.shape, np.float32)
        return UncertaintyMap(nothing, region, enhancer.scale, float("nan"), float("nan"))
    seen = image.bounds
    if not _needs_whole(enhancer, other):
        seen = region.expanded(_margin(enhancer, other)).intersected(seen)
    place = region.within(seen)
    rgb = image.unit_rgb(seen)
    planes = windowed_features(enhancer, rgb, place, other=other, progress=progress)
    expected = curve.expected_error(planes)
    inner = inner_field(image.field_of_view.mask[seen.slices()])[place.slices()]
    values = expected[inner]
    progress(1.0, f"Uncertainty x{enhancer.scale}")
    mean = uncertain = float("nan")
    if values.size:
        mean, uncertain = float(values.mean()), float(np.mean(values > THRESHOLD))
    shown = np.where(mask, expected, np.float32(0))
    return UncertaintyMap(shown, region, enhancer.scale, mean, uncertain, values.size)


def _needs_whole(enhancer: Enhancer, other: Enhancer | None) -> bool:
    return enhancer.whole_image_only or (other is not None and other.whole_image_only)


def _margin(enhancer: Enhancer, other: Enhancer | None) -> int:
    """Source pixels around a region that its map depends on."""
    networks = [unprojected(one).margin for one in (enhancer, other) if one is not None]
    blur = (enhancer.degradation or STANDARD).blur
    averaged = window_of(enhancer.scale) // 2
    return max(*networks, RIM) + shrinking_reach(enhancer.scale, blur) + averaged + 1


def inner_field(field_mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The field of view ``(H, W)`` less :data:`RIM` pixels, also where the image's border cuts."""
    padded = np.pad(field_mask.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.asarray(distance)[1:-1, 1:-1] > RIM)


def windowed_features(
    enhancer: Enhancer,
    rgb: FloatImage,
    area: Rect,
    *,
    other: Enhancer | None = None,
    progress: Progress = no_progress,
) -> dict[str, Plane]:
    """The features of an area, ``(area.height, area.width)`` float32 grey levels by name, averaged
    over the window; see :func:`uncertainty_map`."""
    whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
    outer = area.expanded(window_of(enhancer.scale) // 2).intersected(whole)
    inner = area.within(outer).slices()
    planes = _features_in_tiles(enhancer, rgb, outer, other, progress)
    windowed = uncertainty_calibration.windowed
    return {name: windowed(plane, enhancer.scale)[inner] for name, plane in planes.items()}


def calibration_of(enhancer: Enhancer) -> Calibration:
    """Of its model. Raises UserError: the method has no network, or no calibration of its model."""
    if enhancer.model is None:
        raise UserError(
            "Interpolation adds no detail, so there is no map of its uncertainty.",
            "Choose a method with a network.",
        )
    from retina_viewer.model_store.store import find_model  # torch takes seconds to load

    return uncertainty_calibration.read_calibration(find_model(enhancer.model))


def needs_twin(enhancer: Enhancer) -> bool:
    """Whether the map wants ``other``: the same model at fidelity 1."""
    return enhancer.fidelity is not None and enhancer.fidelity < 1.0


def _features_in_tiles(
    enhancer: Enhancer, rgb: FloatImage, area: Rect, other: Enhancer | None, progress: Progress
) -> dict[str, Plane]:
    """The features of an area, tile by tile: memory for one tile of results, time to cancel."""
    if _needs_whole(enhancer, other):
        whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
        planes = uncertainty_features(enhancer, rgb, whole, other=other, progress=progress)
        return {name: plane[area.slices()] for name, plane in planes.items()}
    found: dict[str, Plane] = {}
    done, side = 0, max(_RESULT_SIDE // enhancer.scale, _LEAST_SIDE)
    for tile in tiles_covering(area.width, area.height, side):
        share = part_of(progress, done / area.area, (done + tile.area) / area.area)
        place = tile.moved(area.x, area.y)
        part = uncertainty_features(enhancer, rgb, place, other=other, progress=share)
        done += tile.area
        for name, plane in part.items():
            whole_plane = found.setdefault(name, np.empty((area.height, area.width), np.float32))
            whole_plane[tile.slices()] = plane
    return found


def turned(array: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """The flip or rotation ``number`` (0..7) of an array ``(H, W, ...)``, a view; 0 is none.

    4..7 are mirrored first; then ``number % 4`` quarter turns.
    """
    mirrored = array[:, ::-1] if number >= 4 else array
    return np.rot90(mirrored, number % 4)


def turned_back(array: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """The inverse of :func:`turned`, a view."""
    upright = np.rot90(array, -(number % 4))
    return upright[:, ::-1] if number >= 4 else upright


def turned_region(region: Rect, width: int, height: int, number: int) -> Rect:
    """Where ``region`` of a ``width x height`` image lies in that image :func:`turned`."""
    x, y, w, h = region.x, region.y, region.width, region.height
    if number >= 4:
        x = width - x - w
    for _ in range(number % 4):  # a quarter turn anticlockwise: the right side becomes the top
        x, y, w, h = y, width - x - w, h, w
        width, height = height, width
    return Rect(x, y, w, h)


def uncertainty_features(
    enhancer: Enhancer,
    rgb: FloatImage,
    region: Rect,
    *,
    other: Enhancer | None = None,
    progress: Progress = no_progress,
) -> dict[str, Plane]:
    """What eight enlargements of a region say about each other.

    Per pixel of the photograph, as means over the ``scale x scale`` result pixels that lie in it:

    - ``residual``: the result, shrunk again by the forward model, against the photograph. Where the
      two differ, the result contradicts what was seen.
    - ``disagreement``: the standard deviation of the results under the eight flips and rotations of
      the square. The retina has no preferred orientation, so what depends on it is not in the data
      (the self-ensemble of Lim et al. 2017, here for its spread instead of its mean).
    - ``added``: what the network put on top of bicubic interpolation.
    - ``contrast``: the mean gradient of the result: misplaced edges cost more than misplaced
      slopes.
    - ``difference``, with a second set of weights (the twin of a GAN): how far the two results are
      apart, which the training loss alone decided.

    Of an enhancer with back-projection it asks the network alone: what back-projection takes back
    is a feature too, and would be hidden by it.

    Args:
        enhancer: fitted to the photograph; any that offers regions.
        rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].
        region: in source pixels, inside the photograph; regions give the crops of the whole.

    Returns:
        Planes ``(h, w)`` float32 of the region's size, luminance in grey levels of 0..255.
    """
    enhancer, scale = unprojected(enhancer), enhancer.scale
    blur = (enhancer.degradation or STANDARD).blur
    reach = shrinking_reach(scale, blur)
    outer = region.expanded(reach).intersected(Rect(0, 0, rgb.shape[1], rgb.shape[0]))
    inner = region.within(outer)
    steps = itertools.count()

    def step() -> None:
        done = next(steps) / (8 if other is None else 9)
        progress(done, f"Uncertainty x{scale}")

    step()
    light = luminance(enhancer.enhance_region(rgb, outer))
    again = degrade_with_blur(light, scale, blur)
    residual = np.abs(again - luminance(rgb[outer.slices()]))[inner.slices()]
    place = inner.scaled(scale).slices()
    upright = light[place]
    smooth = luminance(bicubic(scale).enhance_region(rgb, region))
    found = {
        "disagreement": _disagreement(enhancer, rgb, region, upright, step),
        "added": np.abs(upright - smooth),
        "contrast": _gradient(light)[place],
    }
    if other is not None:
        step()
        theirs = unprojected(other).enhance_region(rgb, region)
        found["difference"] = np.abs(luminance(theirs) - upright)
    planes = {name: _per_source_pixel(plane, scale) for name, plane in found.items()}
    return {"residual": np.asarray(residual * GREY_LEVELS, np.float32)} | planes


def unprojected(enhancer: Enhancer) -> Enhancer:
    """What an enhancer is without its back-projection."""
    return enhancer.inner if isinstance(enhancer, BackProjected) else enhancer


def _disagreement(
    enhancer: Enhancer, rgb: FloatImage, region: Rect, upright: Plane, step: Callable[[], None]
) -> Plane:
    """Standard deviation over the eight results, a value a result pixel, in [0, 1]."""
    height, width = rgb.shape[:2]
    # Sums of deviations from the first result: sums of the values themselves would cancel.
    total, squares = np.zeros_like(upright), np.zeros_like(upright)
    for number in range(1, 8):
        step()
        place = turned_region(region, width, height, number)
        result = enhancer.enhance_region(turned(rgb, number), place)
        deviation = turned_back(luminance(result), number) - upright
        total += deviation
        squares += deviation * deviation
    variance = squares / 8 - np.square(total / 8)
    return np.asarray(np.sqrt(np.maximum(variance, 0)), np.float32)


def _gradient(plane: Plane) -> Plane:
    """Length of the gradient by central differences, per result pixel."""
    across = cv2.Sobel(plane, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(plane, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _per_source_pixel(plane: Plane, scale: int) -> Plane:
    """Means over blocks of ``scale x scale``, in grey levels."""
    size = (plane.shape[1] // scale, plane.shape[0] // scale)
    mean = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    return np.asarray(mean * GREY_LEVELS, np.float32)


LEVELS_TO_16_BIT = 256


class UncertaintyProvenance(Provenance):
    """What is written into the files of a map: how the enlargement came about, and the numbers of
    :class:`UncertaintyMap`; a value of the 16-bit map is grey levels times ``levels_to_value``."""

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


def export_uncertainty(
    image: FundusImage,
    enhancer: Enhancer,
    found: UncertaintyMap,
    map_path: Path,
    overlay_path: Path,
) -> UncertaintyProvenance:
    """Write the uncertainty map of a whole photograph; what was written into both files and beside
    the map. Raises UserError: a name is taken or cannot be written.

    Args:
        enhancer: fitted to the photograph; what the map is about.
        map_path: ``.png``, 16-bit grey, one pixel a source pixel: expected error in grey levels
            times 256; 0 outside the field of view.
        overlay_path: ``.png``, sRGB: the map over the photograph as the window shows it, with its
            legend.
    """
    if found.expected_error.shape != (image.height, image.width):
        raise ValueError("the map does not cover the photograph")
    known, replaced = np.isfinite(found.mean), {"kind", "statement", "generative", "learned"}
    provenance = UncertaintyProvenance(
        **provenance_of(image, enhancer).model_dump(exclude=replaced),
        kind="consistency",
        mean_expected_error=round(found.mean, 3) if known else None,
        guessed_share=round(found.uncertain, 4) if known else None,
        window=found.window,
    )
    values = np.rint(found.expected_error * np.float32(LEVELS_TO_16_BIT))
    write_image(map_path, np.clip(values, 0, 65535).astype(np.uint16), provenance=provenance)
    write_image(overlay_path, heat_map(image, found), provenance=provenance)
    write_sidecar(map_path, provenance)
    return provenance


def heat_map(image: FundusImage, found: UncertaintyMap) -> NDArray[np.uint8]:
    """The map over the photograph, ``(H, W, 3)`` uint8 sRGB, with a legend and the numbers."""
    picture, mask = image.display_rgb.copy(), image.field_of_view.mask
    veil = layer_art.uncertainty_veil(found.expected_error, mask)
    layer_art.paint(picture, [(veil, layer_art.UNCERTAINTY_OPACITY)])
    note = f"x{found.scale}: no field of view"
    if np.isfinite(found.mean):
        share = f"{found.uncertain:.0%} of the field above {THRESHOLD:g}"
        note = f"x{found.scale}: mean {found.mean:.1f}; {share}"
    legend = replace(layer_art.uncertainty_legend(), note=note)
    for stamp in stamps_of([legend], mask, ai_text=f"AI x{found.scale}: its uncertainty"):
        stamp.onto(picture)
    return picture
