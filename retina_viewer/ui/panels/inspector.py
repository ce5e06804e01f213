"""The column on the right: one section a panel."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.panels.appearance import ViewPanel
from retina_viewer.ui.panels.enhance import EnhancePanel
from retina_viewer.ui.panels.information import InformationPanel
from retina_viewer.ui.panels.layers import LayersPanel
from retina_viewer.ui.panels.measure import MeasurePanel
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.picture import Picture
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.section import Section

WIDTH = 300


class Inspector(QScrollArea):
    """Enhance, layers, view, measure, information."""

    def __init__(self, view: View, controller: Controller, jobs: Jobs, theme: str) -> None:
        super().__init__()
        self.setObjectName("inspectorScroll")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.enhance = EnhancePanel(view, controller)
        self.layers = LayersPanel(view, controller)
        self.view_panel = ViewPanel(view, theme)
        self.measure = MeasurePanel(view, controller, jobs)
        self.information = InformationPanel(view)
        self.sections = {
            "Enhance": Section("Enhance", self.enhance),
            "Layers": Section("Layers", self.layers),
            "View": Section("View", self.view_panel),
            "Measure": Section("Measure", self.measure, is_open=False),
            "Information": Section("Information", self.information, is_open=False),
        }
        body = QWidget()
        body.setObjectName("inspectorBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        for section in self.sections.values():
            column.addWidget(section)
        column.addStretch(1)
        self.setWidget(body)
        self.measure.grown.connect(lambda: self._unfold("Measure"))
        view.changed.connect(self._show_view)

    def use_icons(self, icons: Icons) -> None:
        for section in self.sections.values():
            section.use_icons(icons)
        self.enhance.use_icons(icons)
        self.measure.use_icons(icons)

    def _show_view(self, old: Picture, new: Picture) -> None:
        if new.measuring and not old.measuring:
            self._unfold("Measure")

    def toggle_information(self) -> None:
        """Unfold the information and bring it into view, or fold it."""
        section = self.sections["Information"]
        if self.isVisible() and section.heading.isChecked():
            section.set_open(False)
        else:
            self._unfold("Information")

    def _unfold(self, title: str) -> None:
        section = self.sections[title]
        self.show()
        section.set_open(True)
        # Its place is known when the column has been laid out.
        QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(section, 0, 0))
