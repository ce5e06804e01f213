"""The column on the right: one section a panel, connected to the commands."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from retina_viewer.ui.icons import Icons
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.panels.enhance import EnhancePanel
from retina_viewer.ui.panels.information import InformationPanel
from retina_viewer.ui.panels.layers import LayersPanel
from retina_viewer.ui.panels.measure import MeasurePanel
from retina_viewer.ui.panels.view import ViewPanel
from retina_viewer.ui.view.controller import Commands
from retina_viewer.ui.view.picture import ResolvedView
from retina_viewer.ui.view.view import Viewer
from retina_viewer.ui.widgets.section import Section

WIDTH = 300


class Inspector(QScrollArea):
    """Enhance, layers, view, measure, information."""

    export_clicked = Signal()
    compare_clicked = Signal()
    theme_chosen = Signal(str)

    def __init__(self, viewer: Viewer, commands: Commands, jobs: Jobs, theme: str) -> None:
        super().__init__()
        self.setObjectName("inspectorScroll")
        self.setFixedWidth(WIDTH)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._viewer = viewer
        self.enhance = EnhancePanel(viewer.catalogue.methods)
        self.layers = LayersPanel()
        self.view_panel = ViewPanel(theme)
        self.measure = MeasurePanel(viewer, jobs)
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
        self._connect_commands(commands)
        self._connect_viewer()

    def _connect_commands(self, commands: Commands) -> None:
        self.enhance.export_clicked.connect(self.export_clicked)
        self.enhance.compare_clicked.connect(self.compare_clicked)
        self.enhance.retry_clicked.connect(self._viewer.retry)
        self.enhance.method_chosen.connect(commands.set_method)
        self.enhance.network_chosen.connect(commands.set_network)
        self.enhance.fidelity_chosen.connect(commands.set_fidelity)
        self.enhance.back_projection_toggled.connect(commands.set_back_projection)
        self.layers.toggled.connect(commands.set_layer)
        self.layers.opacity_changed.connect(commands.set_opacity)
        self.layers.colour_map_chosen.connect(commands.set_colour_map)
        self.layers.saliency_style_chosen.connect(commands.set_saliency_style)
        self.view_panel.tone_chosen.connect(commands.set_tone)
        self.view_panel.smooth_toggled.connect(commands.set_smooth)
        self.view_panel.overview_toggled.connect(commands.set_overview)
        self.view_panel.loupe_toggled.connect(commands.set_loupe_shown)
        self.view_panel.loupe_zoom_chosen.connect(commands.set_loupe_zoom)
        self.view_panel.theme_chosen.connect(self.theme_chosen)
        self.measure.toggled.connect(commands.set_measuring)
        self.measure.grown.connect(lambda: self._unfold("Measure"))
        self.measure.cleared.connect(lambda: self._viewer.set_ruler(None))

    def _connect_viewer(self) -> None:
        viewer = self._viewer
        viewer.changed.connect(self._show_view)
        viewer.sharpened.connect(lambda: self.enhance.show_progress(viewer))
        viewer.sharpened.connect(self.measure.show_profile)
        viewer.layers_changed.connect(self._show_results)
        viewer.photo_changed.connect(self.information.show_photo)
        self._show_all()

    def use_icons(self, icons: Icons) -> None:
        for section in self.sections.values():
            section.use_icons(icons)
        self.enhance.use_icons(icons)
        self.measure.use_icons(icons)

    def _show_view(self, old: ResolvedView, new: ResolvedView) -> None:
        self._show_all()
        if new.measuring and not old.measuring:
            self._unfold("Measure")

    def _show_results(self) -> None:
        self.layers.show_results(self._viewer)
        self.information.show_guess(self._viewer)

    def _show_all(self) -> None:
        self.enhance.show_viewer(self._viewer)
        self.layers.show_viewer(self._viewer)
        self.view_panel.show_viewer(self._viewer)
        self.measure.show_viewer()
        self.information.show_guess(self._viewer)

    def toggle_information(self) -> None:
        """Unfold the information and bring it into view, or fold it."""
        section = self.sections["Information"]
        if section.heading.isChecked():
            section.set_open(False)
        else:
            self._unfold("Information")

    def _unfold(self, title: str) -> None:
        section = self.sections[title]
        section.set_open(True)
        # Its place is known when the column has been laid out.
        QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(section, 0, 0))
