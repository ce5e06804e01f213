"""What the panes need computed, and what their labels need to know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retina_viewer.superres.enhance_settings import EnhanceSettings
from retina_viewer.ui.camera import Camera
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Art, LayerArt
from retina_viewer.ui.canvas.tiles import PlacedTile, Recipe, Wanted
from retina_viewer.ui.view.picture import ResolvedView
from retina_viewer.ui.view.resolve import Facts, recipe_for
from retina_viewer.ui.view.sight import Sight
from retina_viewer.ui.view.stage import Stage
from retina_viewer.ui.view.state import LayerName, Tone

if TYPE_CHECKING:
    from retina_viewer.ui.view.view import Viewer


class Demand:
    """Reads the viewer and the panes' sizes; changes nothing."""

    def __init__(self, viewer: Viewer, stage: Stage) -> None:
        self._viewer = viewer
        self._stage = stage

    def main(self, view: ResolvedView) -> Wanted | None:
        """The tiles of the main pane; None where nothing is to be computed."""
        return self._wanted(view, view.main, self._stage.result, self._viewer.making)

    def loupe(self, view: ResolvedView) -> Wanted | None:
        return self._wanted(view, view.loupe, self._stage.loupe_result, self._viewer.making)

    def shown_before(self, view: ResolvedView, making: EnhanceSettings) -> list[Wanted]:
        """The tiles that the panes showed of another view and making, the main pane's first."""
        panes = [(view.main, self._stage.result)]
        if view.loupe_shown:
            panes.append((view.loupe, self._stage.loupe_result))
        wanted = [self._wanted(view, camera, pane, making) for camera, pane in panes]
        return [one for one in wanted if one is not None]

    def facts(self, view: ResolvedView) -> Facts:
        viewer, pane, shown = self._viewer, self._stage.loupe_result, self._viewer.shown
        main, loupe = self.main(view), self.loupe(view)
        ratio = pane.devicePixelRatioF()
        return Facts(
            photo=viewer.photo.key if viewer.photo else "",
            image=viewer.photo.image if viewer.photo else None,
            remark=viewer.remark,
            needs_yes=viewer.needs_yes,
            original=shown.pyramid if shown else None,
            tone=shown.tone if shown else None,
            um_per_px=viewer.photo.image.um_per_px if viewer.photo else None,
            making=viewer.making,
            method_title=viewer.method.title,
            learned=viewer.method.learned,
            can_enhance=viewer.can_enhance,
            main_sharp=viewer.tiles.sharp(main) if main else 0.0,
            loupe_sharp=viewer.tiles.sharp(loupe) if loupe else 0.0,
            main_stands_in=self._stands_in(main),
            loupe_stands_in=self._stands_in(loupe),
            main_tiles=self._tiles(main),
            loupe_tiles=self._tiles(loupe),
            layers=self._layers(view),
            loupe_size=(pane.width() * ratio, pane.height() * ratio),
            ruler=viewer.ruler,
        )

    def _stand_in(self, wanted: Wanted | None) -> Wanted | None:
        """What was chosen before, for what is wanted now."""
        stand_in = self._viewer.stand_in.making
        if wanted is None or stand_in is None:
            return None
        making = stand_in.at(wanted.recipe.scale)
        return replace(wanted, recipe=replace(wanted.recipe, making=making))

    def _stands_in(self, wanted: Wanted | None) -> bool:
        """Whether tiles of what was chosen before are there for what is wanted now."""
        before = self._stand_in(wanted)
        return before is not None and self._viewer.tiles.sharp(before) > 0

    def _tiles(self, wanted: Wanted | None) -> tuple[PlacedTile, ...]:
        photo, before = self._viewer.photo, self._stand_in(wanted)
        if photo is None or wanted is None:
            return ()
        stand_in = before.recipe if before else None
        return self._viewer.tiles.cache.in_view(wanted, photo.bounds, stand_in)

    def _layers(self, view: ResolvedView) -> tuple[LayerArt, ...]:
        viewer, found = self._viewer, []
        layers, guesses = viewer.layers.current, viewer.guesses
        for layer in view.layers:
            art: Art | None = layers.art(layer.name)
            note = ""
            if layer.name is LayerName.CONSISTENCY and (summary := guesses.summary) is not None:
                art, note = guesses.art, summary.progress
            if art is not None:
                legend = layers.legend_of(layer.name)
                found.append(LayerArt(layer.name, layer.opacity, art, legend, note))
        return tuple(found)

    def sight(self, view: ResolvedView) -> Sight | None:
        """Where guesses are to be shown; None where they are not, or nothing is guessed."""
        viewer, pane = self._viewer, self._stage.result
        if viewer.photo_to_enlarge is None or viewer.making.model is None:
            return None  # a result that is not made has no detail to be doubted
        if LayerName.CONSISTENCY not in view.layers_on:
            return None
        ratio = pane.devicePixelRatioF()
        region = view.main.visible(pane.width() * ratio, pane.height() * ratio, view.image)
        recipe = Recipe(viewer.photo_to_enlarge.key, viewer.making, Tone.COLOUR)
        return Sight(recipe, view.main, region, view.image) if region.area else None

    def _wanted(
        self, view: ResolvedView, camera: Camera, pane: Pane, making: EnhanceSettings
    ) -> Wanted | None:
        viewer = self._viewer
        if viewer.photo is None:
            return None
        facts = Facts(viewer.photo.key, making=making, can_enhance=viewer.can_enhance)
        recipe = recipe_for(view, facts, camera)
        if recipe is None:
            return None
        ratio = pane.devicePixelRatioF()
        region = camera.visible(pane.width() * ratio, pane.height() * ratio, view.image)
        return Wanted(recipe, region, camera.x, camera.y) if region.area else None
