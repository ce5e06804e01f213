"""What the toolbar and the status bar say of the view, the work and the place under the cursor."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject

from retina_viewer.ui.interaction import Interaction
from retina_viewer.ui.library import Library, Status
from retina_viewer.ui.panels.statusbar import StatusBar
from retina_viewer.ui.panels.toolbar import Toolbar
from retina_viewer.ui.view.state import LayerName
from retina_viewer.ui.view.view import Viewer


class Readouts(QObject):
    """Keeps both rows up to the viewer."""

    def __init__(
        self,
        viewer: Viewer,
        interaction: Interaction,
        library: Library,
        toolbar: Toolbar,
        statusbar: StatusBar,
    ) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self._library = library
        self._toolbar = toolbar
        self._statusbar = statusbar
        self._interaction = interaction
        self._chosen: object = None
        viewer.changed.connect(self._view_changed)
        viewer.sharpened.connect(self._sharpened)
        viewer.tiles.finished.connect(lambda waited: statusbar.show_time(f"waited {waited:.1f} s"))
        viewer.layers_changed.connect(self._show_place)
        viewer.layers_changed.connect(self._sharpened)
        interaction.hovered.connect(self._show_place)
        interaction.left.connect(self._show_place)
        toolbar.show_view(viewer.view, viewer.method.scales)

    def _view_changed(self, old: object, new: object) -> None:
        view, chosen = self._viewer.view, (self._viewer.photo, self._viewer.making)
        if chosen != self._chosen:
            # How long something took is not said of something else.
            self._chosen = chosen
            self._statusbar.show_time("")
        self._toolbar.show_view(view, self._viewer.method.scales)
        self._statusbar.show_zoom(view.main.zoom if view.has_image else None)
        self._statusbar.show_distance(distance_text(self._viewer))
        self._show_place()
        self._sharpened()

    def _sharpened(self) -> None:
        viewer = self._viewer
        sharp, recipe = viewer.sharp, viewer.result_recipe
        busy = sharp < 1 and not viewer.tiles.is_paused and viewer.can_enhance
        guesses = viewer.guesses.summary
        if not busy and guesses is not None and guesses.share < 1 and not guesses.stopped:
            self._statusbar.show_tiles(f"guesses {int(guesses.share * 100)} %", guesses.share)
        else:
            self._statusbar.show_tiles(f"tiles {int(sharp * 100)} %" if busy else "", sharp)
        if sharp < 1 or recipe is None or not viewer.method.learned:
            return
        if viewer.photo is not None and viewer.photo.image.path:
            self._library.mark(viewer.photo.image.path, Status.ENHANCED)

    def _show_place(self) -> None:
        """What is under the cursor now; without one, the loupe's place is the one to name."""
        loupe = self._viewer.view.loupe
        x, y = self._interaction.under_cursor or (loupe.x, loupe.y)
        photo = self._viewer.photo
        rgb = photo.colour_at(x, y) if photo is not None else None
        self._statusbar.show_cursor(x, y, rgb)
        self._statusbar.show_layers(layers_text(self._viewer, x, y) if rgb else "")


def layers_text(viewer: Viewer, x: float, y: float) -> str:
    """What the layers that are on say of a place in the photograph (source pixels)."""
    parts, layers = [], viewer.layers.current
    place = int(y), int(x)
    if LayerName.SALIENCY in viewer.view.layers_on and layers.saliency is not None:
        parts.append(f"saliency {layers.saliency[place]:.2f}")
    if viewer.guesses.art is not None:
        error = viewer.guesses.value_at(x, y)
        known = "not computed here" if error is None else f"{error:.1f}"
        parts.append(f"expected error {known}")
    return "   ".join(parts)


def distance_text(viewer: Viewer) -> str:
    """The ruler's length, or else the width of what the main pane shows, in nominal millimetres.

    Empty where the file gives no pixel size. Nominal: the size of a pixel on the retina depends on
    the eye, which the camera has not measured.
    """
    photo, ruler = viewer.photo, viewer.ruler
    um = photo.image.um_per_px if photo is not None else None
    if photo is None or um is None:
        return ""
    if ruler is not None:
        length = math.hypot(ruler[2] - ruler[0], ruler[3] - ruler[1])
        return f"ruler {length * um / 1000:.2f} mm nominal"
    width = min(viewer.state.pane_width / viewer.view.main.zoom, photo.bounds.width)
    return f"view {width * um / 1000:.2f} mm nominal"
