"""What the export dialog offers, how the files will be called, and writing them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.files import unused_path
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.overlay import CYAN, lookup_table, outline, overlay, painted
from retina_viewer.imaging.writers import JPEG_MAX_SIDE, sidecar_path, write_image, write_sidecar
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import default_name, provenance_of, result_is_large
from retina_viewer.superres.tiles import enhance_image
from retina_viewer.ui.resolved_view import LayerView
from retina_viewer.ui.services import Services
from retina_viewer.ui.view_state import LayerName


class Product(Enum):
    """What can be saved."""

    RESULT = "Enlarged photograph"
    WITH_LAYERS = "Enlarged photograph with the layers drawn in"
    SALIENCY = "Saliency map (16-bit grey, and over the photograph)"
    VESSELS = "Vessel mask and probability"


class Format(Enum):
    PNG = ".png"
    TIFF = ".tif"
    JPEG = ".jpg"


@dataclass(frozen=True)
class Request:
    """One export as the person set it up.

    Attributes:
        layers: what is drawn in, with its opacity, for :attr:`Product.WITH_LAYERS`.
        colour_map: of the saliency.
    """

    image: FundusImage
    method: str
    scale: int
    device: str
    product: Product = Product.RESULT
    layers: tuple[LayerView, ...] = ()
    colour_map: str = "inferno"


def formats_for(image: FundusImage, product: Product, scale: int) -> list[Format]:
    """The formats that can hold the product, the best first."""
    if product in (Product.SALIENCY, Product.VESSELS):
        return [Format.PNG]
    if result_is_large(image, scale):
        return [Format.TIFF] if product is Product.RESULT else []
    longest = max(image.width, image.height) * scale
    everything = [Format.PNG, Format.TIFF, Format.JPEG]
    return everything if longest <= JPEG_MAX_SIDE else everything[:2]


def file_names(request: Request, enhancer: Enhancer | None, kind: Format) -> list[str]:
    """The names that will be written, the main one first.

    Args:
        enhancer: the one that makes the result; None where none is needed.
    """
    stem = request.image.stem
    if request.product is Product.SALIENCY:
        return [f"{stem}_saliency.png", f"{stem}_saliency_overlay.png"]
    if request.product is Product.VESSELS:
        return [f"{stem}_vessels.png", f"{stem}_vessel_probability.png"]
    assert enhancer is not None
    name = Path(default_name(request.image, enhancer)).stem
    ending = "_layers" if request.product is Product.WITH_LAYERS else ""
    return [f"{name}{ending}{kind.value}"]


def free_paths(folder: Path, names: list[str]) -> list[Path]:
    """The names in the folder, or ``name (2)`` and so on where they, or their sidecars, exist."""
    paths = []
    for name in names:
        path = unused_path(folder / name)
        while sidecar_path(path).exists():
            taken = path.stem
            number = int(taken.rpartition("(")[2][:-1]) + 1 if taken.endswith(")") else 2
            path = unused_path(folder / f"{Path(name).stem} ({number}){path.suffix}")
        paths.append(path)
    return paths


def write(
    request: Request, enhancer: Enhancer | None, paths: list[Path], services: Services,
    progress: Progress,
) -> list[Path]:  # fmt: skip
    """Compute and write the product; the files that were written.

    Args:
        paths: as :func:`free_paths` gave them.

    Raises:
        UserError: see the writers.
    """
    image = request.image
    if request.product is Product.SALIENCY:
        values = services.saliency(image, part_of(progress, 0.0, 0.9))
        progress(0.9, "Writing")
        services.export_saliency(image, values, paths[0], paths[1])
    elif request.product is Product.VESSELS:
        found = services.vessels(image, request.device, part_of(progress, 0.0, 0.9))
        progress(0.9, "Writing")
        services.export_vessels(image, found, paths[0], paths[1])
    else:
        assert enhancer is not None
        if request.product is Product.RESULT:
            services.export(image, enhancer, paths[0], progress)
        else:
            _write_with_layers(request, enhancer, paths[0], services, progress)
    return paths


def _write_with_layers(
    request: Request, enhancer: Enhancer, path: Path, services: Services, progress: Progress
) -> None:
    image, scale = request.image, enhancer.scale
    pixels = enhance_image(enhancer, image, progress=part_of(progress, 0.0, 0.6))
    rgb = services.to_screen(pixels, image)
    size = (rgb.shape[1], rgb.shape[0])
    for layer in request.layers:
        if layer.name is LayerName.SALIENCY:
            values = services.saliency(image, part_of(progress, 0.6, 0.75))
            plane = np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR))
            mask = _enlarged(image.field_of_view.mask, size)
            colours = lookup_table(request.colour_map)
            rgb = overlay(rgb, plane, colours, layer.opacity, mask=mask)
        else:
            found = services.vessels(image, request.device, part_of(progress, 0.75, 0.9))
            edge = outline(_enlarged(found.mask, size), max(1, scale // 4))
            rgb = painted(rgb, edge, CYAN, layer.opacity)
    progress(0.92, f"Writing {path.name}")
    provenance = provenance_of(image, enhancer)
    drawn = ", ".join(layer.name.value for layer in request.layers)
    provenance = provenance.model_copy(update={"method": f"{enhancer.method}, drawn in: {drawn}"})
    write_image(path, rgb, provenance=provenance)
    write_sidecar(path, provenance)


def _enlarged(mask: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """A mask enlarged with smooth edges: the half-way line of its bilinear interpolation."""
    soft = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft > 0.5)
