"""Pages 1 and 2: what is learnt from which photographs; what was found in them, and what of it the
person keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QObject, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QListWidget, QTableView

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.intake import Examined, Intake
from retina_viewer.finetuning.patients import LEAST_PATIENTS
from retina_viewer.imaging.formats import SUPPORTED
from retina_viewer.imaging.readers import thumbnail
from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.jobs import Jobs, Lane
from retina_viewer.ui.opening import ask_for
from retina_viewer.ui.training.draft import Draft, counted
from retina_viewer.ui.training.run_views import as_image
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments
from retina_viewer.ui.widgets.table_views import Index, TickDelegate, plain_table

_ROW, _MOST_ROWS = 26, 6
_ANY = "A model that comes with the program"
_SENTENCE = (
    "{} is trained further on photographs of your own. They are read where they are, never "
    "changed, and nothing leaves this computer."
)
TASKS = {
    "superres": "Learn to enlarge photographs of your cameras and patients more truly.",
    "vessels": "Learn to find vessels as they are drawn in your masks.",
}


class SourcePage(WizardPage):
    """Task and folders."""

    following = PageId.CHECK

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "What should the model learn, and from which photographs?",
            _SENTENCE.format(_ANY),
        )
        self._base: ModelCard | None = None
        titles = {"superres": "Super-resolution", "vessels": "Vessels"}
        self.task = Segments([(key, titles[key], TASKS[key]) for key in TASKS], "Task")
        self.task.chosen.connect(self._choose_task)
        self.task_sentence = dim_label()
        self.places = QListWidget()
        self.places.setAccessibleName("Folders and files")
        self.places.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.places.itemSelectionChanged.connect(self._show)
        self.bar = layout.bar()
        self.found = layout.label()
        self.remove = layout.button("Remove from the list", act=self._remove)
        layout.add(
            self.column,
            layout.row(self.task, (self.task_sentence, 1), spacing=12),
            (self._drop_target(), 1),
            self.places,
            layout.row((self.found, 1), self.remove),
            self.bar,
        )
        self.setAcceptDrops(True)
        context.intake_job.progressed.connect(self._progressed)
        context.intake_job.ended.connect(self._ended)
        self._show()

    def _drop_target(self) -> QFrame:
        drop = QFrame()
        drop.setProperty("role", "drop")
        label = layout.label("Drop folders or photographs here", "strong", wraps=False)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        buttons = (
            layout.button("Add a folder…", act=self.ask_for_folder),
            layout.button("Add photographs…", act=self.ask_for_files),
        )
        inside = layout.row(..., *buttons, ...)
        drop.setLayout(layout.column(..., label, inside, ..., spacing=12, margins=(24, 24, 24, 24)))
        return drop

    @property
    def summary(self) -> str:
        intake = self.draft.intake
        return "" if intake is None else counted(len(intake.photographs), "photograph")

    def show_base(self, base: ModelCard) -> None:
        """A model is to be trained on: say so from the start."""
        self._base = base
        self.show_problem(None)
        self._show()

    def add(self, places: Sequence[Path]) -> None:
        """Add folders and files, and look at all of them anew."""
        known = self.draft.places
        new = [place for place in places if place not in known]
        if new:
            self.context.intake_job.start([*known, *new])
            self._show()

    def ask_for_folder(self) -> None:
        folder = self.context.settings.last_folder
        ask_for(self, "Add a folder of photographs", folder, self.add, folders=True)

    def ask_for_files(self) -> None:
        ask_for(self, "Add photographs", self.context.settings.last_folder, self.add)

    def _remove(self) -> None:
        rows = {self.places.row(item) for item in self.places.selectedItems()}
        places = [place for row, place in enumerate(self.draft.places) if row not in rows]
        self.context.intake_job.start(places)
        self._show()

    def _choose_task(self, task: str) -> None:
        self.draft.task = "vessels" if task == "vessels" else "superres"
        self.draft.base = ""
        self.show_problem(None)
        self._show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        urls = event.mimeData().urls()
        self.add([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def _progressed(self, fraction: float, what: str) -> None:
        self.bar.setValue(round(fraction * 1000))
        self._show()

    def _ended(self, error: Exception | None) -> None:
        intake = self.draft.intake
        if self.draft.task == "vessels" and intake is not None and not intake.masks:
            error = error or UserError(
                "No drawn masks lie beside these photographs; vessels are learnt from those.",
                "Add the folder of the masks, or choose super-resolution.",
            )
        self.show_problem(error)
        self._show()

    def _show(self) -> None:
        draft, busy = self.draft, self.context.intake_job.is_busy
        places = [str(place) for place in draft.places]
        if places != [self.places.item(number).text() for number in range(self.places.count())]:
            self.places.clear()
            self.places.addItems(places)
        self.places.setVisible(bool(places))
        self.places.setFixedHeight(min(len(places), _MOST_ROWS) * _ROW + 4)
        self.remove.setVisible(bool(places))
        self.remove.setEnabled(bool(self.places.selectedItems()))
        self.bar.setVisible(busy)
        self.found.setText(self._sentence(busy))
        has_masks = draft.intake is not None and bool(draft.intake.masks)
        self.task.set_value(draft.task)
        self.task.button("vessels").setEnabled(has_masks or draft.task == "vessels")
        base = self._base if self._base is not None and self._base.name == draft.base else None
        self.sentence.setText(_SENTENCE.format(_ANY if base is None else f"“{base.title}”"))
        missing = "" if has_masks else " Vessels can be learnt where masks lie beside them."
        self.task_sentence.setText(TASKS[draft.task] + missing)
        self.completeChanged.emit()

    def _sentence(self, busy: bool) -> str:
        if busy:
            return f"Looking at the photographs: {self.context.intake_job.fraction:.0%}"
        intake = self.draft.intake
        if intake is None:
            return ""
        parts = [counted(len(intake.photographs), "photograph")]
        if intake.masks:
            parts.append(counted(len(intake.masks), "drawn mask"))
        if intake.others:
            parts.append(f"{counted(intake.others, 'other file')} passed over")
        text = "Found: " + ", ".join(parts) + "."
        if not intake.photographs:
            text = f"No photographs were found there. {SUPPORTED}"
        return " ".join([text, *(f"{one}." for one in intake.missing)])

    def isComplete(self) -> bool:
        intake = self.draft.intake
        if self.context.intake_job.is_busy:
            return True
        if intake is None or (self.draft.task == "vessels" and not intake.masks):
            return False
        return bool(intake.photographs)


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
        kept = len(self.draft.chosen)
        return f"{kept} kept, {len(self.draft.intake.photographs) - kept} left out"

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
            files = self.draft.chosen
        self.model.show_files(files, self.devicePixelRatioF())
        self._show_count()

    def _show_count(self) -> None:
        kept = len(self.draft.chosen)
        text = f"{counted(kept, 'photograph')} will be used"
        if kept < LEAST_PATIENTS:
            text += f"; at least {LEAST_PATIENTS}, of as many patients, are needed"
        self.count.setText(f"{text}.")

    def isComplete(self) -> bool:
        return len(self.draft.chosen) >= LEAST_PATIENTS

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
