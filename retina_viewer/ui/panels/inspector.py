"""The column on the right: one section a panel, connected to the controller."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
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

    export_clicked = Signal()
    compare_clicked = Signal()
    theme_chosen = Signal(str)

    def __init__(self, view: View, controller: Controller, jobs: Jobs, theme: str) -> None:
        super().__init__()
        self.setObjectName("inspectorScroll")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._view = view
        self.enhance = EnhancePanel(view.catalogue.methods)
        self.layers = LayersPanel()
        self.view_panel = ViewPanel(theme)
        self.measure = MeasurePanel(view, jobs)
        self.information = InformationPanel()
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
        self._connect_controller(controller)
        self._connect_viewer()

    def _connect_controller(self, controller: Controller) -> None:
        self.enhance.export_clicked.connect(self.export_clicked)
        self.enhance.compare_clicked.connect(self.compare_clicked)
        self.enhance.retry_clicked.connect(self._view.retry)
        self.enhance.method_chosen.connect(controller.set_method)
        self.enhance.network_chosen.connect(controller.set_network)
        self.enhance.fidelity_chosen.connect(controller.set_fidelity)
        self.enhance.back_projection_toggled.connect(controller.set_back_projection)
        self.layers.toggled.connect(controller.set_layer)
        self.layers.opacity_changed.connect(controller.set_opacity)
        self.layers.colour_map_chosen.connect(controller.set_colour_map)
        self.layers.saliency_style_chosen.connect(controller.set_saliency_style)
        self.view_panel.tone_chosen.connect(controller.set_tone)
        self.view_panel.smooth_toggled.connect(controller.set_smooth)
        self.view_panel.overview_toggled.connect(controller.set_overview)
        self.view_panel.loupe_toggled.connect(controller.set_loupe_shown)
        self.view_panel.arrangement_chosen.connect(controller.set_arrangement)
        self.view_panel.original_toggled.connect(controller.set_original_shown)
        self.view_panel.loupe_zoom_chosen.connect(controller.set_loupe_zoom)
        self.view_panel.theme_chosen.connect(self.theme_chosen)
        self.measure.toggled.connect(controller.set_measuring)
        self.measure.grown.connect(lambda: self._unfold("Measure"))
        self.measure.cleared.connect(lambda: self._view.set_ruler(None))

    def _connect_viewer(self) -> None:
        view = self._view
        view.changed.connect(self._show_view)
        view.progressed.connect(self._show_progress)
        view.photo_changed.connect(self.information.show_photo)
        self._show_all()

    def use_icons(self, icons: Icons) -> None:
        for section in self.sections.values():
            section.use_icons(icons)
        self.enhance.use_icons(icons)
        self.measure.use_icons(icons)

    def _show_view(self, old: Picture, new: Picture) -> None:
        self._show_all()
        if new.measuring and not old.measuring:
            self._unfold("Measure")

    def _show_progress(self) -> None:
        self.enhance.show_progress(self._view)
        self.measure.show_profile()
        self.layers.show_results(self._view)
        self.information.show_uncertainty(self._view)

    def _show_all(self) -> None:
        self.enhance.show_view(self._view)
        self.layers.show_view(self._view)
        self.view_panel.show_view(self._view)
        self.measure.show_view()
        self.information.show_uncertainty(self._view)

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
