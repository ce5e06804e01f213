"""The card of a model: what it was found to do, what it was trained on, the person's note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from retina_viewer.core.errors import UserError
from retina_viewer.core.progress import Progress
from retina_viewer.model_store.card import Measurement, ModelCard
from retina_viewer.model_store.extras import HISTORY_FILE
from retina_viewer.model_store.own_models import LONGEST_NOTE
from retina_viewer.ui.job import Lane
from retina_viewer.ui.jobs import Jobs
from retina_viewer.ui.models.installed_models import (
    ModelEntry,
    card_rows,
    subtitle,
    verdict_heading,
    verdict_sentences,
)
from retina_viewer.ui.theme import HIT_TARGET, Tokens, tabular
from retina_viewer.ui.widgets.fields import dim_label, panel_form, value_label
from retina_viewer.ui.widgets.learning_curves import LearningCurves
from retina_viewer.ui.widgets.learning_history import LearningHistory, read_history
from retina_viewer.ui.widgets.segments import Segments
from retina_viewer.ui.widgets.table_views import (
    plain_table,
    show_general,
    show_held_out,
    whole_height,
)


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

    def show_entry(self, entry: ModelEntry) -> None:
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


_KEY = "models curves"
_COLUMNS = 3
NONE = (
    "No learning curves came with this model. Models that you train keep them, and so do models "
    "that are imported with them."
)


class CurvesPage(QScrollArea):
    """Reads the history in the background."""

    def __init__(self, jobs: Jobs, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._jobs, self._tokens = jobs, tokens
        self._entry: ModelEntry | None = None
        self._drawn = ""
        self.curves: LearningCurves | None = None

    def use_tokens(self, tokens: Tokens) -> None:
        """Take the colours of a theme."""
        self._tokens = tokens
        if self.curves is not None:
            self.curves.use_tokens(tokens)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show another model; drawn at once only where the page is looked at."""
        self._entry = entry
        if self.isVisible():
            self.draw()

    def draw(self) -> None:
        """Draw what :meth:`show_entry` named, unless it is drawn already."""
        entry = self._entry
        if entry is None or self._drawn == entry.card.name:
            return
        self._drawn = entry.card.name
        self._say("…")
        directory = entry.card.directory

        def work(progress: Progress) -> LearningHistory:
            if directory is None or not (directory / HISTORY_FILE).is_file():
                raise UserError(NONE)
            return read_history(directory / HISTORY_FILE)

        self._jobs.submit(_KEY, work, self._show, failed=self._failed, lane=Lane.FILES)

    def _show(self, history: LearningHistory) -> None:
        curves = LearningCurves(self._tokens, columns=_COLUMNS)
        curves.show_history(history)
        curves.setFixedHeight(curves.wanted_height)
        self.curves = curves
        self.setWidget(curves)

    def _failed(self, error: Exception) -> None:
        self._say(error.message if isinstance(error, UserError) else str(error))

    def _say(self, text: str) -> None:
        self.curves = None
        label: QLabel = dim_label(text)
        label.setMargin(4)
        label.setAlignment(label.alignment().AlignTop)
        self.setWidget(label)


_INDENT = 24


class LineagePage(QScrollArea):
    """A button for every ancestor and child that is installed."""

    picked = Signal(str)
    """(name)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def show_entry(self, entry: ModelEntry) -> None:
        """Show another model."""
        body = QWidget()
        body.setObjectName("pageBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 12, 12)
        column.setSpacing(4)
        for depth, ancestor in enumerate(entry.chain):
            if depth:
                column.addWidget(_indented(dim_label("was trained on from"), depth))
            if ancestor.card is None:
                text = f"{ancestor.name}, which is not installed here"
                column.addWidget(_indented(QLabel(text), depth))
            else:
                column.addWidget(_indented(self._button(ancestor.card, bool(depth)), depth))
        if len(entry.chain) == 1:
            column.addWidget(dim_label("It was trained from nothing."))
        if entry.children:
            heading = QLabel("Trained on from it")
            heading.setProperty("role", "group")
            column.addSpacing(16)
            column.addWidget(heading)
            for card in entry.children:
                column.addWidget(_indented(self._button(card, True), 0))
        column.addStretch(1)
        self.setWidget(body)

    def _button(self, card: ModelCard, enabled: bool) -> QPushButton:
        button = QPushButton(f"{card.title}   {card.name}, {card.created:%Y-%m-%d}")
        button.setMinimumHeight(HIT_TARGET)
        button.setAutoDefault(False)
        button.setEnabled(enabled)
        button.clicked.connect(lambda: self.picked.emit(card.name))
        return button


def _indented(widget: QWidget, depth: int) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(depth * _INDENT, 0, 0, 0)
    column.addWidget(widget, 0, Qt.AlignmentFlag.AlignLeft)
    return holder


@dataclass(frozen=True)
class Figure:
    """How a figure is named and written.

    Attributes:
        short: for the head of a column.
        meaning: for its tool tip.
        written: a format of its value.
    """

    short: str
    meaning: str
    written: str = ".4g"


FIGURES = {
    "psnr": Figure("PSNR", "Closeness to the true photograph, dB; more is better", ".2f"),
    "gain": Figure("Gain", "PSNR over bicubic interpolation, dB", "+.2f"),
    "ssim": Figure("SSIM", "Structural similarity, at most 1", ".4f"),
    "rmse": Figure("RMSE", "Root mean square error, grey levels of 255; less is better", ".2f"),
    "lpips": Figure("LPIPS", "Visible difference; less is better", ".3f"),
    "lpips_change": Figure("LPIPS, %", "Change of LPIPS from bicubic; less is better", "+.0f"),
    "s3_ratio": Figure("S3", "Sharpness as a part of the true photograph's", ".2f"),
    "drift": Figure("Drift", "Colour drift, CIEDE2000; 1 is just seen", ".2f"),
    "dice": Figure("Dice", "Agreement with the drawn vessels, at most 1", ".3f"),
    "auc": Figure("AUC", "Area under the curve of the vessels' probability, at most 1", ".4f"),
    "accuracy": Figure("Accuracy", "Share of pixels told right", ".4f"),
    "sensitivity": Figure("Sensitivity", "Share of the drawn vessels that is found", ".3f"),
    "specificity": Figure("Specificity", "Share of the background that is left alone", ".4f"),
    "sensitivity_thin": Figure("Thin vessels", "Share of the thin drawn vessels found", ".3f"),
    "won_back": Figure("Won back", "Share of what shrinking lost that is found again", ".2f"),
    "blur_read": Figure("Blur read, px", "Blur as estimated, px", ".3f"),
    "blur_error": Figure("Blur error, px", "Error of the estimated blur, px", ".3f"),
    "noise_read": Figure("Noise read", "Noise as estimated, grey levels of 255", ".2f"),
}


@dataclass(frozen=True)
class Block:
    """One table.

    Attributes:
        figures: the columns.
        rows: the photographs, and the values of the columns, empty where there is none.
    """

    figures: tuple[Figure, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def blocks_of(measurements: Sequence[Measurement]) -> list[Block]:
    """Tables of measurements: figures that were measured of the same photographs are in one.

    Rows and columns come in the order of the card.
    """
    values: dict[str, dict[str, float]] = {}
    for one in measurements:
        values.setdefault(one.data, {})[one.metric] = one.value
    known = list(dict.fromkeys(one.metric for one in measurements))
    groups: list[tuple[set[str], set[str]]] = []  # metrics, and the data they were measured on
    for data, row in values.items():
        tied = [group for group in groups if group[0] & set(row)]
        metrics = set(row).union(*(group[0] for group in tied))
        places = {data}.union(*(group[1] for group in tied))
        groups = [*(group for group in groups if group not in tied), (metrics, places)]
    blocks = [
        (
            [metric for metric in known if metric in metrics],
            [data for data in values if data in places],
        )
        for metrics, places in groups
    ]
    blocks.sort(key=lambda block: list(values).index(block[1][0]))
    return [_block(metrics, places, values) for metrics, places in blocks]


def _block(
    metrics: Sequence[str], places: Sequence[str], values: dict[str, dict[str, float]]
) -> Block:
    figures = tuple(_figure(metric) for metric in metrics)
    rows = []
    for data in places:
        written = [
            format(values[data][metric], figure.written) if metric in values[data] else ""
            for metric, figure in zip(metrics, figures, strict=True)
        ]
        rows.append((data.replace(" x", " ×"), tuple(written)))
    return Block(figures, tuple(rows))


def _figure(metric: str) -> Figure:
    name = metric.replace("_", " ")
    return FIGURES.get(metric, Figure(name[:1].upper() + name[1:], name))


_PATIENTS = 4
"""The column of the table of held-out patients that counts them."""


class CardPage(QScrollArea):
    """Scrolls; built anew for every model."""

    note_kept = Signal(str)
    """(text)"""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.note = QPlainTextEdit()
        self.keep_note = QPushButton("Keep the note")
        self.entry: ModelEntry | None = None
        self._written = ""

    @property
    def has_unkept_note(self) -> bool:
        """Whether the person has written what is not kept yet."""
        return self.entry is not None and self._written.strip() != self.entry.note

    def show_entry(self, entry: ModelEntry) -> None:
        """Show another model, or what has become of this one; a note that is being written stays
        while the model does."""
        same = self.entry is not None and self.entry.card.name == entry.card.name
        text = self._written if same and self.has_unkept_note else entry.note
        self.entry, self._written = entry, text
        body = QWidget()
        body.setObjectName("pageBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 12, 12)
        column.setSpacing(12)
        column.addWidget(_verdict(entry))
        verdict = entry.card.verdict
        if verdict is not None and verdict.comparisons:
            column.addWidget(_heading("On the held-out patients"))
            table = show_held_out(verdict)
            across = Qt.Orientation.Horizontal
            table.model().setHeaderData(_PATIENTS, across, "Better : worse")
            table.model().setHeaderData(
                _PATIENTS, across, "Patients", Qt.ItemDataRole.ToolTipRole
            )  # shorter than in the wizard: there is less room
            column.addWidget(table)
        if verdict is not None and verdict.general:
            column.addWidget(_heading("On bundled photographs of other cameras"))
            column.addWidget(show_general(verdict))
        for block in blocks_of(entry.card.measurements):
            column.addWidget(_heading("Measured"))
            column.addWidget(_figures(block))
        column.addWidget(_heading("The card"))
        column.addLayout(_card_form(entry))
        if entry.is_own:
            self._add_note(column, text)
        column.addStretch(1)
        self.setWidget(body)

    def _add_note(self, column: QVBoxLayout, text: str) -> None:
        # New ones, since the old body takes its widgets with it.
        self.note, self.keep_note = QPlainTextEdit(text), QPushButton("Keep the note")
        self.note.setAccessibleName("Note")
        self.note.setPlaceholderText("What you want to remember of it. It stays on this computer.")
        self.note.setFixedHeight(84)
        self.note.setTabChangesFocus(True)
        self.note.textChanged.connect(self._note_changed)
        self.keep_note.setMinimumHeight(HIT_TARGET)
        self.keep_note.setAutoDefault(False)
        self.keep_note.clicked.connect(lambda: self.note_kept.emit(self.note.toPlainText()))
        row = QHBoxLayout()
        row.addWidget(dim_label("Notes are not exported with the model."), 1)
        row.addWidget(self.keep_note)
        column.addWidget(_heading("Your note"))
        column.addWidget(self.note)
        column.addLayout(row)
        self._note_changed()

    def _note_changed(self) -> None:
        self._written = self.note.toPlainText()
        fits = len(self._written) <= LONGEST_NOTE
        self.keep_note.setEnabled(self.has_unkept_note and fits)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "group")
    return label


def _verdict(entry: ModelEntry) -> QFrame:
    frame = QFrame()
    frame.setProperty("role", "card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(16, 12, 16, 12)
    column.setSpacing(4)
    heading = value_label()
    heading.setProperty("role", "group")
    heading.setText(verdict_heading(entry))
    column.addWidget(heading)
    for sentence in verdict_sentences(entry):
        label = dim_label(sentence)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(label)
    return frame


def _card_form(entry: ModelEntry) -> QFormLayout:
    form = panel_form()
    for name, value in card_rows(entry):
        label = value_label()
        label.setText(value)
        form.addRow(dim_label(name), label)
    return form


def _figures(block: Block) -> QTableView:
    """At its full height: a table that scrolls within a page that scrolls takes its wheel away."""
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    model = QStandardItemModel(0, 1 + len(block.figures))
    model.setHorizontalHeaderLabels(["Photographs", *(one.short for one in block.figures)])
    for column, figure in enumerate(block.figures, 1):
        model.horizontalHeaderItem(column).setTextAlignment(right)
        model.horizontalHeaderItem(column).setToolTip(figure.meaning)
    for data, values in block.rows:
        items = [QStandardItem(data), *(QStandardItem(value) for value in values)]
        items[0].setToolTip(data)
        for item in items[1:]:
            item.setTextAlignment(right)
        model.appendRow(items)
    table = plain_table()
    model.setParent(table)
    table.setModel(model)
    table.setFont(tabular(table.font()))
    table.setSelectionMode(QTableView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setAccessibleName("Measured figures")
    whole_height(table)
    return table
