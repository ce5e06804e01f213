"""The methods as chips in rows that wrap; those that are compared are pressed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from retina_viewer.ui.catalogue import MethodInfo
from retina_viewer.ui.comparison.choice import Choice
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.ai_mark import ICON, ai_icon

GAP = 6


class MethodChips(QWidget):
    """One chip a method on offer."""

    toggled = Signal(str)
    """(method id), when the person presses one"""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Methods that are compared")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._chips: dict[str, QPushButton] = {}

    def chip(self, method: str) -> QPushButton:
        return self._chips[method]

    def show_choice(self, choice: Choice) -> None:
        """Bring the chips up to what is on offer and chosen."""
        methods = choice.catalogue.methods
        if list(self._chips) != [method.id for method in methods]:
            self._make(methods)
        for method in methods:
            chip, why_not = self._chips[method.id], choice.why_not(method.id)
            chosen = method.id in choice.chosen
            chip.setChecked(chosen)
            # A chosen one stays readable: it is refused when it is pressed.
            chip.setEnabled(chosen or not why_not)
            chip.setToolTip(why_not or method.sentence)

    def _make(self, methods: Sequence[MethodInfo]) -> None:
        for old in self._chips.values():
            old.deleteLater()
        self._chips = {}
        for method in methods:
            chip = QPushButton(method.title, self)
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setMinimumHeight(HIT_TARGET)
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the panes
            mark = ", made by AI" if method.learned else ""
            chip.setAccessibleName(f"Compare {method.title}{mark}")
            chip.setAccessibleDescription(method.sentence)
            if method.learned:
                chip.setIcon(ai_icon())
                chip.setIconSize(ICON)
            chip.clicked.connect(lambda _=False, name=method.id: self.toggled.emit(name))
            chip.show()
            self._chips[method.id] = chip
        self.updateGeometry()
        self._arrange(self.width())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(width)[1]

    def sizeHint(self) -> QSize:
        return QSize(600, self.heightForWidth(max(self.width(), 600)))

    def minimumSizeHint(self) -> QSize:
        widest = max((chip.sizeHint().width() for chip in self._chips.values()), default=0)
        return QSize(widest, HIT_TARGET)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        for chip, place in self._place(width)[0]:
            chip.setGeometry(place)

    def _place(self, width: int) -> tuple[list[tuple[QPushButton, QRect]], int]:
        """Where each chip goes in a given width, and the height of all."""
        places: list[tuple[QPushButton, QRect]] = []
        x = y = 0
        for chip in self._chips.values():
            size = chip.sizeHint().expandedTo(QSize(0, HIT_TARGET))
            if x and x + size.width() > width:
                x, y = 0, y + HIT_TARGET + GAP
            places.append((chip, QRect(x, y, size.width(), HIT_TARGET)))
            x += size.width() + GAP
        return places, y + HIT_TARGET
