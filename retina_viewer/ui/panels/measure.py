"""Inspector: distances, always in pixels of the photograph."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from retina_viewer.ui.canvas.decorations import length_label
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.viewer import Viewer
from retina_viewer.ui.widgets.fields import dim_label, panel_column, value_label


class MeasurePanel(QWidget):
    """The ruler."""

    toggled = Signal(bool)
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._reading = value_label()
        self._button = QPushButton("Measure")
        self._button.setToolTip("Draw a line on the photograph (M)")
        self._button.setCheckable(True)
        self._button.toggled.connect(self.toggled)
        self._clear = QPushButton("Clear")
        self._clear.clicked.connect(self.cleared)
        row = QHBoxLayout()
        for button in (self._button, self._clear):
            button.setMinimumHeight(HIT_TARGET)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        column = panel_column(self)
        column.addLayout(row)
        column.addWidget(self._reading)

        self._hint = dim_label("Drag on the photograph to measure a straight distance.")
        column.addWidget(self._hint)

    def show_viewer(self, viewer: Viewer) -> None:
        view, photo = viewer.view, viewer.photo
        self._button.blockSignals(True)
        self._button.setChecked(view.measuring)
        self._button.blockSignals(False)
        self._button.setEnabled(view.has_image)
        self._clear.setEnabled(viewer.ruler is not None)
        self._hint.setVisible(view.measuring and viewer.ruler is None)
        self._reading.setVisible(viewer.ruler is not None)
        if viewer.ruler is not None:
            um = photo.image.um_per_px if photo else None
            self._reading.setText(length_label(viewer.ruler, um))
