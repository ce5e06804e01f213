"""Inspector: the layers over the photograph."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from retina_viewer.imaging.layer_art import CLEAR_BELOW, COLOUR_MAPS, SaliencyStyle
from retina_viewer.superres.uncertainty import THRESHOLD
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.view.uncertainty_loader import Summary
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.choices import Chooser, Switch
from retina_viewer.ui.widgets.fields import PercentSlider, dim_label, panel_column

_TITLES = {
    LayerName.SALIENCY: ("Saliency", "S"),
    LayerName.VESSELS: ("Vessels", "V"),
    LayerName.UNCERTAINTY: ("Uncertainty", "U"),
}
_EXPLAINED = {
    LayerName.SALIENCY: (
        f"The {100 - CLEAR_BELOW * 100:.0f} % of the field that are locally the most unusual. "
        "No finding."
    ),
    LayerName.VESSELS: "Outlined by a network. Not part of the photograph.",
    LayerName.UNCERTAINTY: "The error to be expected of the result, in grey levels of 0 to 255.",
}
_STYLES = {SaliencyStyle.COLOURS: "Colours", SaliencyStyle.CONTOURS: "Contours"}
_FOR_NETWORKS = "For networks alone: interpolation makes up nothing."


class LayersPanel(QWidget):
    """On and off, opacity and colours of each layer."""

    toggled = Signal(object, bool)
    """(LayerName, on)"""
    opacity_changed = Signal(object, float)
    colour_map_chosen = Signal(str)
    saliency_style_chosen = Signal(object)
    """(SaliencyStyle)"""

    def __init__(self) -> None:
        super().__init__()
        column = panel_column(self)
        self._switches: dict[LayerName, Switch] = {}
        self._sliders: dict[LayerName, PercentSlider] = {}
        self._notes = {name: dim_label(_EXPLAINED[name]) for name in LayerName}
        self._maps = Chooser("Colours of the saliency map")
        self._maps.addItems([name.replace("-", ", ") for name in COLOUR_MAPS])
        self._maps.activated.connect(lambda row: self.colour_map_chosen.emit(COLOUR_MAPS[row]))
        self._styles = Chooser("How the saliency map is shown")
        for style, text in _STYLES.items():
            self._styles.addItem(text, style)
        self._styles.activated.connect(
            lambda: self.saliency_style_chosen.emit(self._styles.currentData())
        )
        for name in LayerName:
            title, key = _TITLES[name]
            switch = Switch(title)
            switch.setToolTip(f"{title} on or off ({key})")
            switch.toggled.connect(lambda on, name=name: self.toggled.emit(name, on))
            slider = PercentSlider(f"Opacity: {title}")
            slider.changed.connect(lambda value, name=name: self.opacity_changed.emit(name, value))
            self._switches[name], self._sliders[name] = switch, slider
            column.addWidget(switch)
            column.addWidget(slider)
            if name is LayerName.SALIENCY:
                column.addWidget(self._styles)
                column.addWidget(self._maps)
            column.addWidget(self._notes[name])
        column.addWidget(dim_label("Hold Space to hide them, O to see the original."))

    def show_view(self, view: View) -> None:
        state = view.state
        for name in LayerName:
            layer, switch = state.layer(name), self._switches[name]
            switch.blockSignals(True)
            switch.setChecked(layer.on)
            switch.blockSignals(False)
            meant = name is not LayerName.UNCERTAINTY or view.method.learned
            switch.setEnabled(view.picture.has_image and meant)
            self._sliders[name].set_value(layer.opacity)
            self._sliders[name].setVisible(layer.on and meant)
        self._maps.setCurrentIndex(COLOUR_MAPS.index(state.colour_map))
        self._styles.setCurrentIndex(list(_STYLES).index(state.saliency_style))
        for chooser in (self._maps, self._styles):
            chooser.setVisible(state.saliency.on)
        self.show_results(view)

    def show_results(self, view: View) -> None:
        """What is known of the layers; changes when one arrives."""
        for name in LayerName:
            computing = view.state.layer(name).on and view.layers.is_working(name)
            self._notes[name].setText("Computing…" if computing else _EXPLAINED[name])
        found, note = view.picture.result.uncertainty, self._notes[LayerName.UNCERTAINTY]
        if not view.method.learned:
            note.setText(_FOR_NETWORKS)
        elif found is not None:
            note.setText(f"{uncertainty_text(found)} {_EXPLAINED[LayerName.UNCERTAINTY]}")
        vessels = view.layers.current.vessels
        if vessels is not None and view.state.vessels.on:
            share = f"{vessels.share * 100:.1f} % of the field of view."
            if not vessels.share:
                share = "No vessels were found."
            self._notes[LayerName.VESSELS].setText(f"{share} {_EXPLAINED[LayerName.VESSELS]}")


def uncertainty_text(found: Summary) -> str:
    """The two numbers of what is known in view, and how much of the view that is."""
    if found.mean is None or found.above is None:
        return "Nothing of the retina is in view." if found.share >= 1 else "Computing…"
    progress = f" ({found.progress})" if found.progress else ""
    return (
        f"×{found.scale}: {found.mean:.1f} levels on average, "
        f"above {THRESHOLD:g} in {found.above * 100:.0f} % of the field in view{progress}."
    )
