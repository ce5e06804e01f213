"""What the export dialog offers, how the files will be called, and writing them. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from retina_viewer.core.files import staged
from retina_viewer.core.progress import Progress, part_of
from retina_viewer.imaging import layer_art
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.marks import GAP, HEADROOM, Title, beside, stamps_of
from retina_viewer.imaging.provenance import AI_STATEMENT
from retina_viewer.imaging.writers import JPEG_MAX_SIDE, write_image, write_sidecar
from retina_viewer.superres import export
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.tiles import enhanced_whole
from retina_viewer.superres.uncertainty import UncertaintyMap
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.services import Services
from retina_viewer.ui.view.picture import LayerView

PRODUCTS: dict[export.Product, str] = {
    "result": "Enlarged photograph",
    "with_layers": "Enlarged photograph with the layers drawn in",
    "beside": "Original and enlarged photograph side by side, labelled",
    "saliency": "Saliency map (16-bit grey, and over the photograph)",
    "vessels": "Vessel mask and probability",
    "uncertainty": "Uncertainty (16-bit grey, and over the photograph)",
}
"""What can be saved."""
FORMATS = {".png": "PNG, lossless", ".tif": "TIFF, lossless", ".jpg": "JPEG, smaller"}
"""By their suffix."""


@dataclass(frozen=True)
class ExportRequest:
    """One export as the person set it up: ``with_layers`` has the layers drawn in, ``result`` may
    carry a small mark in a corner."""

    image: FundusImage
    settings: EnhanceSettings
    product: export.Product = "result"
    layers: tuple[LayerView, ...] = ()
    colour_map: str = "inferno"
    saliency_style: layer_art.SaliencyStyle = layer_art.SaliencyStyle.COLOURS
    mark: bool = False


def products_for(request: ExportRequest) -> list[export.Product]:
    """What there is to save: layers only where some are on, uncertainty only of networks."""
    there = {"with_layers": bool(request.layers), "uncertainty": request.settings.model is not None}
    return [product for product in PRODUCTS if there.get(product, True)]


def formats_for(image: FundusImage, product: export.Product, scale: int) -> list[str]:
    """The suffixes of the formats that can hold the product, the best first."""
    if product in ("saliency", "vessels", "uncertainty"):
        return [".png"]
    if export.result_is_large(image, scale):
        return [".tif"] if product == "result" else []
    across = 2 if product == "beside" else 1
    if across > 1 and export.result_is_large(image, 2 * scale):  # with room to spare
        return []
    longest = max(across * image.width * scale + GAP, image.height * scale + HEADROOM)
    everything = [".png", ".tif", ".jpg"]
    return everything if longest <= JPEG_MAX_SIDE else everything[:2]


def names_of(request: ExportRequest, enhancer: Enhancer | None, suffix: str) -> list[str]:
    """The names that will be written, the main one first; an enhancer is needed for results."""
    return export.file_names(request.product, request.image, enhancer, suffix)


def write(
    request: ExportRequest, enhancer: Enhancer | None, paths: list[Path], services: Services,
    progress: Progress,
) -> list[Path]:  # fmt: skip
    """Compute and write the product, all of it or nothing; the files that were written. Raises
    UserError: see the writers.

    Args:
        paths: as :func:`~retina_viewer.core.names.free_paths` gave them; where one is taken
            meanwhile, all get another number.
    """
    with staged(paths[0].parent, [path.name for path in paths]) as staging:
        _write(request, enhancer, staging.inside, services, progress)
    return staging.paths


def _write(
    request: ExportRequest, enhancer: Enhancer | None, paths: list[Path], services: Services,
    progress: Progress,
) -> None:  # fmt: skip
    image = request.image
    if request.product == "saliency":
        values = services.saliency(image, part_of(progress, 0.0, 0.9))
        progress(0.9, "Writing")
        services.export_saliency(image, values, paths[0], paths[1])
    elif request.product == "vessels":
        found = services.vessels(image, None, request.settings.device, part_of(progress, 0.0, 0.9))
        progress(0.9, "Writing")
        services.export_vessels(image, found, paths[0], paths[1])
    else:
        assert enhancer is not None
        _write_result(request, enhancer, paths, services, progress)


def _write_result(
    request: ExportRequest,
    enhancer: Enhancer,
    paths: list[Path],
    services: Services,
    progress: Progress,
) -> None:
    image, path = request.image, paths[0]
    if request.product == "result":
        services.export(image, enhancer, path, request.mark, progress)
        return
    rgb = image.unit_rgb()
    enhancer = enhancer.fitted_to(rgb)
    if request.product == "uncertainty":
        found = _uncertainty(request, enhancer, services, part_of(progress, 0.0, 0.95))
        services.export_uncertainty(image, enhancer, found, *paths)
        return
    computing = part_of(progress, 0.0, 0.6)
    pixels = enhanced_whole(enhancer, rgb, np.dtype(np.uint8), progress=computing)
    shown = np.require(services.to_screen(pixels, image), requirements="W")
    if request.product == "with_layers":
        layers = part_of(progress, 0.6, 0.95)
        with_layers(request, enhancer, shown, services, layers)
        drawn = ", ".join(layer.name.value for layer in request.layers)
        how = f"{enhancer.method}, drawn in: {drawn}"
    else:
        shown = beside_original(request, enhancer, shown)
        how = f"{enhancer.method}, beside the original"
    progress(0.95, f"Writing {path.name}")
    provenance = export.provenance_of(image, enhancer).model_copy(update={"method": how})
    write_image(path, shown, provenance=provenance)
    write_sidecar(path, provenance)


def with_layers(
    request: ExportRequest,
    enhancer: Enhancer,
    rgb: layer_art.Bytes,
    services: Services,
    progress: Progress,
) -> None:
    """Draw the request's layers, their legends and what made the result into it, in place.

    Args:
        enhancer: fitted to the photograph.
        rgb: the result, ``(H, W, 3)`` uint8 sRGB.
    """
    image, mask = request.image, request.image.field_of_view.mask
    look = (request.colour_map, request.saliency_style)
    steps = max(1, len(request.layers))
    layers: list[tuple[layer_art.Art, float]] = []
    legends: list[layer_art.Legend] = []
    for number, layer in enumerate(request.layers):
        part = part_of(progress, number / steps, (number + 1) / steps)
        art: layer_art.Art
        if layer.name is LayerName.VESSELS:
            found = services.vessels(image, None, request.settings.device, part)
            art, legend = (
                layer_art.vessel_lines(found.probability, found.threshold, mask),
                layer_art.VESSEL_LEGEND,
            )
        elif layer.name is LayerName.SALIENCY:
            art = layer_art.saliency_art(services.saliency(image, part), mask, *look)
            legend = layer_art.saliency_legend(*look)
        else:
            unsure = _uncertainty(request, enhancer, services, part)
            art, legend = (
                layer_art.uncertainty_veil(unsure.expected_error, mask),
                layer_art.uncertainty_legend(),
            )
        layers.append((art, layer.opacity))
        legends.append(legend)
    layer_art.paint(rgb, layers, enhancer.scale)
    for stamp in stamps_of(legends, mask, enhancer.scale, export.ai_text(enhancer)):
        stamp.onto(rgb)


def _uncertainty(
    request: ExportRequest, enhancer: Enhancer, services: Services, progress: Progress
) -> UncertaintyMap:
    """The error to be expected of the result of a fitted enhancer."""
    other = None
    if enhancer.fidelity is not None and enhancer.fidelity < 1:
        bound = services.make_enhancer(replace(request.settings, fidelity=1.0))
        other = bound.fitted_to(request.image.unit_rgb())
    return services.uncertainty(request.image, enhancer, other, request.image.bounds, progress)


def beside_original(
    request: ExportRequest, enhancer: Enhancer, rgb: layer_art.Bytes
) -> layer_art.Bytes:
    """The photograph, interpolated to the result's size, left of the result; both labelled."""
    image, learned = request.image, bool(export.ai_text(enhancer))
    size = (rgb.shape[1], rgb.shape[0])
    original = cv2.resize(image.display_rgb, size, interpolation=cv2.INTER_CUBIC)
    made = f"{enhancer.method} ({enhancer.model})" if enhancer.model else enhancer.method
    if enhancer.fidelity is not None:
        made += f", fidelity {enhancer.fidelity * 100:.0f} %"
    titles = (
        Title(f"ORIGINAL {image.width} × {image.height}, interpolated ×{enhancer.scale}"),
        Title(f"{'AI' if learned else 'INTERPOLATED'} ×{enhancer.scale} · {made}", marked=learned),
    )
    note = AI_STATEMENT if learned else ""
    return beside(np.asarray(original, np.uint8), rgb, titles, note)
