"""Brings the panes and the picture that they paint up to a view."""

from __future__ import annotations

from retina_viewer.ui.canvas.pyramid import Pyramid
from retina_viewer.ui.canvas.scene import Picture
from retina_viewer.ui.canvas.stage import Stage
from retina_viewer.ui.compose import compose
from retina_viewer.ui.demand import Demand
from retina_viewer.ui.layer_store import Layers
from retina_viewer.ui.making import Making
from retina_viewer.ui.resolved_view import ResolvedView


class Display:
    """Decides nothing: the viewer says what to show."""

    def __init__(self, stage: Stage, picture: Picture, demand: Demand) -> None:
        self._stage = stage
        self._picture = picture
        self._demand = demand

    def take_original(self, pyramid: Pyramid | None) -> None:
        self._picture.original = pyramid

    def take_layers(self, layers: Layers, making: Making) -> None:
        """The layers of a photograph, and of this one of its results."""
        self._picture.saliency = layers.saliency_art
        self._picture.vessels = layers.vessel_art
        self._picture.consistency = layers.guess_art(making)

    def show(self, view: ResolvedView) -> None:
        """Give the panes their scenes; they repaint where these differ."""
        for pane in self._stage.panes:
            pane.measuring = view.measuring
        scenes = compose(view, self._demand.facts(view))
        self._stage.original.show_scene(scenes.original)
        self._stage.result.show_scene(scenes.result)
        self._stage.loupe_original.show_scene(scenes.loupe_original)
        self._stage.loupe_result.show_scene(scenes.loupe_result)

    def repaint_results(self, view: ResolvedView) -> None:
        """Pixels have changed under the same scenes."""
        self.show(view)
        self._stage.result.update()
        self._stage.loupe_result.update()
