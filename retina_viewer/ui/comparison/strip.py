"""Under a pane: its figures, in view and of the whole field."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel

from retina_viewer.ui.comparison.figures import HINTS, NAMES, Figures
from retina_viewer.ui.theme import tabular

ROWS = ("In view", "Whole field")
HEIGHT = 76


class FiguresStrip(QFrame):
    """Two rows of three figures; the best of all panes are bold."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 4, 10, 6)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        for column, (name, hint) in enumerate(zip(NAMES, HINTS, strict=True), start=1):
            grid.addWidget(_label(name, "dim", hint, right=True), 0, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(_label("bold: best", "dim"), 0, 0)
        self._values: list[list[QLabel]] = []
        for row, title in enumerate(ROWS, start=1):
            grid.addWidget(_label(title, "dim"), row, 0)
            values = [_label("", "value", hint, right=True) for hint in HINTS]
            for column, value in enumerate(values, start=1):
                grid.addWidget(value, row, column)
            self._values.append(values)

    def show_figures(
        self, row: int, figures: Figures | None, instead: str, best: tuple[bool, bool, bool]
    ) -> None:
        """Fill a row.

        Args:
            row: of :data:`ROWS`.
            instead: what stands there as long as there are no figures.
            best: whether each is the best of all panes.
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
        return "; ".join(
            f"{title}: "
            + ", ".join(
                f"{name} {label.text()}"
                for name, label in zip(NAMES, values, strict=True)
                if label.text()
            )
            for title, values in zip(ROWS, self._values, strict=True)
        )


def _label(text: str, role: str, hint: str = "", *, right: bool = False) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setToolTip(hint)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setFont(tabular(label.font()))
    if right:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
