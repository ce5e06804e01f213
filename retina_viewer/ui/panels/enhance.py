"""Inspector: what makes the result, how far it is, and its export."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.viewer import Viewer
from retina_viewer.ui.widgets.fields import dim_label, panel_column, panel_form, value_label


class EnhancePanel(QWidget):
    """Says in words what one looks at."""

    export_clicked = Signal()
    retry_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._sentence = dim_label()
        self._method = value_label()
        self._size = value_label()
        self._sharp = value_label()
        self._caution = dim_label("AI-enhanced, for research use. Verify on the original.")
        self._resume = QPushButton("Go on")
        self._resume.setMinimumHeight(HIT_TARGET)
        self._resume.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._resume.clicked.connect(self.retry_clicked)
        self._export = QPushButton("Export…")
        self._export.setMinimumHeight(HIT_TARGET)
        self._export.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._export.clicked.connect(self.export_clicked)
        form = panel_form()
        form.addRow(dim_label("Method"), self._method)
        form.addRow(dim_label("Result"), self._size)
        form.addRow(dim_label("In view"), self._sharp)
        column = panel_column(self)
        column.addLayout(form)
        column.addWidget(self._sentence)
        column.addWidget(self._caution)
        column.addWidget(self._resume)
        column.addWidget(self._export)

    def use_icons(self, icons: Icons) -> None:
        self._export.setIconSize(ICON_SIZE)
        self._export.setIcon(icons.icon("export"))

    def show_viewer(self, viewer: Viewer) -> None:
        view, method = viewer.view, viewer.method
        self._method.setText(f"{method.title} ×{view.scale}")
        self._sentence.setText(method.sentence)
        self._caution.setVisible(method.learned)
        self._export.setEnabled(view.has_image)
        width, height = view.image.width * view.scale, view.image.height * view.scale
        self._size.setText(f"{width} × {height} px" if view.has_image else "")
        self.show_progress(viewer)

    def show_progress(self, viewer: Viewer) -> None:
        """The part that changes with every tile."""
        self._sharp.setText(sharpness_text(viewer))
        self._resume.setVisible(
            viewer.view.has_image and (viewer.tiles.is_paused or not viewer.can_enhance)
        )


def sharpness_text(viewer: Viewer) -> str:
    """How far the result in view is, in words."""
    if not viewer.view.has_image:
        return ""
    if not viewer.can_enhance:
        return "failed; the photograph is shown interpolated"
    recipe = viewer.result_recipe
    if recipe is None:
        return "interpolated; zoom in to enhance"
    enough = f"×{recipe.scale} is enough here, " if recipe.scale != viewer.view.scale else ""
    sharp = viewer.sharp
    if sharp < 1:
        stopped = ", stopped" if viewer.tiles.is_paused else ""
        return f"{enough}{int(sharp * 100)} % sharp{stopped}"
    seconds = viewer.tiles.seconds
    return f"{enough}finished, {seconds:.1f} s" if seconds else f"{enough}finished"
