"""What is there before a photograph is, and what is shown while one is dragged over the window."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QWidget

from retina_viewer.imaging.formats import TITLES
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.theme import HIT_TARGET
from retina_viewer.ui.widgets import layout

PICTURE_SIDE = 72


class Empty(QWidget):
    """One sentence and two buttons."""

    open_clicked = Signal()
    sample_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        picture = self._picture = QLabel()
        picture.setFixedHeight(PICTURE_SIDE)  # nothing moves when it comes
        said = "Drop a fundus photograph or a folder here."
        sentence = layout.label(said, "heading", wraps=False)
        said = f"{TITLES}. Nothing leaves this computer."
        formats = layout.label(said, "dim", wraps=False)
        opener = QPushButton("Open…")
        opener.setDefault(True)
        opener.clicked.connect(self.open_clicked)
        sample = QPushButton("Open a sample")
        sample.clicked.connect(self.sample_clicked)
        for button in (opener, sample):
            button.setMinimumHeight(HIT_TARGET + 4)
        column = layout.column(spacing=12)
        column.addStretch(2)
        for label in (picture, sentence, formats):
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.add(column, 8, layout.row(..., opener, sample, ...))
        column.addStretch(3)
        self.setLayout(column)

    def use_icons(self, icons: Icons) -> None:
        self._picture.setPixmap(icons.picture("retina", PICTURE_SIDE, self.devicePixelRatioF()))


class DropHint(QFrame):
    """Laid over the window while something that can be opened hangs over it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self.setObjectName("dropHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._label = QLabel()
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setLayout(layout.column(self._label))
        self.hide()

    def show_for(self, count: int) -> None:
        what = "it" if count == 1 else f"these {count}"
        self._label.setText(f"Let go to open {what}")
        self.setGeometry(self._window.rect().adjusted(8, 8, -8, -8))
        self.raise_()
        self.show()
