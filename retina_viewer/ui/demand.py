"""What the panes need computed, and what their labels need to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.stage import Stage
from retina_viewer.ui.canvas.tiles import Wanted
from retina_viewer.ui.compose import Facts, recipe_for
from retina_viewer.ui.resolved_view import ResolvedView

if TYPE_CHECKING:
    from retina_viewer.ui.viewer import Viewer


class Demand:
    """Reads the viewer and the panes' sizes; changes nothing."""

    def __init__(self, viewer: Viewer, stage: Stage) -> None:
        self._viewer = viewer
        self._stage = stage

    def main(self, view: ResolvedView) -> Wanted | None:
        """The tiles of the main pane; None where nothing is to be computed."""
        return self._wanted(view, view.main, self._stage.result)

    def loupe(self, view: ResolvedView) -> Wanted | None:
        return self._wanted(view, view.loupe, self._stage.loupe_result)

    def facts(self, view: ResolvedView) -> Facts:
        viewer, pane = self._viewer, self._stage.loupe_result
        main, loupe = self.main(view), self.loupe(view)
        ratio = pane.devicePixelRatioF()
        return Facts(
            photo=viewer.photo.key if viewer.photo else "",
            um_per_px=viewer.photo.image.um_per_px if viewer.photo else None,
            device=viewer.device,
            tone=viewer.shown_tone,
            method_title=viewer.method.title,
            learned=viewer.method.learned,
            can_enhance=viewer.can_enhance,
            main_sharp=viewer.tiles.sharp(main) if main else 0.0,
            loupe_sharp=viewer.tiles.sharp(loupe) if loupe else 0.0,
            loupe_size=(pane.width() * ratio, pane.height() * ratio),
            ruler=viewer.ruler,
        )

    def _wanted(self, view: ResolvedView, camera: Camera, pane: Pane) -> Wanted | None:
        viewer = self._viewer
        if viewer.photo is None:
            return None
        facts = Facts(viewer.photo.key, device=viewer.device, can_enhance=viewer.can_enhance)
        recipe = recipe_for(view, facts, camera)
        if recipe is None:
            return None
        ratio = pane.devicePixelRatioF()
        region = camera.visible(pane.width() * ratio, pane.height() * ratio, view.image)
        return Wanted(recipe, region, camera.x, camera.y) if region.area else None
