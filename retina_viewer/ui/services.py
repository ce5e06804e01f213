"""The verbs of the program that the window calls, in one replaceable bundle.

They are the same functions that the command line calls. Tests put slower or failing ones in their
place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.colour import to_srgb
from retina_viewer.imaging.decoded import Pixels
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.imaging.readers import images_in, open_image, thumbnail
from retina_viewer.networks.devices import Device, available_devices
from retina_viewer.saliency.layer import export_saliency, saliency_layer
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.superres.export import export_enhanced
from retina_viewer.superres.methods import (
    default_method,
    default_network,
    make_enhancer,
    methods_on_offer,
    models_of,
    weights_behind,
)
from retina_viewer.superres.uncertainty import UncertaintyMap, export_uncertainty, uncertainty_map
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo
from retina_viewer.vessels.segment import VesselMap, export_vessels, segment_vessels


@dataclass(frozen=True)
class Services:
    """See the functions of the same names for what they take and give."""

    open_image: Callable[[Path, int], FundusImage]
    """(path, page)"""
    images_in: Callable[[Path], Sequence[Path]]
    thumbnail: Callable[[Path, int], NDArray[np.uint8]]
    catalogue: Callable[[], Catalogue]
    """The methods and networks that are installed."""
    make_enhancer: Callable[[EnhanceSettings], Enhancer]
    devices: Callable[[], Sequence[Device]]
    saliency: Callable[[FundusImage, Progress], NDArray[np.float32]]
    vessels: Callable[[FundusImage, str | None, str, Progress], VesselMap]
    """(image, model or None for the default, device, progress)"""
    uncertainty: Callable[[FundusImage, Enhancer, Enhancer | None, Rect, Progress], UncertaintyMap]
    """(image, fitted enhancer, the same at fidelity 1 where it is not, region, progress)"""
    export: Callable[[FundusImage, Enhancer, Path, bool, Progress], Any]
    """(image, enhancer, path, whether a corner carries the AI mark, progress)"""
    export_saliency: Callable[[FundusImage, NDArray[np.float32], Path, Path], Any]
    export_vessels: Callable[[FundusImage, VesselMap, Path, Path], Any]
    export_uncertainty: Callable[[FundusImage, Enhancer, UncertaintyMap, Path, Path], Any]
    """(image, fitted enhancer, its map, map's path, overlay's path)"""
    to_screen: Callable[[Pixels, FundusImage], NDArray[np.uint8]]
    """A result in the photograph's colour space as sRGB."""


def project_services() -> Services:
    """The program's own verbs."""
    return Services(
        open_image=open_image,
        images_in=images_in,
        thumbnail=thumbnail,
        catalogue=lambda: Catalogue(methods_on_offer(), default_method(), _networks),
        make_enhancer=make_enhancer,
        devices=available_devices,
        saliency=lambda image, progress: saliency_layer(image, progress=progress),
        vessels=lambda image, model, device, progress: segment_vessels(
            image, model=model, device=device, progress=progress
        ),
        uncertainty=lambda image, enhancer, other, region, progress: uncertainty_map(
            image, enhancer, region, other=other, progress=progress
        ),
        export=lambda image, enhancer, path, mark, progress: export_enhanced(
            image, enhancer, path, mark=mark, progress=progress
        ),
        export_saliency=lambda image, values, path, overlay: export_saliency(
            image, values, path, overlay, device="cpu"
        ),
        export_vessels=export_vessels,
        export_uncertainty=export_uncertainty,
        to_screen=lambda pixels, image: to_srgb(pixels, image.icc_profile),
    )


def _networks(method: str) -> Sequence[NetworkInfo]:
    """The installed networks of a method, its default first."""
    default = default_network(method)
    first = "" if default is None else default.name
    return [
        NetworkInfo(card.name, card.title, card.twin, card.fidelity, weights_behind(card))
        for card in sorted(models_of(method), key=lambda card: (card.name != first, card.name))
    ]
