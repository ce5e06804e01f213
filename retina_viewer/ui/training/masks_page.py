"""Vessels only: which drawn mask belongs to which photograph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QStandardItem
from PySide6.QtWidgets import QLineEdit

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.finetuning.masks import (
    MaskCheck,
    Matching,
    NamePatterns,
    check_mask,
    match_masks,
    suggest_patterns,
)
from retina_viewer.finetuning.patients import LEAST_PATIENTS
from retina_viewer.ui.jobs import Job, Lane
from retina_viewer.ui.training.draft import counted
from retina_viewer.ui.training.wizard_page import PageId, WizardContext, WizardPage
from retina_viewer.ui.widgets import layout
from retina_viewer.ui.widgets.fields import dim_label, panel_form
from retina_viewer.ui.widgets.table_views import text_table

_KEY = "training masks"
_TYPING_MS = 300
Checked = dict[Path, MaskCheck | UserError]


class MasksPage(WizardPage):
    """Two patterns, and the pairs that they make, each checked."""

    following = PageId.PATIENTS

    def __init__(self, context: WizardContext) -> None:
        super().__init__(
            context,
            "Which mask belongs to which photograph?",
            "{key} stands for the part of the name that is the same in both, * for any text. "
            "Every pair is opened and checked: size, two levels, and that vessels are drawn in it.",
        )
        self.photograph_pattern, self.mask_pattern = QLineEdit(), QLineEdit()
        typing = layout.delayed(self, _TYPING_MS, self.match)
        for line in (self.photograph_pattern, self.mask_pattern):
            line.textEdited.connect(lambda _: typing.start())
        self.count = layout.label()
        self.bar = layout.bar()
        self.table, self.pairs = text_table("Pairs of photographs and masks")
        form = panel_form()
        form.addRow(dim_label("Photographs are called"), self.photograph_pattern)
        form.addRow(dim_label("Their masks are called"), self.mask_pattern)
        layout.add(self.column, form, self.count, self.bar, (self.table, 1))
        self._matching: Matching | None = None
        context.jobs.progressed.connect(self._progressed)

    def initializePage(self) -> None:
        if not self.photograph_pattern.text():
            patterns = suggest_patterns(self._photographs(), self._masks())
            self.photograph_pattern.setText(patterns.photograph)
            self.mask_pattern.setText(patterns.mask)
        self.match()

    @property
    def summary(self) -> str:
        return counted(len(self.draft.masks), "mask") if self.draft.masks else ""

    def _photographs(self) -> list[Path]:
        intake = self.draft.intake
        files = () if intake is None else intake.photographs
        return [file.path for file in files if self.draft.keeps(file)]

    def _masks(self) -> Sequence[Path]:
        return () if self.draft.intake is None else self.draft.intake.masks

    def match(self) -> None:
        """Pair by the patterns, and check the pairs in the background."""
        texts = (line.text().strip() for line in (self.photograph_pattern, self.mask_pattern))
        patterns = NamePatterns(*texts)
        self.draft.masks, self.draft.patients = {}, None
        self.show_problem(None)
        try:
            matching = match_masks(self._photographs(), self._masks(), patterns)
        except UserError as error:
            self.show_problem(error)
            matching = Matching({}, self._photographs(), list(self._masks()), [])
        self.draft.patterns, self._matching = patterns, matching
        self._show({})
        if not matching.pairs:
            self.context.jobs.cancel(_KEY)
            self.bar.hide()
            return

        self.bar.setValue(0)
        self.bar.show()
        self.do(_KEY, partial(_checked, matching.pairs), self._done, lane=Lane.LONG)

    def _progressed(self, job: Job) -> None:
        if job.key == _KEY:
            self.bar.setValue(round(job.fraction * 1000))

    def _done(self, checked: Checked) -> None:
        self.bar.hide()
        assert self._matching is not None
        self.draft.masks = {
            photograph: (self._matching.pairs[photograph], found)
            for photograph, found in checked.items()
            if isinstance(found, MaskCheck)
        }
        self._show(checked)

    def failed(self, error: Exception) -> None:
        self.bar.hide()
        super().failed(error)

    def _show(self, checked: Checked) -> None:
        matching = self._matching
        assert matching is not None
        self.pairs.clear()
        self.pairs.setHorizontalHeaderLabels(["Photograph", "Mask", "What was found"])
        rows = [
            (photograph.name, mask.name, _words(checked.get(photograph)))
            for photograph, mask in matching.pairs.items()
        ]
        left = [
            (path.name, "", "has no mask: it is not used") for path in matching.photographs_left
        ]
        for row in (*rows, *left):
            self.pairs.appendRow([QStandardItem(text) for text in row])
        for column in (0, 1):
            self.table.setColumnWidth(column, 220)
        self.count.setText(self._sentence(matching, bool(checked)))
        self.completeChanged.emit()

    def _sentence(self, matching: Matching, checked: bool) -> str:
        pairs = f"{len(matching.pairs)} of {len(self._photographs())} photographs have a mask"
        if not checked:
            return f"{pairs}." if not matching.pairs else f"{pairs}; checking them."
        good = len(self.draft.masks)
        text = f"{pairs}; {good} of them can be used."
        if matching.ambiguous:
            several = ", ".join(matching.ambiguous[:3])
            text += f" More than one file fits {several}: make the patterns narrower."
        return text

    def isComplete(self) -> bool:
        return len(self.draft.masks) >= LEAST_PATIENTS


def _checked(pairs: dict[Path, Path], progress: Progress) -> Checked:
    found: Checked = {}
    for number, (photograph, mask) in enumerate(pairs.items()):
        progress(number / len(pairs), f"checking {mask.name}")
        try:
            found[photograph] = check_mask(photograph, mask)
        except UserError as error:
            found[photograph] = error
    return found


def _words(found: MaskCheck | UserError | None) -> str:
    if found is None:
        return "…"
    if isinstance(found, UserError):
        return found.message
    dark = "dark lines, " if found.inverted else ""
    return f"{dark}vessels cover {found.share:.0%} of the field"
