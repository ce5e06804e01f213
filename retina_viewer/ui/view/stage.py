"""The stage: the panes of the cells and of the loupe, and the lines between them that drag."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from retina_viewer.core.geometry import Rect
from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import EMPTY
from retina_viewer.ui.theme import DARK
from retina_viewer.ui.view.arrange import Divider, LoupePlace
from retina_viewer.ui.view.picture import Cell, Picture
from retina_viewer.ui.view.state import MOST_RESULTS, ORIGINAL


class Stage(QWidget):
    """Shows a picture, and nothing else.

    Attributes:
        mains: by place: the original's, then the results'.
        loupes: likewise, the parts of the loupe.
        feet: what stands under each result, where there is such a thing.
    """

    resized = Signal()
    divider_moved = Signal(object, float, float)
    """(Divider, x, y): dragged to a place of the stage, in logical pixels"""
    divider_reset = Signal(object)
    """(Divider)"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("The photograph and its results")
        self.mains = [Pane(self) for _ in range(MOST_RESULTS + 1)]
        self.loupes = [Pane(self) for _ in range(MOST_RESULTS + 1)]
        self.feet: Sequence[QWidget] = ()
        self._grips: list[Grip] = []
        self._over: object = None
        for pane in self.panes:
            pane.hide()

    @property
    def panes(self) -> list[Pane]:
        return [*self.mains, *self.loupes]

    @property
    def original(self) -> Pane:
        return self.mains[ORIGINAL]

    @property
    def result(self) -> Pane:
        """The first result's."""
        return self.mains[1]

    @property
    def loupe_original(self) -> Pane:
        return self.loupes[ORIGINAL]

    @property
    def loupe_result(self) -> Pane:
        return self.loupes[1]

    def use_feet(self, feet: Sequence[QWidget]) -> None:
        """Let these stand under the results, where the state says that there is room for them."""
        self.feet = feet
        for foot in feet:
            foot.setParent(self)
            foot.hide()

    def show_picture(self, picture: Picture) -> None:
        """Place the panes and give them what they paint; they paint where it differs."""
        for pane in self.panes:
            pane.measuring = picture.measuring
        _show(self.mains, picture.cells)
        _show(self.loupes, picture.loupes)
        over = [cell.rect for cell in picture.loupes] if _is_inset(picture) else []
        if (over, picture.places.dividers) != self._over:
            self._over = (over, picture.places.dividers)
            self._lay_over(picture)
        feet = {cell.place: cell.foot for cell in picture.cells}
        for place, foot in enumerate(self.feet, start=1):
            rect = feet.get(place)
            if rect is not None:
                foot.setGeometry(_qt(rect))
            foot.setVisible(rect is not None)

    def _lay_over(self, picture: Picture) -> None:
        """What lies over panes: where it moves they are painted whole, for a part that is painted
        alone is rounded otherwise."""
        if _is_inset(picture):
            for cell in picture.loupes:
                self.loupes[cell.place].raise_()
        self._show_grips(picture.places.dividers)
        for pane in self.panes:
            pane.update()

    def _show_grips(self, dividers: Sequence[Divider]) -> None:
        while len(self._grips) < len(dividers):
            self._grips.append(Grip(self))
        for grip, divider in zip(self._grips, dividers, strict=False):
            grip.show_divider(divider)
        for grip in self._grips[len(dividers) :]:
            grip.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() is QEvent.Type.DevicePixelRatioChange:  # moved to another screen
            self.resized.emit()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), QColor(DARK.canvas).darker(160))


def _show(panes: Sequence[Pane], cells: Sequence[Cell]) -> None:
    shown = {cell.place: cell for cell in cells}
    for place, pane in enumerate(panes):
        cell = shown.get(place)
        if cell is not None:
            pane.setGeometry(_qt(cell.rect))
        pane.show_scene(cell.scene if cell is not None else EMPTY)
        pane.setVisible(cell is not None)


def _is_inset(picture: Picture) -> bool:
    return picture.places.loupe is LoupePlace.INSET


def _qt(rect: Rect) -> QRect:
    return QRect(rect.x, rect.y, rect.width, rect.height)


class Grip(QWidget):
    """What is grabbed of a line between two cells. Invisible unless the cursor is over it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self._divider: Divider | None = None
        self.setToolTip("Drag to resize; double-click for the automatic size")

    def show_divider(self, divider: Divider) -> None:
        if divider != self._divider:
            self._divider = divider
            self.setGeometry(_qt(divider.rect))
            across, down = Qt.CursorShape.SplitHCursor, Qt.CursorShape.SplitVCursor
            self.setCursor(across if divider.is_upright else down)
        self.show()
        self.raise_()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._divider is not None and event.buttons() & Qt.MouseButton.LeftButton:
            place = self.mapTo(self._stage, event.position())
            self._stage.divider_moved.emit(self._divider, place.x(), place.y())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self._divider is not None:
            self._stage.divider_reset.emit(self._divider)
