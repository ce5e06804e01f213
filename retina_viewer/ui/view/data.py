"""What is there: the data that a picture is resolved from, beside what the person wants. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from retina_viewer.core.geometry import Rect
from retina_viewer.imaging.field_of_view import FieldOfView
from retina_viewer.imaging.fundus_image import FundusImage
from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.canvas.scene import Point
from retina_viewer.ui.canvas.tile_requests import TileCache, TileRequest
from retina_viewer.ui.catalogue import Catalogue
from retina_viewer.ui.view.state import MAX_ZOOM

if TYPE_CHECKING:
    from retina_viewer.ui.canvas.photo import Photo, TonedPhoto
    from retina_viewer.ui.view.layer_store import Layers
    from retina_viewer.ui.view.uncertainty_loader import Uncertainty

FIT_MARGIN = 0.01
"""Around the field of view, as a part of its longer side."""
MIN_SHOWN = 0.5
"""The smallest zoom, as a part of the one that shows the whole photograph."""


@dataclass(frozen=True)
class HeldReference:
    """What results are compared with: tiles of the same grid as theirs."""

    request: TileRequest
    tiles: TileCache


@dataclass(frozen=True)
class ViewData:
    """What is there. The stores that are looked up in here only grow; they are asked, not changed.

    Attributes:
        toned: the photograph as it is drawn: in the tone before until the chosen one is ready.
        field_of_view: where the retina is; None until that is known.
        salient: where there is most to see, in source pixels; None until that is known.
        stage: its size in logical pixels; ``ratio``: device pixels in each.
        failed: settings with which no result can be made.
        finished: by place, the settings whose result was last finished in view: its tiles are
            placeholders for those of similar settings.
        layers: of this photograph.
        broken_models: for vessels, that cannot work.
        again: whether the person wants to see an enlargement enlarged again.
        reference: shown instead of the original while that is held.
        is_paused: whether the person has stopped the tiles.
    """

    catalogue: Catalogue
    tiles: TileCache
    photo: Photo | None = None
    toned: TonedPhoto | None = None
    field_of_view: FieldOfView | None = None
    salient: Point | None = None
    stage: tuple[int, int] = (1, 1)
    ratio: float = 1.0
    device: str = "auto"
    failed: frozenset[EnhanceSettings] = frozenset()
    finished: Mapping[int, EnhanceSettings] = field(default_factory=dict)
    layers: Layers | None = None
    uncertainty: Uncertainty | None = None
    broken_models: frozenset[str] = frozenset()
    again: bool = False
    reference: HeldReference | None = None
    is_paused: bool = False

    @property
    def image(self) -> FundusImage | None:
        return self.photo.image if self.photo else None

    @property
    def bounds(self) -> Rect:
        return self.photo.bounds if self.photo else Rect(0, 0, 0, 0)

    @property
    def needs_yes(self) -> bool:
        """Whether the image is an enlargement, which is not enlarged again unasked."""
        return self.image is not None and self.image.is_enlarged and not self.again

    @property
    def remark(self) -> str:
        """What is to be known of the photograph before one looks at it; empty where nothing is."""
        remarks = self.image.remarks if self.image else ()
        doubt = self.field_of_view.doubt if self.field_of_view else ""
        return " ".join((*remarks, doubt)).strip()


def fit_field(data: ViewData) -> Rect:
    """What "fit" shows whole: the field of view with a small margin, or the whole photograph
    where none is known or it is doubted."""
    found, image = data.field_of_view, data.bounds
    if found is None or found.doubt or found.is_empty or found.is_whole_image:
        return image
    return _around(found, image)


@lru_cache(maxsize=4)
def _around(found: FieldOfView, image: Rect) -> Rect:
    step = 1 + max(image.width, image.height) // 2000  # exact enough beside the margin
    mask = found.mask[::step, ::step]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return image
    (left, right), (top, bottom) = (
        (int(places[0]) * step, (int(places[-1]) + 1) * step) for places in (columns, rows)
    )
    margin = round(FIT_MARGIN * max(right - left, bottom - top))
    return Rect(left, top, right - left, bottom - top).expanded(margin).intersected(image)


def zoom_limits(data: ViewData) -> tuple[float, float]:
    """The smallest and the largest zoom."""
    width, height = (side * data.ratio for side in data.stage)
    image = data.bounds
    whole = min(width / max(image.width, 1), height / max(image.height, 1), 1.0)
    return whole / 2 * MIN_SHOWN, MAX_ZOOM
