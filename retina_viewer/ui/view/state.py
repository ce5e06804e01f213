"""What the person asked to see. No Qt.

Events change a :class:`ViewState`; the pure :func:`~retina_viewer.ui.view.resolve.resolve` makes a
frozen :class:`~retina_viewer.ui.view.picture.Picture` of it and of what is there.
"""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field, field_validator

from retina_viewer.imaging.layer_art import (
    SALIENCY_OPACITY,
    UNCERTAINTY_OPACITY,
    VESSEL_OPACITY,
    SaliencyStyle,
)
from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.canvas.scene import Camera, LayerName, Line, Point, Tone
from retina_viewer.ui.catalogue import ResultChoice
from retina_viewer.ui.view.arrange import Arrangement, Shares

WHEEL_FACTOR = 1.2
MAX_ZOOM = 64.0
MOST_RESULTS = 4
ORIGINAL = 0
"""The original's place; the results have 1, 2 and so on."""


class LayerState(BaseModel):
    """One layer as the person set it."""

    model_config = ConfigDict(validate_assignment=True)

    on: bool = False
    opacity: float = Field(default=SALIENCY_OPACITY, ge=0.0, le=1.0)


class ViewState(BaseModel):
    """The person's intent; every assignment is validated."""

    model_config = ConfigDict(validate_assignment=True)

    results: tuple[ResultChoice, ...] = Field(
        default=(ResultChoice(),), min_length=1, max_length=MOST_RESULTS
    )
    active: int = Field(default=0, ge=0)
    """Of the results: the one that the panels' choices are for."""
    scale: Scale = 4
    arrangement: Arrangement = Arrangement.AUTO
    shares: Shares = Shares()
    original_shown: bool = True
    """Beside the results; always where nothing else is shown."""
    alone: int | None = Field(default=None, ge=0)
    """The place of the only cell that is shown; None for all."""
    feet: int = Field(default=0, ge=0)
    """The height of what stands under every cell, in logical pixels."""
    camera: Camera | None = None
    """None: as large as the field of view can be shown whole."""
    loupe_at: Point | None = None
    """None: where there is most to see."""
    loupe_locked: bool = False
    loupe_shown: bool = True
    loupe_zoom: float = Field(default=8.0, ge=1.0, le=MAX_ZOOM)
    divider: float = Field(default=0.5, ge=0.0, le=1.0)
    """Of the slider."""
    tone: Tone = Tone.COLOUR
    saliency: LayerState = Field(default_factory=LayerState)
    vessels: LayerState = Field(default_factory=lambda: LayerState(opacity=VESSEL_OPACITY))
    uncertainty: LayerState = Field(default_factory=lambda: LayerState(opacity=UNCERTAINTY_OPACITY))
    colour_map: str = "inferno"
    saliency_style: SaliencyStyle = SaliencyStyle.COLOURS
    smooth: bool = True
    overview: bool = True
    layers_hidden: bool = False
    """As long as a key is held."""
    original_held: bool = False
    """Whether every cell shows the original, as long as a key is held."""
    measuring: bool = False
    ruler: Line | None = None
    pointer: tuple[int, Point] | None = None
    """The cell under the cursor and the source point there."""

    @field_validator("camera")
    @classmethod
    def _is_possible(cls, camera: Camera | None) -> Camera | None:
        if camera is not None and not (
            0 < camera.zoom <= MAX_ZOOM and math.isfinite(camera.x) and math.isfinite(camera.y)
        ):
            raise ValueError(f"no place to look at: {camera}")
        return camera

    @property
    def result(self) -> ResultChoice:
        """The active one."""
        return self.results[min(self.active, len(self.results) - 1)]

    def choose(self, **changes: object) -> None:
        """Change the active result's method, model, fidelity or back-projection."""
        active = min(self.active, len(self.results) - 1)
        changed = self.result.changed(**changes)
        self.results = (*self.results[:active], changed, *self.results[active + 1 :])

    def layer(self, name: LayerName) -> LayerState:
        match name:
            case LayerName.SALIENCY:
                return self.saliency
            case LayerName.VESSELS:
                return self.vessels
            case LayerName.UNCERTAINTY:
                return self.uncertainty

    def begin_photo(self) -> None:
        """Look at another photograph: whole, the loupe free, nothing measured."""
        self.camera = self.loupe_at = self.ruler = self.pointer = None
        self.loupe_locked = False
