"""The row at the top: open, export, scale, method, layout, device."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from retina_viewer.networks.devices import Device
from retina_viewer.superres.enhance_settings import SCALES
from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.view.arrange import Arrangement
from retina_viewer.ui.view.controller import Controller
from retina_viewer.ui.view.picture import Picture
from retina_viewer.ui.view.view import View
from retina_viewer.ui.widgets.method_chooser import MethodChooser
from retina_viewer.ui.widgets.segments import Segments

HEIGHT = 44
DEVICE_WIDTH = 220
LAYOUTS = PANES, SLIDER, COMPARE = "side by side", "slider", "methods"
TEXT_ROOM = 60
"""Beside a button's text: its icon, its padding, the arrow of a menu."""


class Toolbar(QWidget):
    """Shows what is chosen and says what the person picks."""

    export_clicked = Signal()
    help_clicked = Signal()
    layout_chosen = Signal(object)
    device_chosen = Signal(str)

    def __init__(self, view: View, controller: Controller, open_menu: QMenu) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(HEIGHT)
        self._icons: list[tuple[QToolButton, str]] = []
        self._devices: Sequence[Device] = ()
        self._has_words = False
        self.open_button = self._button("Open", "Open photographs or a folder (Ctrl+O)", "open")
        self.open_button.setMenu(open_menu)
        self.open_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export_button = self._button("Export", "Save the result (Ctrl+E)", "export")
        self.export_button.clicked.connect(self.export_clicked)
        self.models_button = self._button("Models", "Train a model on photographs", "models")
        self.models_menu = QMenu(self.models_button)
        self.models_button.setMenu(self.models_menu)
        self.models_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.scales = Segments(
            [(s, f"×{s}", f"Enlarge {s} times in each direction") for s in SCALES], "Enlargement"
        )
        self.scales.chosen.connect(lambda scale: view.change(scale=scale))
        self.method = MethodChooser(view.catalogue.methods)
        self.method.chosen.connect(controller.set_method)
        self.layouts = Segments(
            [
                (PANES, "Side by side", "Original and result beside each other (C)"),
                (SLIDER, "Slider", "One picture, original left of the line (C)"),
                (COMPARE, "Compare", "Several results at the same place, measured (Shift+C)"),
            ],
            "Panes",
        )
        self.layouts.chosen.connect(self.layout_chosen)
        self.device = self._button("…", "The device that computes", "device")
        self.device.setMaximumWidth(DEVICE_WIDTH)
        self.device.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.device.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.device_menu = QMenu(self.device)
        self.device.setMenu(self.device_menu)
        helper = self._button("", "Keys (F1)", "help")
        helper.setAccessibleName("Keys")
        helper.setMinimumWidth(HIT_TARGET + 8)
        helper.clicked.connect(self.help_clicked)
        self._arrange(helper)
        view.changed.connect(lambda old, new: self._show(new))
        self._show(view.picture)

    def use_icons(self, icons: Icons) -> None:
        for button, name in self._icons:
            button.setIcon(icons.icon(name))
        for layout in LAYOUTS:
            button = self.layouts.button(layout)
            button.setIcon(icons.choice(layout))
            button.setMinimumWidth(HIT_TARGET + 4)
        self._name_layouts()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._name_layouts()

    def _name_layouts(self) -> None:
        """Write the layouts' names beside their icons where there is room for whole words."""
        buttons = [self.layouts.button(layout) for layout in LAYOUTS]
        words = sum(
            button.fontMetrics().horizontalAdvance(button.text()) + 12 for button in buttons
        )
        needed = self.sizeHint().width() + (0 if self._has_words else words)
        if self._has_words != (needed <= self.width()):
            self._has_words = not self._has_words
            style = Qt.ToolButtonStyle
            for button in buttons:
                button.setToolButtonStyle(
                    style.ToolButtonTextBesideIcon if self._has_words else style.ToolButtonIconOnly
                )

    def _arrange(self, helper: QToolButton) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.open_button)
        row.addWidget(self.export_button)
        row.addWidget(self.models_button)
        row.addWidget(_line())
        row.addWidget(self.scales)
        row.addWidget(self.method)
        row.addWidget(_line())
        row.addWidget(self.layouts)
        row.addStretch(1)
        row.addWidget(self.device)
        row.addWidget(helper)

    def _button(self, text: str, tip: str, picture: str | None) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        # A minimum of one's own replaces the one by content: it must leave room for the text.
        words = button.fontMetrics().horizontalAdvance(text) + TEXT_ROOM if picture else 0
        button.setMinimumSize(max(HIT_TARGET, words if text else 0), HIT_TARGET)
        button.setIconSize(ICON_SIZE)
        if picture is not None:
            self._icons.append((button, picture))
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly
        )
        return button

    def show_devices(self, devices: Sequence[Device], chosen: str) -> None:
        """Fill the device menu; ``auto`` is the first device."""
        self._devices = devices
        self.device_menu.clear()
        for device in devices:
            action = self.device_menu.addAction(device.name)
            action.setCheckable(True)
            action.setData(device.id)
            action.triggered.connect(lambda _=False, name=device.id: self.device_chosen.emit(name))
        self.show_device(chosen)

    def show_device(self, chosen: str) -> None:
        known = [device for device in self._devices if device.id == chosen] or self._devices[:1]
        for device in known:
            metrics = self.device.fontMetrics()
            room = DEVICE_WIDTH - TEXT_ROOM
            text = metrics.elidedText(device.name, Qt.TextElideMode.ElideRight, room)
            self.device.setText(text)
            self.device.setToolTip(f"Computes on {device.name}")
            for action in self.device_menu.actions():
                action.setChecked(action.data() == device.id)

    def _show(self, picture: Picture) -> None:
        method = picture.result.method
        self.scales.set_value(picture.scale)
        for scale in SCALES:
            self.scales.button(scale).setEnabled(scale in method.scales)
        self.method.set_method(method.id)
        is_slider = picture.arrangement is Arrangement.SLIDER
        several = len(picture.results) > 1
        self.layouts.set_value(SLIDER if is_slider else COMPARE if several else PANES)
        self.export_button.setEnabled(picture.has_image)


def _line() -> QFrame:
    line = QFrame()
    line.setProperty("role", "line")
    line.setFixedHeight(24)
    return line
