"""The consistency map: how wrong an enlargement is likely to be, and where.

The same enlarger is asked eight times, its answer is shrunk again and compared with the photograph
(:mod:`retina_viewer.superres.evidence`), and a calibration fitted to photographs with a known truth
turns that into grey levels (:mod:`retina_viewer.superres.consistency_calibration`). What it cannot
see is an error that the network makes the same way every time and that leaves the photograph as it
was: the map ranks errors, it does not rule them out. docs/decisions/consistency.md has the figures.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging.formation import STANDARD
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.back_projection import shrinking_reach
from retina_viewer.superres.consistency_calibration import (
    Calibration,
    read_calibration,
    window_of,
    windowed,
)
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.evidence import Evidence, Plane, gather_evidence, unprojected

THRESHOLD = 2.0
"""Grey levels: an expected error from which detail counts as a guess. Rounding, grain and
compression of photographs alone leave a mean error of 0.5 to 0.8 that no method could remove."""
RIM = 4
"""Source pixels: the hard rim of the field of view is no detail, and is left out of the numbers, as
it is left out of the calibration."""
_RESULT_SIDE = 1024
"""Result pixels: the side of what is enlarged at once; eight results of it are never held."""
_LEAST_SIDE = 128
"""Source pixels: smaller tiles would spend their time on the networks' margins."""


@dataclass(frozen=True, eq=False)
class ConsistencyMap:
    """Where detail is the network's guess.

    Attributes:
        expected_error: ``(h, w)`` float32, one value a source pixel: the mean absolute error of
            luminance (BT.601, full range) to be expected of the result in the window around it,
            in grey levels of 0..255; 0 outside the field of view.
        region: the part of the photograph that it covers, source pixels.
        scale: of the result.
        mean: of ``expected_error`` inside the field of view less its rim (:func:`inner_field`),
            grey levels; NaN without any.
        guessed: share of the same whose expected error is above :data:`THRESHOLD`; NaN likewise.
        counted: how many pixels the two numbers are of, so that those of parts can be put together.
    """

    expected_error: NDArray[np.float32]
    region: Rect
    scale: int
    mean: float
    guessed: float
    counted: int = 0

    @property
    def window(self) -> int:
        """Side of the window in result pixels."""
        return window_of(self.scale) * self.scale


def consistency_map(
    enhancer: Enhancer,
    rgb: FloatImage,
    field_mask: NDArray[np.bool_],
    *,
    other: Enhancer | None = None,
    region: Rect | None = None,
    calibration: Calibration | None = None,
    progress: Progress = no_progress,
) -> ConsistencyMap:
    """The error to be expected of an enlargement, at every pixel of the photograph.

    Takes about eight times as long as the enlargement itself (nine with ``other``). The map of a
    region is the crop of the map of the whole, but for the two summary numbers.

    Args:
        enhancer: a network, fitted to this photograph (``Enhancer.fitted_to``).
        rgb: the whole photograph, ``(H, W, 3)`` float32 in [0, 1].
        field_mask: its field of view, ``(H, W)`` bool.
        other: the enhancer of the other set of weights, fitted likewise: what a GAN at less than
            full fidelity is compared with is its pixel-trained twin (see :func:`needs_twin`).
        region: in source pixels, inside the photograph; all of it where None.
        calibration: where None, that of the enhancer's model.
        progress: called before every enlargement; it may cancel.

    Raises:
        UserError: the method has no network, or its model no calibration for this scale; or as
            ``Enhancer.enhance_region``.
    """
    height, width = rgb.shape[:2]
    area = Rect(0, 0, width, height) if region is None else region
    if field_mask.shape != (height, width) or area.intersected(Rect(0, 0, width, height)) != area:
        raise ValueError(f"a mask {field_mask.shape} and {area} for a photograph {rgb.shape}")
    fitted = calibration_of(enhancer) if calibration is None else calibration
    curve = fitted.at(enhancer.scale)
    planes = windowed_evidence(enhancer, rgb, area, other=other, progress=progress)
    expected = curve.expected_error(planes)
    inside = field_mask[area.slices()]
    values = expected[inner_field(field_mask)[area.slices()]]
    progress(1.0, f"Consistency x{enhancer.scale}")
    return ConsistencyMap(
        np.where(inside, expected, np.float32(0)),
        area,
        enhancer.scale,
        float(values.mean()) if values.size else float("nan"),
        float(np.mean(values > THRESHOLD)) if values.size else float("nan"),
        values.size,
    )


def region_map(
    image: FundusImage,
    enhancer: Enhancer,
    region: Rect,
    *,
    other: Enhancer | None = None,
    calibration: Calibration | None = None,
    progress: Progress = no_progress,
) -> ConsistencyMap:
    """The map of a part of a photograph, converting no more of it than the part depends on.

    Nothing in a map is of the whole photograph but what the enhancers are fitted to: no value is
    divided by a mean or a largest one. So this is the crop of :func:`consistency_map` of the whole,
    but for the numbers, which are of the part. Outside the field of view nothing is computed.

    Args:
        image: the photograph.
        enhancer, other, calibration, progress: see :func:`consistency_map`.
        region: in source pixels, inside the photograph.
    """
    if enhancer.whole_image_only or (other is not None and other.whole_image_only):
        seen = image.bounds
    else:
        seen = region.expanded(_margin(enhancer, other)).intersected(image.bounds)
    fitted = calibration_of(enhancer) if calibration is None else calibration
    fitted.at(enhancer.scale)
    if not image.field_of_view.mask[region.slices()].any():
        nothing = np.zeros((region.height, region.width), np.float32)
        return ConsistencyMap(nothing, region, enhancer.scale, float("nan"), float("nan"))
    found = consistency_map(
        enhancer,
        image.unit_rgb(seen),
        image.field_of_view.mask[seen.slices()],
        other=other,
        region=Rect(region.x - seen.x, region.y - seen.y, region.width, region.height),
        calibration=fitted,
        progress=progress,
    )
    return replace(found, region=region)


def _margin(enhancer: Enhancer, other: Enhancer | None) -> int:
    """Source pixels around a region that its map depends on."""
    networks = [unprojected(one).margin for one in (enhancer, other) if one is not None]
    blur = (enhancer.formation or STANDARD).blur
    averaged = window_of(enhancer.scale) // 2
    return max(*networks, RIM) + shrinking_reach(enhancer.scale, blur) + averaged + 1


def inner_field(field_mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The field of view ``(H, W)`` less :data:`RIM` pixels, also where the image's border cuts."""
    padded = np.pad(field_mask.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.asarray(distance)[1:-1, 1:-1] > RIM)


def windowed_evidence(
    enhancer: Enhancer,
    rgb: FloatImage,
    area: Rect,
    *,
    other: Enhancer | None = None,
    progress: Progress = no_progress,
) -> dict[str, Plane]:
    """The evidence of an area by name, averaged over the window; see :func:`consistency_map`.

    Returns:
        Planes ``(area.height, area.width)`` float32, grey levels.
    """
    reach = window_of(enhancer.scale) // 2
    whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
    outer = area.expanded(reach).intersected(whole)
    evidence = _gather_in_tiles(enhancer, rgb, outer, other, progress)
    inner = Rect(area.x - outer.x, area.y - outer.y, area.width, area.height).slices()
    return {
        name: windowed(plane, enhancer.scale)[inner] for name, plane in evidence.planes().items()
    }


def calibration_of(enhancer: Enhancer) -> Calibration:
    """The calibration of an enhancer's model.

    Raises:
        UserError: there is no network that could guess, or no calibration of its model.
    """
    if enhancer.model is None:
        raise UserError(
            "Interpolation guesses nothing, so there is no map of its guesses.",
            "Choose a method with a network.",
        )
    from retina_viewer.model_store.store import find_model  # torch takes seconds to load

    return read_calibration(find_model(enhancer.model))


def needs_twin(enhancer: Enhancer) -> bool:
    """Whether the map wants ``other``: the same model at fidelity 1."""
    return enhancer.fidelity is not None and enhancer.fidelity < 1.0


def _gather_in_tiles(
    enhancer: Enhancer, rgb: FloatImage, area: Rect, other: Enhancer | None, progress: Progress
) -> Evidence:
    """The evidence of an area, tile by tile: memory for one tile of results, time to cancel."""
    if enhancer.whole_image_only or (other is not None and other.whole_image_only):
        whole = Rect(0, 0, rgb.shape[1], rgb.shape[0])
        evidence = gather_evidence(enhancer, rgb, whole, other=other, progress=progress)
        return evidence.cropped(area)
    side = max(_RESULT_SIDE // enhancer.scale, _LEAST_SIDE)
    tiles = [
        Rect(tile.x + area.x, tile.y + area.y, tile.width, tile.height)
        for tile in tiles_covering(area.width, area.height, side)
    ]
    planes: dict[str, Plane] = {}
    done = 0
    for tile in tiles:
        share = part_of(progress, done / area.area, (done + tile.area) / area.area)
        evidence = gather_evidence(enhancer, rgb, tile, other=other, progress=share)
        done += tile.area
        place = Rect(tile.x - area.x, tile.y - area.y, tile.width, tile.height).slices()
        for name, plane in evidence.planes().items():
            whole_plane = planes.setdefault(name, np.empty((area.height, area.width), np.float32))
            whole_plane[place] = plane
    return Evidence(**planes)
