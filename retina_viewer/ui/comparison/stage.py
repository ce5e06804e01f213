"""The panes of a comparison and how they are arranged: in a row, in a square, or one alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.comparison.enlarging import MOST_PANES
from retina_viewer.ui.comparison.strip import HEIGHT, FiguresStrip

GAP = 2


class ComparisonStage(QWidget):
    """Up to four panes of equal size, each over its figures."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("The enlargements that are compared")
        self.setMinimumSize(480, 320)
        self.panes = [Pane(self) for _ in range(MOST_PANES)]
        self.strips = [FiguresStrip() for _ in range(MOST_PANES)]
        for strip in self.strips:
            strip.setParent(self)
        self._count, self._alone = 2, -1
        self._with_figures = False
        self._show()

    def arrange(self, count: int, alone: int | None, *, with_figures: bool) -> None:
        """Show so many panes, or one of them alone."""
        place = -1 if alone is None else alone
        if (count, place, with_figures) != (self._count, self._alone, self._with_figures):
            self._count, self._alone, self._with_figures = count, place, with_figures
            self._show()

    @property
    def shown(self) -> list[int]:
        """The places of the panes that are shown."""
        return [self._alone] if self._alone >= 0 else list(range(self._count))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _show(self) -> None:
        shown = self.shown
        for number, (pane, strip) in enumerate(zip(self.panes, self.strips, strict=True)):
            pane.setVisible(number in shown)
            strip.setVisible(number in shown and self._with_figures)
        self._place()

    def _place(self) -> None:
        shown = self.shown
        columns = len(shown) if len(shown) <= 3 else 2
        rows = -(-len(shown) // columns)
        # All of one size, so that all show exactly the same part.
        width = (self.width() - GAP * (columns - 1)) // columns
        height = (self.height() - GAP * (rows - 1)) // rows
        below = HEIGHT if self._with_figures else 0
        for place, number in enumerate(shown):
            x, y = place % columns * (width + GAP), place // columns * (height + GAP)
            self.panes[number].setGeometry(x, y, width, max(80, height - below))
            self.strips[number].setGeometry(x, y + height - below, width, HEIGHT)
