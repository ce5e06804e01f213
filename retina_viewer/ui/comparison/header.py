"""What stands over the stage while results are compared, and under each of them its figures."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6 import QtWidgets
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent

from retina_viewer.superres.enhance_settings import Scale
from retina_viewer.ui.comparison.choice import Choices, Offer, Option
from retina_viewer.ui.comparison.measuring import HINTS, NAMES, Figures
from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.theme import HIT_TARGET, tabular
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.method_chooser import MARK_ICON, ai_icon

GAP = 6
ROWS = ("In view", "Whole field")
FOOT = 76
"""The height of the figures, in logical pixels."""
ORIGINAL_TIP = "The photograph itself beside the results"


class Header(QtWidgets.QFrame):
    """What is compared, and against what. A file dropped on it is to be the reference."""

    file_dropped = Signal(object)
    """(Path)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self._icons: list[tuple[QtWidgets.QToolButton, str]] = []
        self.chips = Chips()
        self.original = _chip("Original", ORIGINAL_TIP, self)
        self.reference = self._button("Reference", "What to measure against", "reference")
        self.reference.setMinimumWidth(118)
        self.reference.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QtWidgets.QMenu(self.reference)
        self.from_file = menu.addAction("A larger photograph of the same scene…\tShift+R")
        self.itself = menu.addAction("This photograph itself, shrunk first")
        self.no_reference = menu.addAction("No reference")
        self.reference.setMenu(menu)
        self.blink = self._button("Blink", "One cell after the other in one place (K)", "blink")
        self.blink.setCheckable(True)
        self.swap = self._button("Swap", "Change the places of the results (X)", "swap")
        tip = "Save the results with their figures as one picture (Ctrl+Shift+E)"
        self.save = self._button("Save as a picture", tip, "export")
        self.close_button = self._button("", "Close the comparison (Shift+C)", "close")
        self.words = dim_label()
        self._words = ""
        top = layout.row((self.chips, 1), self.close_button, spacing=8)
        top.setAlignment(self.close_button, Qt.AlignmentFlag.AlignTop)
        below = layout.row(
            self.original, self.reference, (self.words, 1), self.blink, self.swap, self.save,
            spacing=8,
        )  # fmt: skip
        self.setLayout(layout.column(top, below, spacing=GAP, margins=8))
        self.hide()

    def show_choice(
        self, offer: Offer, chosen: Choices, scale: Scale, *, original_shown: bool
    ) -> None:
        self.chips.show_choice(offer, chosen, scale)
        self.original.setChecked(original_shown)

    def show_reference(self, words: str, *, can_measure: bool, is_given: bool) -> None:
        self._words = words
        self.say("")
        self.reference.setEnabled(can_measure)
        self.no_reference.setEnabled(is_given)
        self.save.setEnabled(can_measure)

    def say(self, text: str) -> None:
        """What became of what the person did last, instead of the words on the reference."""
        self.words.setText(text or self._words)

    def use_icons(self, icons: Icons) -> None:
        for button, name in self._icons:
            button.setIcon(icons.toggle(name) if button.isCheckable() else icons.icon(name))

    def _button(self, text: str, tip: str, picture: str) -> QtWidgets.QToolButton:
        button = QtWidgets.QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text or tip)
        button.setAccessibleDescription(tip)
        button.setMinimumSize(HIT_TARGET, HIT_TARGET)
        button.setIconSize(ICON_SIZE)
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly
        )
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._icons.append((button, picture))
        return button

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.reference.isEnabled() and len(paths_in(event.mimeData())) == 1:
            event.acceptProposedAction()
            self.say("Let go to measure against this image.")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.say("")

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.say("")
        self.file_dropped.emit(paths_in(event.mimeData())[0])


def _chip(title: str, tip: str, parent: QtWidgets.QWidget) -> QtWidgets.QPushButton:
    chip = QtWidgets.QPushButton(title, parent)
    chip.setCheckable(True)
    chip.setAutoDefault(False)
    chip.setMinimumHeight(HIT_TARGET)
    chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the panes
    chip.setToolTip(tip)
    chip.setAccessibleDescription(tip)
    return chip


class Chips(QtWidgets.QWidget):
    """One chip an option, in rows that wrap; those that are compared are pressed."""

    toggled = Signal(str)
    """(an option's key), when the person presses one"""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("What is compared")
        policy = QtWidgets.QSizePolicy(
            QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Preferred
        )
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._options: tuple[Option, ...] = ()
        self._chips: dict[str, QtWidgets.QPushButton] = {}

    def chip(self, key: str) -> QtWidgets.QPushButton:
        return self._chips[key]

    def show_choice(self, offer: Offer, chosen: Choices, scale: Scale) -> None:
        """Bring the chips up to what is on offer and chosen."""
        if offer.options != self._options:
            self._make(offer.options)
        keys = {offer.key(one) for one in chosen}
        for option in offer.options:
            chip, why_not = self._chips[option.key], offer.why_not(option.key, chosen, scale)
            chip.setChecked(option.key in keys)
            # A chosen one stays readable: it is refused when it is pressed.
            chip.setEnabled(option.key in keys or not why_not)
            chip.setToolTip(why_not or option.sentence)

    def _make(self, options: tuple[Option, ...]) -> None:
        for old in self._chips.values():
            old.hide()
            old.deleteLater()
        self._options, self._chips = options, {}
        for option in options:
            chip = _chip(option.title, option.sentence, self)
            mark = ", made by AI" if option.learned else ""
            chip.setAccessibleName(f"Compare {option.title}{mark}")
            if option.learned:
                chip.setIcon(ai_icon())
                chip.setIconSize(MARK_ICON)
            chip.clicked.connect(lambda _=False, key=option.key: self.toggled.emit(key))
            chip.show()
            self._chips[option.key] = chip
        self.updateGeometry()
        self._arrange(self.width())

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._places(width)[1]

    def sizeHint(self) -> QSize:
        return QSize(600, self.heightForWidth(max(self.width(), 600)))

    def minimumSizeHint(self) -> QSize:
        widest = max((chip.sizeHint().width() for chip in self._chips.values()), default=0)
        return QSize(widest, HIT_TARGET)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange(event.size().width())

    def _arrange(self, width: int) -> None:
        for chip, place in self._places(width)[0]:
            chip.setGeometry(place)

    def _places(self, width: int) -> tuple[list[tuple[QtWidgets.QPushButton, QRect]], int]:
        """Where each chip goes in a given width, and the height of all."""
        places: list[tuple[QtWidgets.QPushButton, QRect]] = []
        x = y = 0
        for chip in self._chips.values():
            size = chip.sizeHint().expandedTo(QSize(0, HIT_TARGET))
            if x and x + size.width() > width:
                x, y = 0, y + HIT_TARGET + GAP
            places.append((chip, QRect(x, y, size.width(), HIT_TARGET)))
            x += size.width() + GAP
        return places, y + HIT_TARGET


class FiguresStrip(QtWidgets.QFrame):
    """Two rows of three figures; the best of all results are bold."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("figures")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        grid = QtWidgets.QGridLayout(self)
        grid.setContentsMargins(10, 4, 10, 6)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for column, (name, hint) in enumerate(zip(NAMES, HINTS, strict=True), start=1):
            grid.addWidget(_label(name, "dim", hint, right=True), 0, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(_label("bold: best", "dim"), 0, 0)
        self._values: list[list[QtWidgets.QLabel]] = []
        for row, title in enumerate(ROWS, start=1):
            grid.addWidget(_label(title, "dim"), row, 0)
            values = [_label("", "value", hint, right=True) for hint in HINTS]
            for column, value in enumerate(values, start=1):
                grid.addWidget(value, row, column)
            self._values.append(values)

    def show_figures(
        self, row: int, figures: Figures | None, instead: str, best: Sequence[bool]
    ) -> None:
        """Fill a row.

        Args:
            row: of :data:`ROWS`.
            instead: what stands there as long as there are no figures.
            best: whether each is the best of all results.
        """
        texts = (instead, "", "") if figures is None else figures.texts
        for label, text, is_best, name in zip(self._values[row], texts, best, NAMES, strict=True):
            label.setText(text)
            role = "strong" if is_best and figures is not None else "value"
            if label.property("role") != role:
                label.setProperty("role", role)
                label.style().unpolish(label)
                label.style().polish(label)
            label.setAccessibleName(f"{name}, {ROWS[row].lower()}")
        self.setAccessibleDescription(self.spoken)

    @property
    def spoken(self) -> str:
        """All of it in one line, for screen readers."""
        rows = []
        for title, values in zip(ROWS, self._values, strict=True):
            named = zip(NAMES, values, strict=True)
            said = ", ".join(f"{name} {label.text()}" for name, label in named if label.text())
            rows.append(f"{title}: {said}")
        return "; ".join(rows)


def _label(text: str, role: str, hint: str = "", *, right: bool = False) -> QtWidgets.QLabel:
    label = QtWidgets.QLabel(text)
    label.setProperty("role", role)
    label.setToolTip(hint)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(tabular(label.font()))
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
