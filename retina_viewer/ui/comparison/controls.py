"""The rows over and under the panes of a comparison."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.superres.enhance_settings import SCALES
from retina_viewer.ui.comparison.chips import MethodChips
from retina_viewer.ui.comparison.session import Comparison
from retina_viewer.ui.icons import ICON_SIZE, Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments

HINT = (
    "Wheel and drag move all. 1 to 4: one alone; 0: all; Space: the next in its place; B: blink; "
    "X: swap places; hold O: the reference or original; F: whole; R: reference; Ctrl+E: export."
)


class Header(QWidget):
    """What is compared, how large, against what."""

    scale_chosen = Signal(object)
    file_wanted = Signal()
    itself_wanted = Signal()
    none_wanted = Signal()
    blink_toggled = Signal(bool)
    swap_clicked = Signal()
    export_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icons: list[tuple[QToolButton, str]] = []
        self.chips = MethodChips()
        self.scales = Segments(
            [(s, f"×{s}", f"Enlarge {s} times in each direction") for s in SCALES], "Enlargement"
        )
        self.scales.chosen.connect(self.scale_chosen)
        self.reference = self._button("Reference", "What to measure against (R)", "reference")
        self.reference.setMinimumWidth(118)
        self.reference.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.reference)
        menu.addAction("A larger photograph of the same scene…", self.file_wanted.emit)
        menu.addAction("This photograph itself, shrunk first", self.itself_wanted.emit)
        self.no_reference = menu.addAction("No reference", self.none_wanted.emit)
        self.reference.setMenu(menu)
        self.blink = self._button("Blink", "Show one after the other in one place (B)", "blink")
        self.blink.setCheckable(True)
        self.blink.toggled.connect(self.blink_toggled)
        self.swap = self._button("Swap", "Change the places of the panes (X)", "swap")
        self.swap.clicked.connect(self.swap_clicked)
        self.export = self._button(
            "Export", "Save the comparison as one picture (Ctrl+E)", "export"
        )
        self.export.clicked.connect(self.export_clicked)
        self.words = dim_label()
        self._arrange()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.scales)
        row.addWidget(self.reference)
        row.addStretch(1)
        for button in (self.blink, self.swap, self.export):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.chips)
        column.addLayout(row)
        column.addWidget(self.words)  # beside the buttons a narrow window would fold it up

    def show_comparison(self, comparison: Comparison) -> None:
        """Bring everything up to what is compared."""
        choice, reference = comparison.choice, comparison.reference
        self.chips.show_choice(choice)
        self.scales.set_value(choice.scale)
        has_photo = comparison.photo is not None
        self.reference.setEnabled(has_photo)
        self.no_reference.setEnabled(reference.is_given)
        self.words.setText(reference.words(choice.scale) if has_photo else "")
        for button in (self.blink, self.swap, self.export):
            button.setEnabled(has_photo)

    def use_icons(self, icons: Icons) -> None:
        for button, name in self._icons:
            button.setIcon(icons.toggle(name) if button.isCheckable() else icons.icon(name))

    def _button(self, text: str, tip: str, picture: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setAccessibleDescription(tip)
        button.setMinimumHeight(HIT_TARGET)
        button.setIconSize(ICON_SIZE)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._icons.append((button, picture))
        return button


class Footer(QWidget):
    """The keys, what amber means, and the way out."""

    close_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.outcome = dim_label()
        self.outcome.hide()
        close = QPushButton("Close")
        close.setMinimumHeight(HIT_TARGET)
        close.setAutoDefault(False)
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(self.close_clicked)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.outcome)
        words.addWidget(dim_label("Amber marks what AI made: verify it on the photograph. " + HINT))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 8)
        row.setSpacing(12)
        row.addLayout(words, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignBottom)

    def say(self, text: str) -> None:
        self.outcome.setText(text)
        self.outcome.setVisible(bool(text))
