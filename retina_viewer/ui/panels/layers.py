"""Inspector: the layers over the photograph."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from retina_viewer.imaging.layer_art import CLEAR_BELOW, COLOUR_MAPS, SaliencyStyle
from retina_viewer.superres.uncertainty import THRESHOLD
from retina_viewer.ui.canvas.scene import LayerName
from retina_viewer.ui.view.controller import Controller
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

    def __init__(self, view: View, controller: Controller) -> None:
        super().__init__()
        self._view = view
        column = panel_column(self)
        self._switches: dict[LayerName, Switch] = {}
        self._sliders: dict[LayerName, PercentSlider] = {}
        self._notes = {name: dim_label(_EXPLAINED[name]) for name in LayerName}
        self._maps = Chooser("Colours of the saliency map")
        self._maps.addItems([name.replace("-", ", ") for name in COLOUR_MAPS])
        self._maps.activated.connect(lambda row: view.change(colour_map=COLOUR_MAPS[row]))
        self._styles = Chooser("How the saliency map is shown")
        for style, text in _STYLES.items():
            self._styles.addItem(text, style)
        self._styles.activated.connect(
            lambda: view.change(saliency_style=self._styles.currentData())
        )
        for name in LayerName:
            title, key = _TITLES[name]
            switch = Switch(title)
            switch.setToolTip(f"{title} on or off ({key})")
            switch.toggled.connect(partial(controller.set_layer, name))
            slider = PercentSlider(f"Opacity: {title}")
            slider.changed.connect(partial(controller.set_opacity, name))
            self._switches[name], self._sliders[name] = switch, slider
            column.addWidget(switch)
            column.addWidget(slider)
            if name is LayerName.SALIENCY:
                column.addWidget(self._styles)
                column.addWidget(self._maps)
            column.addWidget(self._notes[name])
        column.addWidget(dim_label("Hold Space to hide them, O to see the original."))
        view.changed.connect(self._show)
        view.progressed.connect(self._show_results)
        self._show()

    def _show(self) -> None:
        view, state = self._view, self._view.state
        for name in LayerName:
            layer, switch = state.layer(name), self._switches[name]
            meant = name is not LayerName.UNCERTAINTY or view.method.learned
            switch.show_on(layer.on)
            switch.setEnabled(view.picture.has_image and meant)
            self._sliders[name].set_value(layer.opacity)
            self._sliders[name].setVisible(layer.on and meant)
        self._maps.setCurrentIndex(COLOUR_MAPS.index(state.colour_map))
        self._styles.setCurrentIndex(list(_STYLES).index(state.saliency_style))
        for chooser in (self._maps, self._styles):
            chooser.setVisible(state.saliency.on)
        self._show_results()

    def _show_results(self) -> None:
        """What is known of the layers."""
        view = self._view
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
