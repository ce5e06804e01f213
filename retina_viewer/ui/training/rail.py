"""The list of steps beside the wizard's pages: where one is, and what was chosen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from retina_viewer.ui.training.wizard_page import PageId

WIDTH = 216
TITLES = {
    PageId.SOURCE: "Task and photographs",
    PageId.CHECK: "Check",
    PageId.MASKS: "Masks",
    PageId.PATIENTS: "Patients",
    PageId.OPTIONS: "Options",
    PageId.TRAINING: "Training",
    PageId.VERDICT: "Verdict",
    PageId.KEEP: "Name and keep",
}


class Rail(QWidget):
    """One entry a step: its number and title, and a few words on what was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._titles: dict[PageId, QLabel] = {}
        self._summaries: dict[PageId, QLabel] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 20, 0, 16)
        column.setSpacing(0)
        for page in PageId:
            title, summary = QLabel(), QLabel()
            title.setContentsMargins(16, 8, 8, 0)
            summary.setContentsMargins(36, 0, 8, 8)
            title.setProperty("role", "step")
            summary.setProperty("role", "stepSummary")
            summary.setWordWrap(True)
            for label in (title, summary):
                label.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
                column.addWidget(label)
            self._titles[page], self._summaries[page] = title, summary
        column.addStretch(1)

    def show_steps(
        self, pages: Sequence[PageId], current: PageId, summaries: Mapping[PageId, str]
    ) -> None:
        """Show which steps there are, where one is, and what each has to say."""
        numbers = {page: number for number, page in enumerate(pages, start=1)}
        for page in PageId:
            title, summary = self._titles[page], self._summaries[page]
            title.setVisible(page in numbers)
            summary.setVisible(page in numbers)
            if page not in numbers:
                continue
            state = "now" if page == current else "done" if page < current else "later"
            title.setText(f"{numbers[page]}   {TITLES[page]}")
            summary.setText(summaries.get(page, "") if page <= current else "")
            for label in (title, summary):
                if label.property("state") != state:
                    label.setProperty("state", state)
                    label.style().unpolish(label)
                    label.style().polish(label)
