"""A whole enlargement as a file with its provenance: written whole or not at all."""

import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from retina_viewer.core.errors import UserError
from retina_viewer.core.geometry import Rect, tiles_covering
from retina_viewer.core.progress import Progress, no_progress, part_of
from retina_viewer.imaging import writers
from retina_viewer.imaging.colour import to_8bit_depth
from retina_viewer.imaging.decoded import MAX_PIXELS, Pixels
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.marks import Stamp, ai_stamp
from retina_viewer.imaging.provenance import Provenance
from retina_viewer.superres.enhancer import Enhancer, FloatImage
from retina_viewer.superres.methods import METHODS
from retina_viewer.superres.tiles import enhanced_tiles, enhanced_whole, regions_of, tile_side

Product = Literal["result", "with_layers", "beside", "saliency", "vessels", "uncertainty"]
"""What is made of a photograph: its enlargement; that with layers drawn in, or beside the original;
the maps."""
_ENDINGS = {"result": "", "with_layers": "_layers", "beside": "_beside"}
TIFF_SUFFIXES = (".tif", ".tiff")
JPEG_SUFFIXES = (".jpg", ".jpeg")
TIFF_TILE = 512
"""Side of a TIFF tile in result pixels; a multiple of every scale."""
MAX_BAND_BYTES = 256 << 20
"""A row of tiles that is held before it is written."""
_LEAST_BYTES_PER_VALUE = {"jpeg": 0.005, "other": 0.02}
"""Photographs compress no better than this; a lower bound, so that nothing that fits is refused."""


def result_is_large(image: FundusImage, scale: int) -> bool:
    """Whether the result is beyond what PNG and JPEG are offered for: what this program opens
    (16384 x 16384 pixels), or a million a side."""
    width, height = image.width * scale, image.height * scale
    return width * height > MAX_PIXELS or max(width, height) > writers.PNG_MAX_SIDE


def file_names(
    product: Product, image: FundusImage, enhancer: Enhancer | None = None, suffix: str = ""
) -> list[str]:
    """How a product's files are called, the main one first.

    ``<stem>_SRx4_<model>.png`` and the like; the method where no model is.

    Args:
        enhancer: what makes or made the enlargement; None for saliency and vessels.
        suffix: of an enlargement; empty for ``.png``, or ``.tif`` where it is large.
    """
    stem = image.stem
    if product == "saliency":
        return [f"{stem}_saliency.png", f"{stem}_saliency_overlay.png"]
    if product == "vessels":
        return [f"{stem}_vessels.png", f"{stem}_vessel_probability.png"]
    assert enhancer is not None
    made_by = f"x{enhancer.scale}_{enhancer.model or enhancer.method}"
    if product == "uncertainty":
        return [f"{stem}_consistency_{made_by}{end}.png" for end in ("", "_overlay")]
    suffix = suffix or (".tif" if result_is_large(image, enhancer.scale) else ".png")
    return [f"{stem}_SR{made_by}{_ENDINGS[product]}{suffix}"]


def export_enhanced(
    image: FundusImage,
    enhancer: Enhancer,
    path: Path,
    *,
    tile: int = 512,
    mark: bool = False,
    progress: Progress = no_progress,
) -> Provenance:
    """Enlarge a photograph into a file, and write the provenance returned into it and beside it.

    TIFF is written tile by tile and needs memory for one row of tiles only; PNG and JPEG are made
    in memory. The colour profile is kept, and 16 bits in PNG and TIFF.

    Args:
        enhancer: is fitted to the photograph here.
        path: ends in .png, .jpg, .jpeg, .tif or .tiff and does not exist.
        tile: side of a tile in source pixels.
        mark: whether to write a small "AI x4" into a corner outside the field of view. What was
            not learned from photographs carries none.
        progress: called between tiles; it may cancel, and then no file is left.

    Raises:
        UserError: the suffix is unknown, the name is taken, the format cannot hold the result,
            the disk is surely too small, no corner has room for the mark (all before any work),
            or the result is no image.
    """
    suffix = path.suffix.lower()
    _refuse_early(image, enhancer, path)
    stamp = _stamp(image, enhancer) if mark else None
    rgb = image.unit_rgb()
    enhancer = enhancer.fitted_to(rgb)
    provenance = provenance_of(image, enhancer, mark=mark)
    dtype, computing = image.pixels.dtype, part_of(progress, 0.0, 0.95)
    if suffix in TIFF_SUFFIXES:
        tiles = tiff_tiles(enhancer, rgb, dtype, tile, computing)
        writers.write_tiled_tiff(
            path,
            (image.height * enhancer.scale, image.width * enhancer.scale, 3),
            dtype.type,
            TIFF_TILE,
            _stamped(tiles, image, enhancer, stamp),
            provenance=provenance,
            icc_profile=image.icc_profile,
        )
    else:
        pixels = enhanced_whole(enhancer, rgb, dtype, tile=tile, progress=computing)
        if suffix in JPEG_SUFFIXES:
            pixels = to_8bit_depth(pixels)
        if stamp is not None:
            stamp.onto(pixels)
        progress(0.95, f"Writing {path.name}")
        writers.write_image(path, pixels, provenance=provenance, icc_profile=image.icc_profile)
    writers.write_sidecar(path, provenance)
    progress(1.0, f"Writing {path.name}")
    return provenance


def _refuse_early(image: FundusImage, enhancer: Enhancer, path: Path) -> None:
    suffix = path.suffix.lower()
    if suffix not in (".png", *JPEG_SUFFIXES, *TIFF_SUFFIXES):
        raise UserError(
            f"{path.name} has no known image suffix.", "End the name in .png, .jpg or .tif."
        )
    for taken in (path, writers.sidecar_path(path)):
        if taken.exists():
            raise UserError(f"{taken} exists already.", "Choose another name.")
    width, height = image.width * enhancer.scale, image.height * enhancer.scale
    if suffix not in TIFF_SUFFIXES and result_is_large(image, enhancer.scale):
        raise UserError(
            f"{width} x {height} pixels are too many for {suffix[1:].upper()}.",
            "End the name in .tif: that is written tile by tile.",
        )
    if suffix in JPEG_SUFFIXES and max(width, height) > (most := writers.JPEG_MAX_SIDE):
        raise UserError(
            f"JPEG holds at most {most} pixels a side, not {max(width, height)}.",
            "End the name in .tif.",
        )
    least = _LEAST_BYTES_PER_VALUE["jpeg" if suffix in JPEG_SUFFIXES else "other"]
    needed = width * height * 3 * image.pixels.dtype.itemsize * least
    if path.parent.is_dir() and (free := shutil.disk_usage(path.parent).free) < needed:
        raise UserError(
            f"The disk has {free / 1e6:.0f} MB left; {path.name} needs {needed / 1e6:.0f} or more.",
            "Free some space or choose another folder.",
        )


def ai_text(enhancer: Enhancer) -> str:
    """What marks a result: ``AI x4``; empty for what was not learned from photographs."""
    learned = any(one.id == enhancer.method for one in METHODS if one.learned)
    return f"AI x{enhancer.scale}" if learned else ""


def has_room_for_mark(image: FundusImage, scale: int) -> bool:
    """Whether a corner outside the field of view has room for the mark."""
    return ai_stamp(f"AI x{scale}", image.field_of_view.mask, scale) is not None


def _stamp(image: FundusImage, enhancer: Enhancer) -> Stamp | None:
    """The mark of a result; None where it needs none."""
    text = ai_text(enhancer)
    if not text:
        return None
    stamp = ai_stamp(text, image.field_of_view.mask, enhancer.scale)
    if stamp is None:
        raise UserError(
            f"{image.name}: no corner outside the field of view has room for the AI mark.",
            "Leave the mark out: the file's name and its metadata name the network. Or export "
            "the labelled pair from the window.",
        )
    return stamp


def _stamped(
    tiles: Iterator[Pixels], image: FundusImage, enhancer: Enhancer, stamp: Stamp | None
) -> Iterator[Pixels]:
    """TIFF tiles with the mark written into those that it touches."""
    places = tiles_covering(image.width * enhancer.scale, image.height * enhancer.scale, TIFF_TILE)
    for place, pixels in zip(places, tiles, strict=True):
        if stamp is not None:
            stamp.onto(pixels, place.x, place.y)
        yield pixels


def provenance_of(image: FundusImage, enhancer: Enhancer, *, mark: bool = False) -> Provenance:
    """How the result of an enhancer, fitted to the photograph, came about."""
    degradation = enhancer.degradation
    sha256, device = None, getattr(enhancer, "device", None)  # only networks choose one
    # Store and devices need torch, which interpolation does without: imported where used.
    if enhancer.model is not None:
        from retina_viewer.model_store.store import find_model

        sha256 = find_model(enhancer.model).weights_sha256
    if device is not None:
        from retina_viewer.networks.devices import device_name

        device = device_name(device)
    known = {one.id: one for one in METHODS}.get(enhancer.method)
    return Provenance(
        kind="super-resolution",
        method=enhancer.method,
        model=enhancer.model,
        model_sha256=sha256,
        scale=enhancer.scale,
        device=device or "CPU",
        fidelity=enhancer.fidelity,
        blur=None if degradation is None else round(degradation.blur, 3),
        noise=None if degradation is None else round(degradation.noise, 2),
        back_projection=enhancer.back_projection,
        learned=bool(ai_text(enhancer)),
        marked=mark and bool(ai_text(enhancer)),
        generative=known is not None and known.character == "draws",
        **image.as_source(),
    )


def tiff_tiles(
    enhancer: Enhancer, rgb: FloatImage, dtype: np.dtype[Any], tile: int, progress: Progress
) -> Iterator[Pixels]:
    """The result as TIFF tiles ``(h, w, 3)``, at most 512 x 512, row by row; ``tile``: side of a
    computed one in source pixels."""
    bands = _bands(enhancer, rgb.shape[1], rgb.shape[0], tile, dtype.itemsize)
    regions = [region for _, parts in bands for region in parts]
    results = enhanced_tiles(enhancer, rgb, regions, dtype, progress)
    for band, parts in bands:
        place = band.scaled(enhancer.scale)
        pixels = np.empty((place.height, place.width, 3), dtype)
        for part, result in islice(results, len(parts)):
            rows, columns = part.slices()
            pixels[rows.start - place.y : rows.stop - place.y, columns] = result
        for piece in tiles_covering(place.width, place.height, TIFF_TILE):
            yield pixels[piece.slices()]
    next(results, None)  # past its last tile the generator judges the whole


def _bands(
    enhancer: Enhancer, width: int, height: int, tile: int, itemsize: int
) -> list[tuple[Rect, list[Rect]]]:
    """Full-width bands of source rows, each with the regions to compute.

    A band is whole TIFF tiles high, as near to the computed tile as :data:`MAX_BAND_BYTES` allows.
    """
    unit = TIFF_TILE // enhancer.scale
    bytes_of_unit = unit * width * enhancer.scale**2 * 3 * itemsize
    units = min(tile_side(tile, enhancer.scale) // unit, MAX_BAND_BYTES // bytes_of_unit)
    rows = height if enhancer.whole_image_only else unit * max(1, units)
    bands = []
    for top in range(0, height, rows):
        band = Rect(0, top, width, min(rows, height - top))
        parts = regions_of(enhancer, width, band.height, tile)
        bands.append((band, [part.moved(0, top) for part in parts]))
    return bands
