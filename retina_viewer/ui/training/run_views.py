"""What a running training shows: its curves, and validation patches before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6 import QtWidgets
from PySide6.QtCore import QRectF, QSignalBlocker, QSize, Qt, QTimer
from PySide6.QtGui import QIcon, QImage, QPainter, QPaintEvent, QPixmap

from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.learning_curves import CurvesArea
from retina_viewer.ui.widgets.learning_history import LearningHistory

COLUMNS = 4


class CurvesView(CurvesArea):
    """The curves of a running training, scrolled to each stage when it begins."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._stage = -1
        self.forget()

    def forget(self) -> None:
        """Another training is shown from now on."""
        self._stage = -1
        self.say("The first curves come after the first steps.")

    def show_history(self, history: LearningHistory) -> None:
        """Draw what there is; also when it has grown. Where the person scrolls after a stage's
        first curves is theirs."""
        if not any(history.stages):
            return
        super().show_history(history)
        stage, curves = len(history.stages) - 1, self.curves
        if stage == self._stage or curves is None:
            return
        self._stage = stage
        first = next(iter(history.curves(stage)), None)
        if stage > 0 and first is not None:
            plot = curves.plot_of(stage, first.name)
            # Its place is known when the grid has been laid out.
            QTimer.singleShot(0, plot, lambda: self.ensureWidgetVisible(plot, 0, 180))


THUMBNAIL = QSize(64, 64)
KINDS = ("before", "after", "truth")


def as_image(rgb: NDArray[np.uint8]) -> QImage:
    """``(h, w, 3)`` uint8 as a picture with pixels of its own."""
    pixels = np.ascontiguousarray(rgb)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


class PatchPicture(QtWidgets.QWidget):
    """One picture as large as the room allows, whole, its pixels left as they are."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.image = QImage()
        self.setAccessibleName(name)
        self.setMinimumSize(120, 120)
        self.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding
        )

    def show_image(self, image: QImage) -> None:
        self.image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        image, ratio = self.image, self.devicePixelRatioF()
        if image.isNull():
            return
        painter = QPainter(self)
        factor = min(self.width() / image.width(), self.height() / image.height())
        # Whole screen pixels for a picture's pixel where there is room: smoothing would show a
        # sharpness that is not there, or hide one that is.
        if factor * ratio >= 1:
            factor = int(factor * ratio) / ratio
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        room = QRectF(0, 0, image.width() * factor, image.height() * factor)
        room.moveCenter(QRectF(self.rect()).center())
        room.moveTo(round(room.x() * ratio) / ratio, round(room.y() * ratio) / ratio)
        painter.drawImage(room, image)


def _plain_icon(path: Path) -> QIcon:
    """The picture as it is, also where it is chosen: a tint would change its colours."""
    picture = QPixmap(str(path))
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


class CropsView(QtWidgets.QWidget):
    """The patch that the person chose: as the base makes it, as it is now, and the truth."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Path | None, int] = (None, -1)
        self.empty = dim_label("The first pictures come with the first validation.")
        self.pictures = {kind: PatchPicture(kind) for kind in KINDS}
        self.captions = {kind: QtWidgets.QLabel() for kind in KINDS}
        self.patches = QtWidgets.QListWidget()
        self.patches.setAccessibleName("Validation patches")
        self.patches.setViewMode(QtWidgets.QListWidget.ViewMode.IconMode)
        self.patches.setFlow(QtWidgets.QListWidget.Flow.LeftToRight)
        self.patches.setWrapping(False)
        self.patches.setMovement(QtWidgets.QListWidget.Movement.Static)
        self.patches.setIconSize(THUMBNAIL)
        self.patches.setSpacing(4)
        self.patches.setFixedHeight(THUMBNAIL.height() + 36)
        self.patches.currentRowChanged.connect(lambda _: self._show_patch())
        grid = QtWidgets.QGridLayout()
        grid.setSpacing(8)
        for column, kind in enumerate(KINDS):
            self.captions[kind].setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(self.captions[kind], 0, column)
            grid.addWidget(self.pictures[kind], 1, column)
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(1, 1)
        self.setLayout(layout.column(self.empty, (grid, 1), self.patches, margins=0))
        self.show_folder(None, 0)

    def show_folder(self, folder: Path | None, step: int) -> None:
        """Show the newest pictures; the patch that was chosen stays chosen. Those of a step that
        are shown already are not read again."""
        if (folder, step) == self._shown:
            return
        before, self._shown = self._shown[0], (folder, step)
        names = [] if folder is None else sorted(folder.glob("patch*_truth.png"))
        if folder != before or len(names) != self.patches.count():
            chosen = max(0, self.patches.currentRow())
            with QSignalBlocker(self.patches):
                self.patches.clear()
                for number, path in enumerate(names, start=1):
                    item = QtWidgets.QListWidgetItem(_plain_icon(path), f"{number}")
                    item.setToolTip(f"Patch {number}")
                    self.patches.addItem(item)
                self.patches.setCurrentRow(min(chosen, len(names) - 1))
        self.empty.setVisible(not names)
        self.patches.setVisible(bool(names))
        self._show_patch()

    def _show_patch(self) -> None:
        row, (folder, step) = self.patches.currentRow(), self._shown
        titles = ("Base model", f"Now, step {step:,}", "True photograph")
        for kind, title in zip(KINDS, titles, strict=True):
            image = QImage()
            if folder is not None and row >= 0:
                image = QImage(str(folder / f"patch{row + 1:02}_{kind}.png"))
            self.pictures[kind].show_image(image)
            self.captions[kind].setText("" if image.isNull() else title)
