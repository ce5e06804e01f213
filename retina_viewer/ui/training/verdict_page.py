"""Page 6: is the tuned model better? In words, in figures, and with one's own eyes."""

from __future__ import annotations

from functools import partial

from pydantic import ValidationError
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget

from retina_viewer.finetuning.run_folder import RunFolder
from retina_viewer.model_store.card import Verdict
from retina_viewer.quality.blinded import Preference
from retina_viewer.ui.training.blinded_dialog import BlindedDialog, pairs_of
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.table_views import show_general, show_held_out

_KEY = "training verdict"
TOO_FEW = "Too few patients to tell"


class VerdictPage(WizardPage):
    """What the gate found. What is not better is kept only for a reason in the person's words."""

    following = PageId.KEEP

    def __init__(self, context: WizardContext) -> None:
        super().__init__(context, "The verdict")
        self.verdict: Verdict | None = None
        self._body = QScrollArea()
        layout.scroll(self._body)
        self.sentences, self.preference = layout.label(), layout.label()
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.preference.hide()
        tip = "See pairs of crops without knowing which model made which"
        self.compare = layout.button("Compare blind…", tip, self.compare_blind)
        self.discard = layout.button("Do not keep the model…", act=self._confirm_discard)
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Reason for keeping the model")
        self.reason.setPlaceholderText("Why should it be kept all the same? Name no patients.")
        self.reason.setMaxLength(500)
        self.reason.textChanged.connect(self.completeChanged)
        self.reason_label = dim_label(
            "It is not shown to be better. To keep it, give a reason; it is recorded in the "
            "model's card."
        )
        buttons = layout.row(self.compare, self.discard, ..., spacing=8)
        layout.add(self.column, self.sentences, (self._body, 1), self.preference, buttons)
        layout.add(self.column, self.reason_label, self.reason)

    def initializePage(self) -> None:
        self.verdict = None
        self.reason.clear()
        self.preference.hide()
        run, plan = self.context.trainings.run, self.context.trainings.plan
        if run is None or plan is None:
            return
        # The two of a vessel model's pictures would be drawings: there is nothing to prefer.
        self.compare.setVisible(plan.task == "superres")
        self.do(_KEY, lambda _: read_verdict(run), self._show)

    @property
    def summary(self) -> str:
        return "" if self.verdict is None else self.verdict.conclusion

    @property
    def needs_reason(self) -> bool:
        return self.verdict is None or self.verdict.conclusion != "better"

    def _show(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        if verdict is None:
            self.heading.setText("There is no verdict")
            self.sentences.setText("The model was not compared with its base.")
        else:
            heading, sentences = in_words(verdict)
            self.heading.setText(heading)
            self.sentences.setText("\n".join(sentences))
            self._body.setWidget(_figures(verdict))
        for widget in (self.reason, self.reason_label):
            widget.setVisible(self.needs_reason)
        self.completeChanged.emit()

    def failed(self, error: Exception) -> None:
        super().failed(error)
        self._show(None)

    def compare_blind(self) -> None:
        """Open the blinded comparison."""
        run, plan = self.context.trainings.run, self.context.trainings.plan
        if run is None or plan is None:
            return
        dialog = BlindedDialog(partial(pairs_of, run, plan), self.context.jobs, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.answered.connect(self._show_preference)
        dialog.open()

    def _show_preference(self, found: Preference) -> None:
        self.preference.setText(f"Blinded comparison: {found.sentence}")
        self.preference.show()

    def _confirm_discard(self) -> None:
        layout.ask_before_loss(
            self,
            "Do not keep the model",
            "Leave the tuned model, and go on with the models there were?",
            "The training's folder stays until it is deleted.",
            yes="Do not keep it",
            no="Back",
            act=self._discard,
        )

    def _discard(self) -> None:
        self.context.trainings.let_go("not kept")
        wizard = self.wizard()
        if wizard is not None:
            wizard.reject()

    def isComplete(self) -> bool:
        return not self.needs_reason or len(self.reason.text().strip()) > 2


def in_words(verdict: Verdict) -> tuple[str, list[str]]:
    """A heading, and the sentences under it."""
    kept = [text.replace("p = ", "p\u00a0=\u00a0") for text in verdict.sentences]
    if verdict.conclusion == "too few" or not kept:
        return TOO_FEW, kept
    return kept[0].rstrip("."), kept[1:]


def read_verdict(run: RunFolder) -> Verdict | None:
    """The verdict of a finished training; None where there is none that can be read."""
    try:
        return Verdict.model_validate_json(run.verdict_file.read_bytes())
    except (OSError, ValidationError):
        return None


def _figures(verdict: Verdict) -> QWidget:
    title = f"On {verdict.patients} held-out patients of yours; the figure in bold decides"
    parts: list[QWidget] = []
    if verdict.comparisons:
        parts += [layout.label(title, "strong", wraps=False), show_held_out(verdict)]
    title = "On the bundled photographs of other cameras: was anything forgotten?"
    if verdict.general:
        parts += [layout.label(title, "strong", wraps=False), show_general(verdict)]
    return layout.holding(layout.column(*parts, ..., spacing=8, margins=0))
