"""Page 2: what was found in the folders; what is doubtful is kept or left out by the person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QObject, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QLabel, QTableView

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.intake import Examined, Intake
from retina_viewer.finetuning.patients import LEAST_PATIENTS
from retina_viewer.imaging.readers import thumbnail
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.training.draft import Draft, counted
from retina_viewer.ui.training.run_views import as_image
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments
from retina_viewer.ui.widgets.table_views import Index, TickDelegate, plain_table

PICTURE = QSize(72, 54)
_KEY = "training thumbnails"
_AT_ONCE = 6
_COLUMNS = ("Use", "Photograph", "Pixels", "Camera", "Sharpness", "What was found")
_CAMERA = _COLUMNS.index("Camera")
_MARK = Qt.ItemDataRole.CheckStateRole
Thumbnail = NDArray[np.uint8]


class PhotographTable(QAbstractTableModel):
    """Rows are photographs; the tick in the first column is the person's decision."""

    decided = Signal()

    def __init__(self, draft: Draft, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft, self._jobs = draft, jobs
        self._files: list[Examined] = []
        self._pictures: dict[Path, QPixmap | None] = {}
        self._wanted: list[Path] = []
        self._load_soon = layout.delayed(self, 0, self._load)
        self._ratio = 1.0

    def show_files(self, files: Sequence[Examined], ratio: float) -> None:
        """Show these; ``ratio`` is the screen's device pixels per logical one."""
        self.beginResetModel()
        self._files, self._ratio, self._wanted = list(files), ratio, []
        self.endResetModel()

    @property
    def names_cameras(self) -> bool:
        """Whether any photograph says what took it."""
        return any(file.camera for file in self._files)

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._files)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0 and self._draft.can_keep(self._files[index.row()]):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        file = self._files[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell(file, index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(file.path) if index.column() == 1 else cell(file, index.column())
        if index.column() == 0 and role == _MARK and self._draft.can_keep(file):
            keeps = self._draft.keeps(file)
            return Qt.CheckState.Checked if keeps else Qt.CheckState.Unchecked
        if index.column() == 1 and role == Qt.ItemDataRole.DecorationRole:
            return self._picture(file.path)
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != _MARK:
            return False
        self.decide([index.row()], Qt.CheckState(value) is Qt.CheckState.Checked)
        return True

    def decide(self, rows: Sequence[int], keep: bool) -> None:
        """Keep these rows' photographs, or leave them out."""
        for row in rows:
            if self._draft.can_keep(self._files[row]):
                self._draft.decided[self._files[row].path] = keep
                place = self.index(row, 0)
                self.dataChanged.emit(place, place, [int(_MARK)])
        self.decided.emit()

    # Thumbnails, in a worker, those asked for last first

    def _picture(self, path: Path) -> QPixmap | None:
        if path not in self._pictures:
            if path in self._wanted:
                self._wanted.remove(path)
            self._wanted.append(path)
            self._load_soon.start()
        return self._pictures.get(path) or _empty(self._ratio)

    def _load(self) -> None:
        if self._jobs.is_active(_KEY) or not self._wanted:
            return
        paths, self._wanted = self._wanted[-_AT_ONCE:], self._wanted[:-_AT_ONCE]
        side = round(PICTURE.width() * self._ratio)

        def work(progress: Progress) -> dict[Path, Thumbnail | None]:
            return {path: _thumbnail(path, side) for path in paths}

        self._jobs.submit(_KEY, work, self._loaded, lane=Lane.FILES)

    def _loaded(self, pictures: dict[Path, Thumbnail | None]) -> None:
        for path, picture in pictures.items():
            self._pictures[path] = None if picture is None else _framed(picture, self._ratio)
        if self._files:
            last = self.index(len(self._files) - 1, 1)
            role = [int(Qt.ItemDataRole.DecorationRole)]
            self.dataChanged.emit(self.index(0, 1), last, role)
        self._load()


def cell(file: Examined, column: int) -> str:
    """The text of one cell."""
    pixels = f"{file.width} × {file.height}" if file.width else ""
    sharpness = "" if file.sharpness is None else f"{file.sharpness:.1f}"
    return ("", file.path.name, pixels, file.camera, sharpness, file.reason or "good")[column]


def _thumbnail(path: Path, side: int) -> Thumbnail | None:
    try:
        return thumbnail(path, side)
    except (UserError, OSError):  # it is in the table already that it cannot be read
        return None


def _empty(ratio: float) -> QPixmap:
    blank = QPixmap(PICTURE * ratio)
    blank.setDevicePixelRatio(ratio)
    blank.fill(Qt.GlobalColor.transparent)
    return blank


def _framed(picture: Thumbnail, ratio: float) -> QPixmap:
    """In the middle of a picture of the one size, so that names stand in line."""
    aspect, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    shown = as_image(picture).scaled(PICTURE * ratio, aspect, smooth)
    shown.setDevicePixelRatio(ratio)
    frame, room = _empty(ratio), shown.deviceIndependentSize()
    painter = QPainter(frame)
    left, top = (PICTURE.width() - room.width()) / 2, (PICTURE.height() - room.height()) / 2
    painter.drawImage(round(left), round(top), shown)
    painter.end()
    return frame


def make_view(model: PhotographTable) -> QTableView:
    """A table with rows as high as the thumbnails."""
    view = plain_table("Photographs")
    view.setModel(model)
    view.setItemDelegateForColumn(0, TickDelegate(view))
    view.setIconSize(PICTURE)
    view.setWordWrap(True)  # a row is as high as three lines of reasons
    view.verticalHeader().setDefaultSectionSize(PICTURE.height() + 8)
    header = view.horizontalHeader()
    for column, width in enumerate((44, 280, 96, 130, 80)):
        header.resizeSection(column, width)
    model.modelReset.connect(lambda: view.setColumnHidden(_CAMERA, not model.names_cameras))
    return view


_MOST_NAMED = 3


class CheckPage(WizardPage):
    """The table, what it amounts to, and the tick of every photograph."""

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "Are these the right photographs?",
            "Every file was looked at. What could spoil the training is proposed to be left out; "
            "tick it to keep it.",
        )
        self.overview, self.what = dim_label(), dim_label()
        self.bar = layout.bar()
        self.model = PhotographTable(context.draft, context.jobs, self)
        self.model.decided.connect(self._decided)
        self.table = make_view(self.model)
        self.shown = Segments(
            [
                ("flagged", "Doubtful", "Photographs with a finding"),
                ("kept", "Kept", "What will be trained and tested on"),
                ("all", "All", "Every photograph"),
            ],
            "Shown",
        )
        self.shown.chosen.connect(self._show_files)
        self.count = QLabel()
        keep = layout.button("Keep", "Keep the selected photographs", partial(self._decide, True))
        leave_out = layout.button(
            "Leave out", "Leave the selected photographs out", partial(self._decide, False)
        )
        choices = layout.row(self.shown, (self.count, 1), keep, leave_out, spacing=12)
        layout.add(self.column, self.overview, self.bar, self.what, choices, (self.table, 1))
        context.intake_job.progressed.connect(self._progressed)
        context.intake_job.ended.connect(self._ended)

    def initializePage(self) -> None:
        self._show()

    @property
    def summary(self) -> str:
        if self.draft.intake is None:
            return ""
        kept = len(self._kept())
        return f"{kept} kept, {len(self.draft.intake.photographs) - kept} left out"

    def _kept(self) -> list[Examined]:
        intake = self.draft.intake
        files = () if intake is None else intake.photographs
        return [one for one in files if self.draft.keeps(one)]

    def _decide(self, keep: bool, checked: bool = False) -> None:
        rows = [index.row() for index in self.table.selectionModel().selectedRows()]
        self.model.decide(rows, keep)

    def _decided(self) -> None:
        self.draft.patients = None
        self._show_count()
        self.completeChanged.emit()

    def _progressed(self, fraction: float, what: str) -> None:
        self.bar.setValue(round(fraction * 1000))
        self.what.setText(what)
        if self.isVisible():
            self._show()

    def _ended(self, error: Exception | None) -> None:
        self.show_problem(error)
        self._show()

    def _show(self) -> None:
        intake, busy = self.draft.intake, self.context.intake_job.is_busy
        self.bar.setVisible(busy)
        self.what.setVisible(busy)
        for widget in (self.overview, self.table, self.shown, self.count):
            widget.setVisible(intake is not None)
        if intake is not None:
            self.overview.setText(overview_of(intake))
            flagged = any(one.kind != "good" for one in intake.photographs)
            self.shown.button("flagged").setEnabled(flagged)
            self._show_files("flagged" if flagged else "all")
        self.completeChanged.emit()

    def _show_files(self, which: object) -> None:
        intake = self.draft.intake
        if intake is None:
            return
        self.shown.set_value(which)
        files: Sequence[Examined] = intake.photographs
        if which == "flagged":
            files = [one for one in files if one.kind != "good"]
        elif which == "kept":
            files = self._kept()
        self.model.show_files(files, self.devicePixelRatioF())
        self._show_count()

    def _show_count(self) -> None:
        kept = len(self._kept())
        text = f"{counted(kept, 'photograph')} will be used"
        if kept < LEAST_PATIENTS:
            text += f"; at least {LEAST_PATIENTS}, of as many patients, are needed"
        self.count.setText(f"{text}.")

    def isComplete(self) -> bool:
        return len(self._kept()) >= LEAST_PATIENTS

    def nextId(self) -> int:
        return int(PageId.MASKS if self.draft.task == "vessels" else PageId.PATIENTS)


def overview_of(intake: Intake) -> str:
    """Count, findings, sizes and cameras, in one paragraph."""
    kinds = Counter(one.kind for one in intake.photographs)
    findings = [f"{count:,} {kind}" for kind, count in kinds.items() if kind != "good"]
    sizes = Counter({f"{w} × {h}": count for (w, h), count in intake.sizes.items()})
    cameras = Counter({name or "not stated": count for name, count in intake.cameras.items()})
    found = f": {', '.join(findings)}." if findings else ", none doubtful."
    total = counted(len(intake.photographs), "photograph")
    return f"{total}{found} Pixels: {_most(sizes)}. Camera: {_most(cameras)}."


def _most(counts: Counter[str]) -> str:
    """``565 × 584 (40), 2 others (3)``."""
    ordered = counts.most_common()
    named = [f"{name} ({count:,})" for name, count in ordered[:_MOST_NAMED]]
    if rest := ordered[_MOST_NAMED:]:
        named.append(f"{len(rest)} others ({sum(count for _, count in rest):,})")
    return ", ".join(named) or "unknown"
