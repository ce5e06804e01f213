"""The verbs of the program that the window calls, in one replaceable bundle.

They are the same functions that the command line calls. Tests put slower or failing ones in their
place. Imports happen on the first call, in a worker thread where possible: the window is on the
screen before torch's kernels are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from retina_viewer.core.geometry import Rect
from retina_viewer.core.progress import Progress
from retina_viewer.imaging.decoded import Pixels
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.superres.enhancer import Enhancer
from retina_viewer.ui.catalogue import Catalogue, NetworkInfo

if TYPE_CHECKING:
    from retina_viewer.superres.uncertainty import UncertaintyMap
    from retina_viewer.vessels.segment import VesselMap


class DeviceInfo(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


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
    devices: Callable[[], Sequence[DeviceInfo]]
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


def _open_image(path: Path, page: int) -> FundusImage:
    from retina_viewer.imaging.readers import open_image

    return open_image(path, page)


def _images_in(folder: Path) -> Sequence[Path]:
    from retina_viewer.imaging.readers import images_in

    return images_in(folder)


def _thumbnail(path: Path, side: int) -> NDArray[np.uint8]:
    from retina_viewer.imaging.readers import thumbnail

    return thumbnail(path, side)


def _catalogue() -> Catalogue:
    from retina_viewer.superres.methods import default_method, methods_on_offer

    return Catalogue(methods_on_offer(), default_method(), _networks)


def _networks(method: str) -> Sequence[NetworkInfo]:
    """The installed networks of a method, its default first."""
    from retina_viewer.superres.methods import default_network, models_of, weights_behind

    default = default_network(method)
    first = "" if default is None else default.name
    fitting = models_of(method)
    fitting.sort(key=lambda card: (card.name != first, card.name))
    return [
        NetworkInfo(card.name, card.title, card.twin, card.fidelity, weights_behind(card))
        for card in fitting
    ]


def _make_enhancer(settings: EnhanceSettings) -> Enhancer:
    from retina_viewer.superres.methods import make_enhancer

    return make_enhancer(settings)


def _devices() -> Sequence[DeviceInfo]:
    from retina_viewer.networks.devices import available_devices

    return available_devices()


def _saliency(image: FundusImage, progress: Progress) -> NDArray[np.float32]:
    from retina_viewer.saliency.layer import saliency_layer

    return saliency_layer(image, progress=progress)


def _vessels(image: FundusImage, model: str | None, device: str, progress: Progress) -> VesselMap:
    from retina_viewer.vessels.segment import segment_vessels

    return segment_vessels(image, model=model, device=device, progress=progress)


def _uncertainty(
    image: FundusImage, enhancer: Enhancer, other: Enhancer | None, region: Rect, progress: Progress
) -> UncertaintyMap:
    from retina_viewer.superres.uncertainty import uncertainty_map

    return uncertainty_map(image, enhancer, region, other=other, progress=progress)


def _export(
    image: FundusImage, enhancer: Enhancer, path: Path, mark: bool, progress: Progress
) -> Any:
    from retina_viewer.superres.export import export_enhanced

    return export_enhanced(image, enhancer, path, mark=mark, progress=progress)


def _export_saliency(
    image: FundusImage, values: NDArray[np.float32], map_path: Path, overlay_path: Path
) -> Any:
    from retina_viewer.saliency.layer import export_saliency

    return export_saliency(image, values, map_path, overlay_path, device="cpu")


def _export_vessels(image: FundusImage, found: VesselMap, mask: Path, probability: Path) -> Any:
    from retina_viewer.vessels.segment import export_vessels

    return export_vessels(image, found, mask, probability)


def _export_uncertainty(
    image: FundusImage, enhancer: Enhancer, found: UncertaintyMap, map_path: Path, overlay: Path
) -> Any:
    from retina_viewer.superres.uncertainty import export_uncertainty

    return export_uncertainty(image, enhancer, found, map_path, overlay)


def _to_screen(pixels: Pixels, image: FundusImage) -> NDArray[np.uint8]:
    from retina_viewer.imaging.colour import to_srgb

    return to_srgb(pixels, image.icc_profile)


def project_services() -> Services:
    """The program's own verbs."""
    return Services(
        open_image=_open_image,
        images_in=_images_in,
        thumbnail=_thumbnail,
        catalogue=_catalogue,
        make_enhancer=_make_enhancer,
        devices=_devices,
        saliency=_saliency,
        vessels=_vessels,
        uncertainty=_uncertainty,
        export=_export,
        export_saliency=_export_saliency,
        export_vessels=_export_vessels,
        export_uncertainty=_export_uncertainty,
        to_screen=_to_screen,
    )
