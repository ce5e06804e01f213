"""Page 7: the model gets a name, and becomes one of the person's own."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPlainTextEdit

from retina_viewer.core.errors import UserError
from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.model_store.card import ModelCard, read_card
from retina_viewer.model_store.installing import name_from_title
from retina_viewer.ui.training.verdict_page import VerdictPage
from retina_viewer.ui.training.wizard_page import WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.choices import Switch
from retina_viewer.ui.widgets.fields import dim_label, panel_form

_KEY = "training accept"


class KeepPage(WizardPage):
    """Title, note, default."""

    kept = Signal(object)
    """(ModelCard): it is among the person's models now"""

    def __init__(self, context: WizardContext, verdict: VerdictPage) -> None:
        super().__init__(
            context,
            "What shall the model be called?",
            "It gets a place beside the others; a version that is there is never overwritten. "
            "Its card holds counts and hashes, no names of patients or files.",
        )
        self._verdict = verdict
        self.setFinalPage(True)
        self.title_line = QLineEdit()
        self.title_line.setMaxLength(80)
        self.title_line.textChanged.connect(self._title_changed)
        self.name = QLabel()
        self.note = QPlainTextEdit()
        self.note.setPlaceholderText("What you want to remember of it; stays on this computer")
        self.note.setMaximumHeight(110)
        self.note.setTabChangesFocus(True)
        self.default = Switch("Use it from now on, instead of its base")
        form = panel_form()
        form.setVerticalSpacing(12)
        form.addRow(dim_label("Title"), self.title_line)
        form.addRow(dim_label("Stored as"), self.name)
        form.addRow(dim_label("Note"), self.note)
        layout.add(self.column, form, self.default, ...)
        self.card: ModelCard | None = None

    def initializePage(self) -> None:
        self.card = None
        run = self.context.trainings.run
        if run is not None and not self.title_line.text():
            self.title_line.setText(_proposed_title(run))
        self.default.setChecked(not self._verdict.needs_reason)
        self._title_changed()

    def _title_changed(self) -> None:
        self.name.setText(name_from_title(self.title_line.text()))
        self.completeChanged.emit()

    def isComplete(self) -> bool:
        busy = self.context.jobs.is_active(_KEY)
        return bool(self.title_line.text().strip()) and not busy

    def validatePage(self) -> bool:
        """Keep the model, in the background; the wizard is finished when that is done."""
        run = self.context.trainings.run
        if self.card is not None:
            return True
        if run is None or self.context.jobs.is_active(_KEY):
            return False
        self.show_problem(None)
        title, note = self.title_line.text().strip(), self.note.toPlainText().strip()
        name, reason = self.name.text(), self._verdict.reason.text().strip()
        is_default = self.default.isChecked()
        self.context.jobs.submit(
            _KEY,
            lambda _: keep(run, name, title, reason=reason, note=note, is_default=is_default),
            self._done,
            failed=self.failed,
            title="keeping",
        )
        self.completeChanged.emit()
        return False

    def failed(self, error: Exception) -> None:
        super().failed(error)
        self.completeChanged.emit()

    def _done(self, card: ModelCard) -> None:
        self.card = card
        self.context.trainings.let_go(f"kept as {card.name}")
        self.kept.emit(card)
        self.wizard().accept()


def _proposed_title(run: RunFolder) -> str:
    try:
        return read_card(run.model).title
    except UserError:  # keeping will say what is wrong with it
        return ""


def keep(
    run: RunFolder, name: str, title: str, *, reason: str, note: str, is_default: bool
) -> ModelCard:
    """Accept a training's model, and make it the default of its task if so wished. Raises
    UserError: it cannot be kept; or it was kept but cannot be the default, and is then told so.
    """
    from retina_viewer.model_store.defaults import set_default
    from retina_viewer.model_store.own_models import accept, kept_as

    card = kept_as(run.path) or accept(run.path, name, title, reason or None, note=note)
    if is_default:
        try:
            set_default(card.name)
        except UserError as error:
            raise UserError(
                f"The model was kept as {card.name}, but could not be made the default: "
                f"{error.message}",
                error.hint,
            ) from error
    return card
