"""Page 1: what is to be learnt, and from which photographs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QListWidget

from retina_viewer.core.errors import UserError
from retina_viewer.imaging.formats import SUPPORTED
from retina_viewer.model_store.card import ModelCard
from retina_viewer.ui.opening import FILTER
from retina_viewer.ui.training.draft import counted
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments

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
        dialog = self._dialog("Add a folder of photographs", QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.open()

    def ask_for_files(self) -> None:
        dialog = self._dialog("Add photographs", QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilter(FILTER)
        dialog.open()

    def _dialog(self, title: str, mode: QFileDialog.FileMode) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.context.settings.last_folder is not None:
            dialog.setDirectory(str(self.context.settings.last_folder))
        dialog.filesSelected.connect(lambda names: self.add([Path(name) for name in names]))
        return dialog

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
