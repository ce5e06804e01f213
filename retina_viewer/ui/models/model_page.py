"""The model that is looked at: its card, its learning curves, where it comes from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.card_page import CardPage
from retina_viewer.ui.models.curves_page import CurvesPage
from retina_viewer.ui.models.facts import Entry, subtitle
from retina_viewer.ui.models.lineage_page import LineagePage
from retina_viewer.ui.theme import Tokens
from retina_viewer.ui.widgets.fields import dim_label
from retina_viewer.ui.widgets.segments import Segments


class ModelPage(QWidget):
    """A heading and three pages, one of them shown; the same one for the next model."""

    def __init__(self, jobs: Jobs, tokens: Tokens) -> None:
        super().__init__()
        self.heading = QLabel()
        self.heading.setProperty("role", "heading")
        self.heading.setTextFormat(Qt.TextFormat.PlainText)
        self.about = dim_label()
        self.card = CardPage()
        self.curves = CurvesPage(jobs, tokens)
        self.lineage = LineagePage()
        self.pages = QStackedWidget()
        for page in (self.card, self.curves, self.lineage):
            self.pages.addWidget(page)
        self.tabs = Segments(
            [(0, "Card", "What it is and was found to do"),
             (1, "Learning curves", "How its training went"),
             (2, "Lineage", "What it was trained on from")],
            "Page",
        )  # fmt: skip
        self.tabs.chosen.connect(self._show_page)
        self.tabs.set_value(0)
        row = QHBoxLayout()
        row.addWidget(self.tabs)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.heading)
        column.addWidget(self.about)
        column.addLayout(row)
        column.addSpacing(4)
        column.addWidget(self.pages, 1)

    def show_entry(self, entry: Entry) -> None:
        """Another model, or the same with news."""
        self.heading.setText(entry.card.title)
        used = "In use for its task. " if entry.is_default else ""
        self.about.setText(f"{used}{subtitle(entry)}")
        self.card.show_entry(entry)
        self.curves.show_entry(entry)
        self.lineage.show_entry(entry)

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self.curves.use_tokens(tokens)

    def _show_page(self, page: int) -> None:
        self.tabs.set_value(page)
        self.pages.setCurrentIndex(page)
        if page == self.pages.indexOf(self.curves):
            self.curves.draw()
