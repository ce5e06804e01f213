"""The panes and how the layouts arrange them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from retina_viewer.ui.canvas.pane import Pane
from retina_viewer.ui.canvas.scene import Scenes
from retina_viewer.ui.view.state import Layout

GAP = 2
LOUPE_SHARE = 0.24
LOUPE_WIDTHS = (160, 360)


class Stage(QWidget):
    """Original, result and the loupe's two halves, placed by the layout.

    The loupe shows the same detail twice, the original above and the result below: what a network
    made is never looked at alone.
    """

    main_resized = Signal()
    """The size of the main panes has changed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.original = Pane(self)
        self.result = Pane(self)
        self.loupe_original = Pane(self)
        self.loupe_result = Pane(self)
        self._layout = Layout.SIDE_BY_SIDE
        self._loupe = True
        self.result.resized.connect(self.main_resized)
        self.set_layout(Layout.SIDE_BY_SIDE, loupe=True)

    @property
    def mains(self) -> tuple[Pane, Pane]:
        return self.original, self.result

    @property
    def loupes(self) -> tuple[Pane, Pane]:
        return self.loupe_original, self.loupe_result

    @property
    def panes(self) -> tuple[Pane, ...]:
        return (*self.mains, *self.loupes)

    def show_scenes(self, scenes: Scenes, *, measuring: bool) -> None:
        """Give the panes, shown or not, what they paint; they paint where it differs."""
        self.original.show_scene(scenes.original)
        self.result.show_scene(scenes.result)
        self.loupe_original.show_scene(scenes.loupe_original)
        self.loupe_result.show_scene(scenes.loupe_result)
        for pane in self.panes:
            pane.measuring = measuring

    def set_layout(self, layout: Layout, *, loupe: bool) -> None:
        self._layout, self._loupe = layout, loupe
        self.original.setVisible(layout is Layout.SIDE_BY_SIDE)
        for pane in self.loupes:
            pane.setVisible(loupe)
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _arrange(self) -> None:
        width, height = self.width(), self.height()
        room = width
        if self._loupe:
            low, high = LOUPE_WIDTHS
            loupe = min(max(int(width * LOUPE_SHARE), low), high)
            if self._layout is Layout.LOUPE:
                loupe = (width - GAP) // 2
            room = width - loupe - GAP
            half = (height - GAP) // 2
            self.loupe_original.setGeometry(room + GAP, 0, loupe, half)
            self.loupe_result.setGeometry(room + GAP, half + GAP, loupe, height - half - GAP)
        if self._layout is not Layout.SIDE_BY_SIDE:
            self.result.setGeometry(0, 0, room, height)
            return
        # Equal widths, so that both mains show exactly the same part.
        pane = (room - GAP) // 2
        self.original.setGeometry(0, 0, pane, height)
        self.result.setGeometry(room - pane, 0, pane, height)
