"""The models: a list, the one that is looked at, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6 import QtWidgets
from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFont, QFontMetrics, QPainter, QPalette

from retina_viewer.core.errors import UserError
from retina_viewer.core.names import free_paths
from retina_viewer.model_store.archive import SUFFIX
from retina_viewer.model_store.own_models import LONGEST_TITLE
from retina_viewer.ui.icons import Icons
from retina_viewer.ui.input import paths_in
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.card_page import ModelPage
from retina_viewer.ui.models.installed_models import TASKS, InstalledModels, ModelEntry, subtitle
from retina_viewer.ui.models.model_operations import ModelOperations
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.banner import Banner
from retina_viewer.ui.widgets.choices import Switch
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.table_views import Index

NAME = Qt.ItemDataRole.UserRole
SUBTITLE = Qt.ItemDataRole.UserRole + 1
IN_USE = Qt.ItemDataRole.UserRole + 2
_PADDING = 12
_MARK = "in use"


class ModelList(QtWidgets.QListWidget):
    """Says which model the person picks."""

    picked = Signal(str)
    """(name)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("modelList")
        self.setAccessibleName("Models")
        self.setItemDelegate(_Rows(self))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QtWidgets.QListWidget.ScrollMode.ScrollPerPixel)
        self.currentItemChanged.connect(self._changed)

    def show_installed(self, installed: InstalledModels, chosen: str) -> None:
        """List everything; the chosen one stays chosen, or else the first default is."""
        self.blockSignals(True)
        self.clear()
        for task, title in TASKS:
            entries = installed.of(task)
            if entries:
                QtWidgets.QListWidgetItem(title, self).setFlags(Qt.ItemFlag.NoItemFlags)
            for entry in entries:
                item = QtWidgets.QListWidgetItem(entry.card.title, self)
                item.setData(NAME, entry.card.name)
                item.setData(SUBTITLE, subtitle(entry))
                item.setData(IN_USE, entry.is_default)
                item.setToolTip(f"{entry.card.title} ({subtitle(entry)})")
                mark = ", in use" if entry.is_default else ""
                read = f"{entry.card.title}, {subtitle(entry)}{mark}"
                item.setData(Qt.ItemDataRole.AccessibleTextRole, read)
        self.blockSignals(False)
        self.choose(chosen if installed.entry(chosen) else "")

    def choose(self, name: str) -> None:
        """Select a model by name; without a name the first one."""
        for row in range(self.count()):
            found = self.item(row).data(NAME)
            if found is not None and name in ("", found):
                self.setCurrentRow(row)
                return

    @property
    def chosen(self) -> str:
        item = self.currentItem()
        return str(item.data(NAME)) if item is not None and item.data(NAME) else ""

    def _changed(self, item: QtWidgets.QListWidgetItem | None) -> None:
        if item is not None and item.data(NAME):
            self.picked.emit(self.chosen)


class _Rows(QtWidgets.QStyledItemDelegate):
    def paint(
        self, painter: QPainter, option: QtWidgets.QStyleOptionViewItem, index: Index
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect: QRect = option.rect
        palette = (
            QtWidgets.QApplication.palette()
        )  # the style sheet has changed the colours of the list's
        dim = palette.color(QPalette.ColorRole.PlaceholderText)
        box = rect.adjusted(_PADDING, 8, -_PADDING, -6)
        if index.data(NAME) is None:
            painter.setPen(dim)
            flags = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            painter.drawText(box, flags, index.data())
            painter.restore()
            return
        accent = palette.color(QPalette.ColorRole.Highlight)
        if option.state & QtWidgets.QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Button))
            painter.fillRect(QRect(rect.x(), rect.y(), 3, rect.height()), accent)
        font = QFont(option.font)
        metrics = QFontMetrics(font)
        room = box.width()
        if index.data(IN_USE):
            painter.setPen(accent)
            flags = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
            painter.drawText(box, flags, _MARK)
            room -= metrics.horizontalAdvance(_MARK) + 12
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        title = QFontMetrics(font).elidedText(index.data(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, Qt.AlignmentFlag.AlignTop, title)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(dim)
        text = metrics.elidedText(index.data(SUBTITLE), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignBottom, text)
        painter.restore()

    def sizeHint(self, option: QtWidgets.QStyleOptionViewItem, index: Index) -> QSize:
        line = QFontMetrics(option.font).height()
        return QSize(200, line + 18 if index.data(NAME) is None else 2 * line + 20)


SIZE = (1240, 760)
LIST_WIDTH = 292
FILTER = f"Models (*{SUFFIX})"


class ModelButtons(QtWidgets.QWidget):
    """Decides which buttons make sense; the dialog does what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.use = layout.button("Use it", "Make it the default of its task")
        self.compare = layout.button("Compare…", "Beside another model, on the open photograph")
        self.retrain = layout.button("Train on from it…", "With photographs of your own")
        self.rename = layout.button("Rename…", "Give it another title")
        self.export = layout.button("Export…", "Write it into one file")
        self.delete = layout.button("Delete…", "Remove it for good")
        left = (self.use, self.compare, self.retrain)
        right = (self.rename, self.export, self.delete)
        self._tips = {button: button.toolTip() for button in (*left, *right)}
        self.setLayout(layout.row(*left, ..., *right, spacing=8, margins=0))

    def show_entry(self, entry: ModelEntry | None, *, has_photo: bool, busy: bool) -> None:
        """Enable what can be done, and say of the rest why not."""
        for button in self._tips:
            button.setEnabled(entry is not None and not busy)
        if entry is None or busy:
            return
        self.use.setText("In use" if entry.is_default else "Use it")
        self.use.setEnabled(not entry.is_default)
        self.compare.setEnabled(entry.can_be_compared)
        default = "Use another model first" if entry.is_default else ""
        for button, obstacle in (
            (self.compare, "" if has_photo else "Open a photograph first"),
            (self.retrain, "" if entry.can_be_tuned else "It is no model that is trained on here"),
            (self.rename, "" if entry.is_own else "Shipped models keep their title"),
            (self.delete, default if entry.is_own else "Shipped models stay"),
        ):
            button.setToolTip(obstacle or self._tips[button])
            button.setEnabled(button.isEnabled() and not obstacle)


class DeleteQuestion(QtWidgets.QMessageBox):
    """Says what is lost; not deleting is what Return and Escape do."""

    confirmed = Signal(bool)
    """(whether the twin goes too)"""

    def __init__(self, entry: ModelEntry, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        card = entry.card
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Delete a model")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(f"Delete {card.title} ({card.name}) for good?")
        said = ["Its weights, card and note are removed. Pictures that it made stay."]
        if entry.children:
            said.append(f"{len(entry.children)} models were trained on from it; they stay.")
        said.append("Export it first if you may want it back.")
        self.setInformativeText(" ".join(said))
        self.twin: QtWidgets.QCheckBox | None = None
        if entry.lonely_twin is not None:
            self.twin = Switch(f"Also its pixel-trained twin, {entry.lonely_twin.title}")
            self.twin.setChecked(True)
            self.setCheckBox(self.twin)
        self.delete = self.addButton("Delete", QtWidgets.QMessageBox.ButtonRole.DestructiveRole)
        keep = self.addButton("Keep it", QtWidgets.QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(keep)
        self.setEscapeButton(keep)
        self.delete.clicked.connect(self._confirm)

    def _confirm(self) -> None:
        self.confirmed.emit(self.twin is not None and self.twin.isChecked())


class ModelsDialog(QtWidgets.QDialog):
    """Not modal: the photograph stays in reach, and the window behind a question goes on. Files are
    looked for in and go to ``folder``, from then on the last one that was used."""

    compare_wanted = Signal(object, object)
    """(ModelEntry, InstalledModels): beside which other one is chosen there"""
    retrain_wanted = Signal(object)
    """(ModelCard) to begin a training with"""

    def __init__(self, jobs: Jobs, folder: Path, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Models")
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAcceptDrops(True)
        self.resize(*SIZE)
        self.operations = ModelOperations(jobs, self)
        self.installed = InstalledModels()
        self.has_photo = False
        self.question: QtWidgets.QWidget | None = None
        self._folder, self._wanted = folder, ""
        self.banner, self.list, self.page = Banner(), ModelList(), ModelPage(jobs)
        self.list.setFixedWidth(LIST_WIDTH)
        self.buttons = ModelButtons()
        self.outcome = dim_label()
        self.import_button = layout.button("Import…", act=self._ask_what_to_import)
        self.roll_back_button = layout.button("Roll back", act=self._roll_back)
        below = layout.row(
            self.import_button, (self.roll_back_button, 1), spacing=8, margins=(12, 8, 12, 12)
        )
        left = layout.column((self.list, 1), below, spacing=0)
        last = layout.row(self.buttons, margins=(0, 0, 12, 0))
        right = layout.column(
            (self.page, 1), self.outcome, last, spacing=8, margins=(20, 16, 4, 12)
        )
        middle = layout.row(left, (right, 1), spacing=0)
        self.setLayout(layout.column(self.banner, (middle, 1), spacing=0, margins=0))
        self._connect()

    def _connect(self) -> None:
        operations, buttons = self.operations, self.buttons
        operations.looked.connect(self._show_installed)
        operations.said.connect(self._said)
        operations.failed.connect(self._failed)
        self.list.picked.connect(self.show_model)
        self.page.lineage.picked.connect(self.list.choose)
        self.page.card.note_kept.connect(
            lambda text: self._do(operations.set_note, self.list.chosen, text)
        )
        buttons.use.clicked.connect(lambda: self._do(operations.use, self.list.chosen))
        for button, act in (
            (buttons.compare, lambda entry: self.compare_wanted.emit(entry, self.installed)),
            (buttons.retrain, lambda entry: self.retrain_wanted.emit(entry.card)),
            (buttons.rename, self._ask_for_title),
            (buttons.export, self._ask_where_to_export),
            (buttons.delete, self._ask_to_delete),
        ):
            button.clicked.connect(partial(self._with_entry, act))

    # What is shown

    @property
    def entry(self) -> ModelEntry | None:
        """The model that is looked at."""
        return self.installed.entry(self.list.chosen)

    def present(self, *, has_photo: bool) -> None:
        """Bring it to the front, with what is installed now."""
        self.has_photo = has_photo
        self.operations.look()
        self.show()
        self.raise_()
        self.activateWindow()

    def use_icons(self, icons: Icons) -> None:
        self.banner.use_icons(icons)

    def show_model(self, name: str) -> None:
        """Look at a model of the list."""
        entry = self.installed.entry(name)
        if entry is not None:
            self.page.show_entry(entry)
            self._show_buttons()

    def set_has_photo(self, has_photo: bool) -> None:
        """Whether there is a photograph to compare on."""
        self.has_photo = has_photo
        self._show_buttons()

    def _show_installed(self, installed: InstalledModels) -> None:
        self.installed = installed
        wanted, self._wanted = self._wanted or self.list.chosen, ""
        self.list.show_installed(installed, wanted)
        self.show_model(self.list.chosen)

    def _show_buttons(self) -> None:
        entry, busy = self.entry, self.operations.is_working
        self.buttons.show_entry(entry, has_photo=self.has_photo, busy=busy)
        before = (self.installed.before or {}).get(entry.card.task) if entry else None
        old = self.installed.entry(before) if before else None
        task = dict(TASKS)[entry.card.task].lower() if entry else ""
        self.roll_back_button.setEnabled(old is not None and not busy)
        self.roll_back_button.setToolTip(
            f"Use {old.card.title} for {task} again" if old else "No default was chosen before"
        )
        self.import_button.setEnabled(not busy)

    def _said(self, sentence: str, name: str) -> None:
        self.outcome.setText(sentence)
        self._wanted = name

    def _failed(self, error: Exception) -> None:
        hint = error.hint if isinstance(error, UserError) else ""
        message = error.message if isinstance(error, UserError) else f"It failed: {error}"
        self.banner.show_problem(message, hint)
        self._show_buttons()

    # What the person does

    def _do(self, operation: Callable[..., None], *arguments: object) -> None:
        self.banner.hide()
        self.outcome.clear()
        operation(*arguments)
        self._show_buttons()

    def _with_entry(self, act: Callable[[ModelEntry], None], checked: bool = False) -> None:
        if self.entry is not None:
            act(self.entry)

    def _roll_back(self) -> None:
        if self.entry is not None:
            self._do(self.operations.roll_back, self.entry.card.task)

    def export(self, name: str, path: Path) -> None:
        """Write a model into a new file."""
        self._folder = path.parent
        self._do(self.operations.export, name, path)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Install the models of files."""
        self._do(self.operations.import_files, paths)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(path.suffix == SUFFIX for path in paths_in(event.mimeData())):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.import_files(paths_in(event.mimeData()))

    # What the person is asked

    def _ask_for_title(self, entry: ModelEntry) -> None:
        name, dialog = entry.card.name, QtWidgets.QInputDialog(self)
        dialog.setWindowTitle("Rename")
        dialog.setLabelText(f"Title, up to {LONGEST_TITLE} characters. Name no patients.")
        dialog.setTextValue(entry.card.title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(
            lambda title: self._do(self.operations.rename, name, title)
        )
        self.question = dialog
        dialog.open()

    def _ask_to_delete(self, entry: ModelEntry) -> None:
        name, question = entry.card.name, DeleteQuestion(entry, self)
        question.confirmed.connect(
            lambda twin: self._do(partial(self.operations.delete, name, with_twin=twin))
        )
        self.question = question
        question.open()

    def _ask_where_to_export(self, entry: ModelEntry) -> None:
        name, dialog = entry.card.name, self._file_dialog("Export the model")
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.lstrip("."))
        # Nothing is overwritten: a name that is free, and no question that suggests otherwise.
        dialog.setOption(QtWidgets.QFileDialog.Option.DontConfirmOverwrite)
        dialog.selectFile(free_paths(self._folder, [f"{name}{SUFFIX}"])[0].name)
        dialog.fileSelected.connect(lambda path: self.export(name, Path(path)))
        dialog.open()

    def _ask_what_to_import(self) -> None:
        dialog = self._file_dialog("Import models")
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(
            lambda names: self.import_files([Path(name) for name in names])
        )
        dialog.open()

    def _file_dialog(self, title: str) -> QtWidgets.QFileDialog:
        dialog = QtWidgets.QFileDialog(self, title, str(self._folder), FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.question = dialog
        return dialog
