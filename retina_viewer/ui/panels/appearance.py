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
SWITCHES = {
    "original_shown": "Original beside the results",
    "loupe_shown": "Loupe beside the panes",
    "smooth": "Smooth the original when enlarged",
    "overview": "Overview in the corner",
}
"""By the fields of the view's state that they set."""
THEMES = {"dark": "Dark", "light": "Light", "system": "As the system"}


class ViewPanel(QWidget):
    """Arrangement, tone, loupe and theme."""

    theme_chosen = Signal(str)

    def __init__(self, view: View, theme: str) -> None:
        super().__init__()
        self._view = view
        self._tones = Segments(
            [
                (Tone.COLOUR, "Colour", "As photographed (R)"),
                (Tone.RED_FREE, "Red-free", "The green channel (G)"),
                (Tone.CLAHE, "CLAHE", "Local contrast, the same curves on both sides (H)"),
            ],
            "Tone",
        )
        self._tones.chosen.connect(lambda tone: view.change(tone=tone))
        self._zooms = Segments(
            [(zoom, f"×{zoom}", f"{zoom} screen pixels per pixel") for zoom in LOUPE_ZOOMS],
            "Loupe",
        )
        self._zooms.chosen.connect(lambda zoom: view.change(loupe_zoom=zoom))
        self._arrangements = Chooser("How the panes are arranged")
        for arrangement, text in ARRANGEMENTS.items():
            self._arrangements.addItem(text, arrangement)
        self._arrangements.activated.connect(
            lambda: view.change(arrangement=self._arrangements.currentData())
        )
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
        self._switches = {field: Switch(text) for field, text in SWITCHES.items()}
        for field, switch in self._switches.items():
            switch.toggled.connect(lambda on, field=field: view.change(**{field: on}))
            column.addWidget(switch)
        view.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._view.state
        self._tones.set_value(state.tone)
        self._arrangements.setCurrentIndex(list(ARRANGEMENTS).index(state.arrangement))
        self._zooms.set_value(state.loupe_zoom)
        for field, switch in self._switches.items():
            switch.show_on(getattr(state, field))
        self._switches["original_shown"].setVisible(len(state.results) > 1)
