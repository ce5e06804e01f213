"""Inspector: how the picture is shown."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.view.state import Tone
from retina_viewer.ui.view.view import Viewer
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_column, panel_form
from retina_viewer.ui.widgets.segments import Segments

LOUPE_ZOOMS = (4, 8, 16, 32)
THEMES = {"dark": "Dark", "light": "Light", "system": "As the system"}


class ViewPanel(QWidget):
    """Tone, loupe and theme."""

    tone_chosen = Signal(object)
    smooth_toggled = Signal(bool)
    overview_toggled = Signal(bool)
    loupe_toggled = Signal(bool)
    loupe_zoom_chosen = Signal(object)
    theme_chosen = Signal(str)

    def __init__(self, theme: str) -> None:
        super().__init__()
        self._tones = Segments(
            [
                (Tone.COLOUR, "Colour", "As photographed (R)"),
                (Tone.RED_FREE, "Red-free", "The green channel (G)"),
                (Tone.CLAHE, "CLAHE", "Local contrast, the same curves on both sides (H)"),
            ],
            "Tone",
        )
        self._tones.chosen.connect(self.tone_chosen)
        self._zooms = Segments(
            [(zoom, f"×{zoom}", f"{zoom} screen pixels per pixel") for zoom in LOUPE_ZOOMS],
            "Loupe",
        )
        self._zooms.chosen.connect(self.loupe_zoom_chosen)
        self._smooth = Switch("Smooth the original when enlarged")
        self._smooth.toggled.connect(self.smooth_toggled)
        self._loupe = Switch("Loupe beside the panes")
        self._loupe.toggled.connect(self.loupe_toggled)
        self._overview = Switch("Overview in the corner")
        self._overview.toggled.connect(self.overview_toggled)
        self._theme = Chooser("Theme")
        self._theme.addItems(list(THEMES.values()))
        self._theme.setCurrentIndex(list(THEMES).index(theme))
        self._theme.activated.connect(lambda row: self.theme_chosen.emit(list(THEMES)[row]))
        form = panel_form()
        form.addRow(dim_label("Loupe"), self._zooms)
        form.addRow(dim_label("Theme"), self._theme)
        column = panel_column(self)
        column.addWidget(self._tones)
        column.addLayout(form)
        column.addWidget(self._loupe)
        column.addWidget(self._smooth)
        column.addWidget(self._overview)

    def show_viewer(self, viewer: Viewer) -> None:
        state = viewer.state
        self._tones.set_value(state.tone)
        self._zooms.set_value(state.loupe_zoom)
        for box, value in (
            (self._loupe, state.loupe_shown),
            (self._smooth, state.smooth),
            (self._overview, state.overview),
        ):
            box.blockSignals(True)
            box.setChecked(value)
            box.blockSignals(False)
