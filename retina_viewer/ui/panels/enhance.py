"""Inspector: what makes the result, how far it is, and its export."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from retina_viewer.imaging.degradation import Degradation
from retina_viewer.ui.catalogue import NetworkInfo, labels
from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fidelity import FidelitySlider
from retina_viewer.ui.widgets.fields import dim_label, panel_column, panel_form, value_label
from retina_viewer.ui.widgets.method_chooser import MethodChooser

NO_NETWORK = "Interpolation invents nothing: there is nothing to balance."
NO_TWIN = "This network was trained for fidelity alone."
TRUE_TIP = (
    "What contradicts the photograph is taken back: the result, shrunk again, is the photograph (B)"
)


class EnhancePanel(QWidget):
    """What makes the result, and in words what one looks at."""

    export_clicked = Signal()
    compare_clicked = Signal()

    def __init__(self, view: View, controller: Controller) -> None:
        super().__init__()
        self._view = view
        self.method = MethodChooser(view.catalogue.methods)
        self.method.chosen.connect(controller.set_method)
        self.network = Chooser("Network")
        self.network.activated.connect(
            lambda row: controller.choose(model=self.network.itemData(row))
        )
        self._networks: tuple[NetworkInfo, ...] = ()
        self.fidelity = FidelitySlider()
        self.fidelity.chosen.connect(controller.set_fidelity)
        self.back_projection = Switch("Keep true to the photograph")
        self.back_projection.setToolTip(TRUE_TIP)
        self.back_projection.toggled.connect(lambda on: controller.choose(back_projection=on))
        self.degradation = dim_label()
        self.degradation.setToolTip("Estimated from the photograph; the network is told both.")
        self._sentence = dim_label()
        self._size = value_label()
        self._sharp = value_label()
        self._caution = dim_label("AI-enhanced, for research use. Verify on the original.")
        self._resume = QPushButton("Resume")
        self._resume.clicked.connect(view.retry)
        self._export = QPushButton("Export…")
        self._export.clicked.connect(self.export_clicked)
        self._compare = QPushButton("Compare methods…")
        self._compare.setToolTip("Two to four methods at the same place, measured (Shift+C)")
        self._compare.clicked.connect(self.compare_clicked)
        for button in (self._resume, self._compare, self._export):
            button.setMinimumHeight(HIT_TARGET)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._arrange()
        view.changed.connect(self._show)
        view.progressed.connect(self._show_progress)
        self._show()

    def _arrange(self) -> None:
        self._choices = panel_form()
        self._choices.addRow(dim_label("Method"), self.method)
        self._choices.addRow(dim_label("Network"), self.network)
        facts = panel_form()
        facts.addRow(dim_label("Result"), self._size)
        facts.addRow(dim_label("In view"), self._sharp)
        column = panel_column(self)
        column.addLayout(self._choices)
        for widget in (self._sentence, self.fidelity, self.back_projection, self.degradation):
            column.addWidget(widget)
        column.addLayout(facts)
        for last in (self._caution, self._resume, self._compare, self._export):
            column.addWidget(last)

    def use_icons(self, icons: Icons) -> None:
        self._export.setIconSize(ICON_SIZE)
        self._export.setIcon(icons.icon("export"))
        self._compare.setIconSize(ICON_SIZE)
        self._compare.setIcon(icons.icon("methods"))

    def _show(self) -> None:
        picture, result = self._view.picture, self._view.picture.result
        method = result.method
        self.method.set_method(method.id)
        self._show_network(self._view)
        self.back_projection.setVisible(method.learned)
        self.back_projection.show_on(result.choice.back_projection)
        self._sentence.setText(method.sentence)
        self._caution.setVisible(method.learned)
        self._export.setEnabled(picture.has_image)
        self._compare.setEnabled(picture.has_image)
        several = len(picture.results) > 1
        self._compare.setText("Close the comparison" if several else "Compare methods…")
        width, height = (
            side * picture.scale for side in (picture.image.width, picture.image.height)
        )
        self._size.setText(f"{width} × {height} px" if picture.has_image else "")
        self._show_progress()

    def _show_network(self, view: View) -> None:
        chosen, networks = view.network, view.catalogue.networks(view.method.id)
        if networks != self._networks:
            self._networks = networks
            self.network.clear()
            for network, label in zip(networks, labels(networks), strict=True):
                self.network.addItem(label, network.name)
                tip = f"{network.title} ({network.name})"
                self.network.setItemData(self.network.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._choices.setRowVisible(self.network, len(networks) > 1)
        if chosen is None:
            self.fidelity.show_value(None, None, NO_NETWORK)
            return
        self.network.setCurrentIndex(networks.index(chosen))
        self.network.setToolTip(f"{chosen.title} ({chosen.name})")
        default = chosen.fidelity_at(view.settings.scale)
        self.fidelity.show_value(view.settings.fidelity, default, NO_TWIN)

    def _show_progress(self) -> None:
        """The part that changes with every tile."""
        view = self._view
        self._sharp.setText(sharpness_text(view))
        text = degradation_text(known_degradation(view))
        self.degradation.setText(text)
        self.degradation.setVisible(bool(text))
        self._resume.setText(view.remedy or "Resume")
        self._resume.setVisible(
            view.picture.has_image and (view.tiles.is_paused or not view.can_enhance)
        )


def known_degradation(view: View) -> Degradation | None:
    """The photograph's blur and noise, once they are estimated; None for interpolation."""
    photo, request = view.photo, view.request
    tried = [view.settings] if request is None else [request.settings, view.settings]
    for settings in tried:
        enhancer = view.enhancers.fitted_if_ready(photo, settings) if photo else None
        if enhancer is not None:
            return enhancer.degradation
    return None


def degradation_text(degradation: Degradation | None) -> str:
    """What the network was told of the photograph; empty where it was told nothing (yet)."""
    if degradation is None:
        return ""
    return f"Estimated blur {degradation.blur:.2f} px, noise {degradation.noise:.1f} levels"


def sharpness_text(view: View) -> str:
    """How far the result in view is, in words."""
    if not view.picture.has_image:
        return ""
    if view.data.needs_yes:
        return "enlarged already; not enlarged again"
    if not view.can_enhance:
        return "failed; the photograph is shown interpolated"
    request = view.request
    if request is None:
        return "interpolated; zoom in to enhance"
    enough = f"×{request.scale} is enough here, " if request.scale != view.picture.scale else ""
    sharp = view.picture.result.sharp
    if sharp < 1:
        stopped = ", stopped" if view.tiles.is_paused else ""
        return f"{enough}{int(sharp * 100)} % sharp{stopped}"
    waited = view.tiles.waited
    return f"{enough}finished" if waited is None else f"{enough}finished, waited {waited:.1f} s"
