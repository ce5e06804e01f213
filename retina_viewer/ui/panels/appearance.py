"""Inspector: how the picture is shown."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.canvas.scene import Tone
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_column, panel_form
from retina_viewer.ui.widgets.segments import Segments

LOUPE_ZOOMS = (4, 8, 16, 32)
ARRANGEMENTS = {
    Arrangement.AUTO: "Automatic",
    Arrangement.COLUMNS: "Beside each other",
    Arrangement.ROWS: "Above each other",
    Arrangement.GRID: "In a grid",
    Arrangement.SLIDER: "In one, with a slider",
}
THEMES = {"dark": "Dark", "light": "Light", "system": "As the system"}


class ViewPanel(QWidget):
    """Tone, loupe and theme."""

    tone_chosen = Signal(object)
    smooth_toggled = Signal(bool)
    overview_toggled = Signal(bool)
    arrangement_chosen = Signal(object)
    original_toggled = Signal(bool)
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
        self._arrangements = Chooser("How the panes are arranged")
        for arrangement, text in ARRANGEMENTS.items():
            self._arrangements.addItem(text, arrangement)
        self._arrangements.activated.connect(
            lambda: self.arrangement_chosen.emit(self._arrangements.currentData())
        )
        self._original = Switch("Original beside the results")
        self._original.toggled.connect(self.original_toggled)
        self._loupe = Switch("Loupe beside the panes")
        self._loupe.toggled.connect(self.loupe_toggled)
        self._overview = Switch("Overview in the corner")
        self._overview.toggled.connect(self.overview_toggled)
        self._theme = Chooser("Theme")
        self._theme.addItems(list(THEMES.values()))
        self._theme.setCurrentIndex(list(THEMES).index(theme))
        self._theme.activated.connect(lambda row: self.theme_chosen.emit(list(THEMES)[row]))
        form = panel_form()
        form.addRow(dim_label("Panes"), self._arrangements)
        form.addRow(dim_label("Loupe"), self._zooms)
        form.addRow(dim_label("Theme"), self._theme)
        column = panel_column(self)
        column.addWidget(self._tones)
        column.addLayout(form)
        column.addWidget(self._original)
        column.addWidget(self._loupe)
        column.addWidget(self._smooth)
        column.addWidget(self._overview)

    def show_view(self, view: View) -> None:
        state = view.state
        self._tones.set_value(state.tone)
        self._arrangements.setCurrentIndex(list(ARRANGEMENTS).index(state.arrangement))
        self._original.setVisible(len(state.results) > 1)
        if state.loupe_zoom in LOUPE_ZOOMS:
            self._zooms.set_value(state.loupe_zoom)
        else:
            self._zooms.clear()
        for box, value in (
            (self._original, state.original_shown),
            (self._loupe, state.loupe_shown),
            (self._smooth, state.smooth),
            (self._overview, state.overview),
        ):
            box.blockSignals(True)
            box.setChecked(value)
            box.blockSignals(False)
