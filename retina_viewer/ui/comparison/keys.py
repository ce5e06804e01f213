"""The keys of a comparison. They reach the dialog where no control wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from retina_viewer.ui.comparison.dialog import MethodsDialog

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_DIGITS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4)


def press(dialog: MethodsDialog, event: QKeyEvent) -> bool:
    """Do what a key stands for; whether it stands for something."""
    key, modifiers = Qt.Key(event.key()), event.modifiers()
    modifiers &= ~Qt.KeyboardModifier.KeypadModifier
    if modifiers == Qt.KeyboardModifier.ControlModifier and key == Qt.Key.Key_E:
        dialog.export()
        return True
    if modifiers & ~Qt.KeyboardModifier.ShiftModifier:
        return False
    if key == Qt.Key.Key_Escape:
        return _step_back(dialog)
    back = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
    return _place(dialog, key) or _show(dialog, key, back=back, held=event.isAutoRepeat())


def _step_back(dialog: MethodsDialog) -> bool:
    """Close the message, else show all panes; else the dialog closes."""
    if dialog.banner.isVisible():
        dialog.banner.hide()
        return True
    if dialog.blinking.alone is not None:
        dialog.blinking.show_alone(None)
        return True
    return False


def _place(dialog: MethodsDialog, key: Qt.Key) -> bool:
    linked = dialog.comparison.linked
    if key in _ARROWS:
        linked.pan(*_ARROWS[key])
    elif key == Qt.Key.Key_F:
        linked.show_whole()
    elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
        linked.zoom(1)
    elif key == Qt.Key.Key_Minus:
        linked.zoom(-1)
    else:
        return False
    return True


def _show(dialog: MethodsDialog, key: Qt.Key, *, back: bool, held: bool) -> bool:
    blinking = dialog.blinking
    if key in _DIGITS:
        blinking.show_alone(_DIGITS.index(key))
    elif key == Qt.Key.Key_0:
        blinking.show_alone(None)
    elif key == Qt.Key.Key_Space:
        blinking.next(-1 if back else 1)
    elif key == Qt.Key.Key_B:
        blinking.blink(not blinking.is_blinking)
    elif key == Qt.Key.Key_X:
        dialog.comparison.rotate()
    elif key == Qt.Key.Key_R:
        dialog.ask_for_reference()
    elif key == Qt.Key.Key_O:
        if not held:
            dialog.comparison.hold_truth(True)
    else:
        return False
    return True
